"""Mail of the house to somebody who is no member: checkpoints to an auditor's mailbox, signed with the domain's key like all its mail."""

from collections.abc import Awaitable, Callable, Mapping
from html import escape

from policies.terms import Catalogue
from service.errors import ConfigError
from service.senders.model import Fate, Unfit, Words
from service.senders.settings import Account, Mailing
from service.senders.smtp import SmtpMail
from service.values import Clock

Post = Callable[[str, str, str, str], Awaitable[str]]
"""Hands over one mail (its name, to whom, subject, text); a code, empty when it was taken."""


def mailer(accounts: Mapping[str, Account], catalogue: Catalogue, *, clock: Clock) -> Callable[[str], Post]:
    """The way out of a registered mailbox, by the sender's name. Raises ConfigError for one that has none."""

    def of(sender: str) -> Post:
        account = accounts.get(sender)
        if not isinstance(account, Mailing):
            raise ConfigError("MENSHEN_ANCHORS: sender: one of MENSHEN_SENDERS that sends mail")
        life = catalogue.marketing.decision_life
        smtp = SmtpMail(catalogue.senders[sender], clock=clock, life=life, server=account.server, domain=account.domain)

        async def post(name: str, to: str, subject: str, text: str) -> str:
            try:
                done = await smtp.deposit(name, to, Words(text=text, subject=subject, html=f"<pre>{escape(text)}</pre>"))
            except Unfit as problem:
                return problem.code
            return "" if done.fate is Fate.SENT else done.code

        return post

    return of
