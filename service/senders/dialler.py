"""Calls over a dialling system: it is posted a list of numbers that may be called, each with its proof, and when it ends (CL-02).

A list is of one day: it ends when the channel falls silent, and never lives longer than 24 hours. The dialler knows a list by its id, so
the same list twice is one call. Signed as Standard Webhooks (docs/formats/dial-list.md).
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import Final

import orjson

from policies.clock import SHANGHAI
from policies.marketing import Sender as RegisteredSender
from policies.terms import Channel
from service.propagation.message import headers
from service.senders.adapter import Adapter
from service.senders.model import Delivery, Fate, Message, NoLiveDecision
from service.senders.wire import Answer, Wire
from service.values import Clock, MemberId, utc_text

LONGEST: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Dialling:
    """Where the dialler listens, and the secret shared with it."""

    url: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One number that may be called. `send_id` leads to the evidence: `evidence(sendId)`."""

    send_id: str
    member_id: MemberId
    number: str = field(repr=False)
    says: str = field(repr=False)
    refusal: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialList:
    """What may be called until `expires_at`, by the decisions of `made_at`."""

    list_id: str
    made_at: datetime
    expires_at: datetime
    entries: tuple[Entry, ...]


class Dialler(Adapter):
    """One registered caller number."""

    def __init__(
        self,
        registered: RegisteredSender,
        *,
        clock: Clock,
        life: timedelta,
        dialling: Dialling,
        channel: Channel,
        wire: Wire,
    ) -> None:
        super().__init__(registered, clock=clock, life=life)
        self._dialling = dialling
        self._channel = channel
        self._wire = wire

    async def hand_over(self, message: Message) -> Delivery:
        """A list of one: each entry is decided by itself, just before it is handed over."""
        entry = Entry(
            send_id=message.send_id,
            member_id=message.member_id,
            number=message.to,
            says=message.words.text,
            refusal=message.way_out.link,
        )
        made = message.cleared_at
        return await self.dial(DialList(list_id=message.send_id, made_at=made, expires_at=self._silence(made), entries=(entry,)))

    async def dial(self, found: DialList) -> Delivery:
        """Post a list. Raises NoLiveDecision for one that has run out or is older than a day."""
        now = self.clock()
        if not found.made_at <= now < min(found.expires_at, found.made_at + LONGEST):
            raise NoLiveDecision
        content = document(found, caller=self.registered.address, identity=self.registered.identity)
        signed = {"content-type": "application/json", **headers(self._dialling.secret, found.list_id, content, now)}
        answer = await self._wire.post(self._dialling.url, content, signed)
        return _read(answer)

    def _silence(self, moment: datetime) -> datetime:
        """When the channel falls silent next."""
        here = moment.astimezone(SHANGHAI)
        silent = datetime.combine(here.date(), time.fromisoformat(self._channel.quiet_from), SHANGHAI)
        return silent if silent > here else silent + timedelta(days=1)


def document(found: DialList, *, caller: str, identity: str) -> bytes:
    """The list as it is posted (docs/formats/dial-list.md)."""
    entries = [
        {"sendId": entry.send_id, "number": entry.number, "says": entry.says, "refusal": entry.refusal, "evidence": entry.send_id}
        for entry in found.entries
    ]
    said = {"id": found.list_id, "caller": caller, "identity": identity, "entries": entries}
    return orjson.dumps(
        {**said, "madeAt": utc_text(found.made_at), "expiresAt": utc_text(found.expires_at)}, option=orjson.OPT_SORT_KEYS
    )


def _read(answer: Answer | Delivery) -> Delivery:
    """The dialler takes a list once under its id, so whatever is no yes and no clear no may be tried again."""
    if isinstance(answer, Delivery):
        return Delivery(Fate.NOT_OUT, answer.code)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivery(Fate.SENT, "ACCEPTED")
    refused = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Delivery(Fate.REFUSED, "VENDOR_REFUSED") if refused else Delivery(Fate.NOT_OUT, "VENDOR_BROKEN")
