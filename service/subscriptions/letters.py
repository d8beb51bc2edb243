"""Letters: the mails that ask an address to confirm something. They are put down in the unit that they follow from, as jobs.

The attacker has somebody else's address and types it all day long; so an address has room for a few letters a day, and each carries only
words that Menshen ships. Nothing of a letter is marketing: it is not counted, and it is no way to write to whoever said no.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from policies.clock import SHANGHAI
from policies.decide import leave_to_send
from policies.marketing import MessageClass, Sender, Vendor
from policies.terms import Catalogue, MemberStatus
from service.errors import BadInput
from service.members import commands as members
from service.members import store as members_store
from service.subscriptions import links, store
from service.subscriptions.ledger import Promise, promised
from service.subscriptions.links import Addressed, Confirmation
from service.subscriptions.model import LETTER, Key, Letter, LetterKind, Subscription, SubscriptionState, purposes_of
from service.suppression import store as suppressed
from service.unit import Unit
from service.values import MemberId
from service.vault.normalise import normalise
from service.work import store as jobs
from service.work.model import Job

NOBODY: MemberId = "00000000-0000-0000-0000-000000000000"
"""Whose job it is to write to an address that somebody typed: whose address it is, is not asked."""

_DAY = timedelta(days=1)
_VOID, _TOO_LATE, _GONE = "CONFIRMATION_VOID", "LINK_EXPIRED", "ERASED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a letter asks, of whom, and by which link: nothing else can stand in one."""

    kind: LetterKind
    to: str = field(repr=False)
    token: str = field(repr=False)
    key: Key = ("", "", "")
    promise: Promise | None = None


def writers(catalogue: Catalogue) -> tuple[Sender, ...]:
    """The registered senders that may write letters: mailboxes that carry no marketing."""
    return tuple(
        sender
        for sender in catalogue.senders.values()
        if sender.vendor is Vendor.SMTP
        and MessageClass.SERVICE in sender.classes
        and MessageClass.COMMERCIAL not in sender.classes
    )


def writer(catalogue: Catalogue, channel: str, brand: str = "") -> Sender | None:
    """Who writes to an address of this channel: the brand's own mailbox, else another one of the same legal entity."""
    known = [sender for sender in writers(catalogue) if sender.channel == channel]
    return next((sender for sender in known if sender.brand == brand), known[0] if known else None)


def chosen(catalogue: Catalogue, channel: str, accounts: Iterable[str]) -> str:
    """The mailbox by which a typed address is asked, of those that have an account; "" where none has."""
    open_ones = set(accounts)
    return next((each.key for each in writers(catalogue) if each.channel == channel and each.key in open_ones), "")


async def ask_to_confirm(unit: Unit, member_id: MemberId, subscription: Subscription, mark: bytes) -> None:
    """Have the address asked whether it wants this. Its withdrawal cancels the letter, as it cancels whatever is queued."""
    sender = writer(unit.catalogue, subscription.channel, subscription.brand)
    if sender is None:
        return
    purpose = purposes_of(unit.catalogue, subscription.channel)[0].key
    said = await _put_down(unit, LetterKind.CONFIRM, mark, letter_id=subscription.event_id)
    if said is not None:
        await _queue(unit, member_id, sender.key, said, purpose=purpose)


async def ask_to_leave(unit: Unit, *, channel: str, address: str, sender: str) -> None:
    """Have an address that was typed asked whether it wants nothing more. It is asked alike whether anybody is known to have it."""
    spec = unit.catalogue.fields[unit.catalogue.channels[channel].address]
    normalised = ""
    with suppress(BadInput):
        normalised = normalise(spec.normaliser, address, appid=members.default_appid(unit.catalogue))
    if not normalised:
        return
    token = links.make_addressed(unit.vault, Addressed(channel, normalised, unit.now))
    mark = unit.vault.mark(spec.key, normalised)
    said = await _put_down(unit, LetterKind.LEAVE, mark, letter_id=unit.new_id(), sealed=token.encode())
    if said is not None:
        await _queue(unit, NOBODY, sender, said, purpose="")


async def _put_down(unit: Unit, kind: LetterKind, mark: bytes, *, letter_id: str, sealed: bytes | None = None) -> Letter | None:
    """The letter, or None where the address has had enough of them today. Raises Duplicate where two take the last place."""
    rules = unit.catalogue.marketing
    day = unit.now.astimezone(SHANGHAI).date().isoformat()
    await store.forget_letters(unit.session, mark, before=unit.now - rules.opt_in_life - _DAY)
    place = await store.letters_of(unit.session, mark, day) + 1
    if place > rules.letters_a_day:
        unit.draft.extra["letter"] = "ENOUGH_TODAY"
        return None
    said = Letter(
        mark=mark,
        day=day,
        place=place,
        letter_id=letter_id,
        kind=kind.value,
        asked_at=unit.now,
        handed_at=None,
        sealed=sealed,
    )
    await store.add_letter(unit.session, said)
    unit.draft.extra["letter"] = letter_id
    return said


async def _queue(unit: Unit, member_id: MemberId, sender: str, said: Letter, *, purpose: str) -> None:
    job = Job(
        member_id=member_id,
        job_id=unit.new_id(),
        kind=LETTER,
        purpose=purpose,
        recipient=sender,
        event_id=said.letter_id,
        due_at=unit.now,
        created_at=unit.now,
    )
    await jobs.queue(unit.session, [job])


def over(unit: Unit, said: Letter) -> bool:
    """Whether it is too late to ask: the link would not be believed any more."""
    return said.asked_at + unit.catalogue.marketing.opt_in_life <= unit.now


async def question(unit: Unit, member_id: MemberId, said: Letter) -> Question | str:
    """What is to be asked now, or the code of why nothing is any more. A member's address is opened for it, and the entry tells so."""
    if over(unit, said):
        return _TOO_LATE
    if said.kind == LetterKind.CONFIRM.value:
        return await _confirmation(unit, member_id, said)
    return _leaving(unit, said)


def _leaving(unit: Unit, said: Letter) -> Question | str:
    if said.sealed is None:
        return _VOID
    token = said.sealed.decode()
    asked = links.addressed(unit.vault, token, now=unit.now, life=unit.catalogue.marketing.link_life)
    return Question(kind=LetterKind.LEAVE, to=asked.address, token=token, key=(asked.channel, "", ""))


async def _confirmation(unit: Unit, member_id: MemberId, said: Letter) -> Question | str:
    """Only while the subscription waits for this very confirmation, and only to the address that it was asked for."""
    row = await members_store.row(unit.session, member_id)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        return _GONE
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    event = await store.event(unit.session, member_id, said.letter_id)
    standing = (await store.standings(unit.session, member_id)).get((event.channel, event.topic, event.brand)) if event else None
    if event is None or standing is None or standing.event_id != said.letter_id or row.status is MemberStatus.RESTRICTED:
        return _VOID
    channel = unit.catalogue.channels.get(standing.channel)
    known = await suppressed.addresses(unit.session, member_id)
    theirs = channel is not None and any(each.field == channel.address and each.mark == said.mark for each in known)
    if channel is None or not theirs or standing.state is not SubscriptionState.PENDING:
        return _VOID
    permit = leave_to_send(
        member_id, purposes_of(unit.catalogue, channel.key)[0], channel, variables=(), catalogue=unit.catalogue
    )
    unit.draft.fields = (channel.address,)
    address = str(unit.vault.open(permit, keys, row.sealed)[channel.address])
    asked = Confirmation(member_id, *standing.key, said.letter_id, said.mark, unit.now)
    return Question(
        kind=LetterKind.CONFIRM,
        to=address,
        token=links.make_confirmation(unit.vault, asked),
        key=standing.key,
        promise=promised(event.record, None),
    )
