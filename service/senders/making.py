"""From leave to message: open what the permit opens, write the words, make the link, and note what is about to be handed over."""

from collections.abc import Mapping
from hashlib import sha256

import orjson

from policies.marketing import Sender as RegisteredSender
from policies.terms import Catalogue
from service.errors import BadInput
from service.gate.model import Cleared
from service.members.commands import default_appid
from service.senders import store
from service.senders.model import Message, Record, Unfit, WayOut, Words
from service.senders.rendering import render
from service.subscriptions.links import Link, make
from service.unit import Unit
from service.vault.normalise import normalise
from service.vault.value import Value

_CONTENT = b"menshen/message-content/v1\0"


def made(unit: Unit, cleared: Cleared, sender: RegisteredSender, *, public_url: str, mailbox: str) -> Message:
    """The message. The unit's entry tells which fields were opened for it. Raises Unfit."""
    catalogue, body, content = unit.catalogue, cleared.template.body, cleared.campaign.content
    values = unit.vault.open(cleared.permit, cleared.keys, cleared.row.sealed)
    unit.draft.fields = tuple(sorted(values))
    to = _address(values, catalogue, content.channel)
    way_out = _way_out(unit, cleared, sender, public_url=public_url, mailbox=mailbox)
    words = render(
        body,
        sender=sender,
        permit=cleared.permit,
        values=values,
        way_out=way_out,
        catalogue=catalogue,
        automated=content.audience.automated,
    )
    return Message(
        cleared=cleared,
        cleared_at=unit.now,
        send_id=cleared.send_id,
        member_id=cleared.member_id,
        channel=content.channel,
        template_digest=cleared.template.digest,
        sender=sender,
        vendor_template=body.vendor_template,
        to=to,
        words=words,
        way_out=way_out,
    )


async def noted(unit: Unit, message: Message) -> None:
    """Write down what is about to be handed over (SMS-06)."""
    channel = unit.catalogue.channels[message.channel]
    record = Record(
        send_id=message.send_id,
        sender=message.sender.key,
        code=message.sender.address,
        address_mark=unit.vault.mark(channel.address, message.to),
        content_digest=content_digest(message.words, message.way_out),
        template_id=message.cleared.template.template_id,
        template_version=message.cleared.template.version,
        handed_at=unit.now,
    )
    await store.add_record(unit.session, message.member_id, unit.new_id(), record)


def content_digest(words: Words, way_out: WayOut) -> bytes:
    """SHA-256 over the words as they were seen (docs/formats/message-content.md); the link, which is never the same, is `${opt_out}`."""
    seen = {name: getattr(words, name).replace(way_out.link, "${opt_out}") for name in ("subject", "text", "html")}
    return sha256(_CONTENT + orjson.dumps(seen, option=orjson.OPT_SORT_KEYS)).digest()


def _address(values: Mapping[str, Value], catalogue: Catalogue, channel: str) -> str:
    """Where to, in the one spelling by which suppressions know it. Raises Unfit."""
    field = catalogue.fields[catalogue.channels[channel].address]
    value = values.get(field.key)
    if not isinstance(value, str):
        raise Unfit("ADDRESS_MISSING")
    try:
        return normalise(field.normaliser, value, appid=default_appid(catalogue))
    except BadInput:
        raise Unfit("ADDRESS_UNFIT") from None


def _way_out(unit: Unit, cleared: Cleared, sender: RegisteredSender, *, public_url: str, mailbox: str) -> WayOut:
    content = cleared.campaign.content
    link = Link(cleared.member_id, content.channel, content.topic, content.brand, cleared.send_id, unit.now)
    token = make(unit.vault, link)
    return WayOut(link=f"{public_url}/u/{token}", mailbox=mailbox, token=token, sentence=sender.opt_out)
