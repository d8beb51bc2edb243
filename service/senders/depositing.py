"""Mail of the house to somebody who is no member: checkpoints to an auditor's mailbox, signed with the domain's key like all its mail."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from html import escape

from policies.terms import Catalogue
from service.background import beside
from service.checkpoints.anchors import settings as anchors
from service.checkpoints.anchors.anchoring import Anchoring
from service.checkpoints.model import State
from service.config import Config
from service.db.engine import Database
from service.errors import ConfigError
from service.senders import settings
from service.senders.model import Fate, Unfit, Words
from service.senders.settings import Account, Mailing
from service.senders.smtp import SmtpMail
from service.values import Clock

Post = Callable[[str, str, str, str], Awaitable[str]]
"""Hands over one mail (its name, to whom, subject, text); a code, empty when it was taken."""

_END_SECONDS = 2.0
"""For a deposit that is under way when the process is to end."""


@asynccontextmanager
async def anchored(
    config: Config, catalogue: Catalogue, database: Database, publisher: State, *, origin: str, clock: Clock
) -> AsyncIterator[Anchoring]:
    """Checkpoints are left with MENSHEN_ANCHORS in the background, while this instance is the one that publishes. Raises ConfigError."""
    accounts = settings.load(config.senders, catalogue, production=config.production)
    known = anchors.load(config.anchors, production=config.production, mailer=mailer(accounts, catalogue, clock=clock))
    made = Anchoring(database=database, anchors=known, origin=origin, clock=clock, leading=lambda: publisher.leading)
    try:
        async with beside(made.run, grace=_END_SECONDS):
            yield made
    finally:
        await made.close()


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
