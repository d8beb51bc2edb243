"""What must hold for senders and channels: whoever writes is registered, fits the channel, and can be told to stop."""

import re
from collections.abc import Callable

from policies.loading import faults
from policies.loading.problems import Findings
from policies.marketing import MessageClass, Sender, Vendor
from policies.replies import ReplyKind, reply
from policies.terms import Brand, Catalogue, Channel, LookupKind

_MARKETING, _CHANNELS, _WORDING = "marketing.toml", "channels.toml", "wording.toml"
SMS = "sms"
_SPEAKS = {
    Vendor.SMTP: "email",
    Vendor.ALIYUN: SMS,
    Vendor.TENCENT: SMS,
    Vendor.WECHAT: "wechat",
    Vendor.DIALLER: "phone",
}
_ADDRESS = {
    "email": r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]+",
    SMS: r"[0-9]{5,21}",
    "wechat": r"wx[0-9a-f]{16}",
    "phone": r"\+?[0-9]{3,20}",
}
_SIGNATURE = r"【[^【】\s]{1,20}】"


def weigh_marketing(catalogue: Catalogue, findings: Findings) -> None:
    """Every rule over every sender and every channel."""
    for sender in catalogue.senders.values():
        for sender_rule in _SENDER_RULES:
            sender_rule(sender, catalogue, findings)
    for channel in catalogue.channels.values():
        _address_field(channel, catalogue, findings)
        _quiet_hours(channel, findings)
    _ports(catalogue, findings)
    _slots(catalogue, findings)


def _place(sender: Sender, key: str) -> str:
    return f"senders.{sender.key}.{key}"


def _channel(sender: Sender, catalogue: Catalogue, findings: Findings) -> None:
    """The channel exists, and the vendor's protocol reaches it."""
    if findings.spoiled(_MARKETING, _place(sender, "channel"), _place(sender, "vendor")) or findings.spoiled(_CHANNELS):
        return
    if sender.channel not in catalogue.channels:
        findings.add(_MARKETING, _place(sender, "channel"), faults.CHANNEL_UNKNOWN, name=sender.channel)
    elif _SPEAKS[sender.vendor] != sender.channel:
        findings.add(
            _MARKETING, _place(sender, "vendor"), faults.VENDOR_CHANNEL, vendor=sender.vendor, channel=_SPEAKS[sender.vendor]
        )


def _brand(sender: Sender, catalogue: Catalogue, findings: Findings) -> None:
    """The brand exists; over WeChat it writes from its own mini-program, because an openid means nothing to another."""
    if findings.spoiled(_MARKETING, _place(sender, "brand")) or findings.touched("controller.toml", "brands"):
        return
    brand = next((brand for brand in catalogue.controller.brands if brand.key == sender.brand), None)
    if brand is None:
        findings.add(_MARKETING, _place(sender, "brand"), faults.BRAND_UNKNOWN, name=sender.brand)
    elif sender.vendor is Vendor.WECHAT and not _fits(sender, brand, findings):
        findings.add(_MARKETING, _place(sender, "address"), faults.SENDER_APPID, name=brand.key)


def _fits(sender: Sender, brand: Brand, findings: Findings) -> bool:
    return sender.address == brand.wechat_appid or findings.spoiled(_MARKETING, _place(sender, "address"))


def _classes(sender: Sender, _: Catalogue, findings: Findings) -> None:
    """SMS-04: a port for services sends nothing commercial."""
    if sender.channel == SMS and MessageClass.COMMERCIAL in sender.classes and len(sender.classes) > 1:
        findings.add(_MARKETING, _place(sender, "classes"), faults.SENDER_CLASSES)


def _form(sender: Sender, _: Catalogue, findings: Findings) -> None:
    """SMS-05: a number, a mailbox, an appid, and for SMS a signature in its brackets."""
    form = _ADDRESS.get(sender.channel, ".+")
    if sender.address and not re.fullmatch(form, sender.address):
        findings.add(_MARKETING, _place(sender, "address"), faults.FORM, form=form)
    if sender.channel == SMS and sender.identity.strip() and not re.fullmatch(_SIGNATURE, sender.identity):
        findings.add(_MARKETING, _place(sender, "identity"), faults.FORM, form=_SIGNATURE)


def _opt_out(sender: Sender, catalogue: Catalogue, findings: Findings) -> None:
    """SMS-02: the sentence is there, and whoever replies as it says is understood."""
    place = _place(sender, "opt_out")
    if sender.channel != SMS or MessageClass.COMMERCIAL not in sender.classes or findings.spoiled(_MARKETING, place):
        return
    channel = catalogue.channels.get(sender.channel)
    if not sender.opt_out.strip():
        findings.add(_MARKETING, place, faults.OPT_OUT_MISSING)
    elif channel and not any(_understood(sender.opt_out[at:], channel) for at in range(len(sender.opt_out))):
        findings.add(_MARKETING, place, faults.OPT_OUT_UNHEARD)


def _understood(ending: str, channel: Channel) -> bool:
    return reply(ending, channel.opt_out_words).kind is not ReplyKind.UNKNOWN


def _ports(catalogue: Catalogue, findings: Findings) -> None:
    """SMS-04 again: one number under two names would be both kinds of port."""
    seen: set[str] = set()
    for sender in (sender for sender in catalogue.senders.values() if sender.channel == SMS and sender.address):
        if sender.address in seen:
            findings.add(_MARKETING, _place(sender, "address"), faults.DUPLICATE, name=sender.address)
        seen.add(sender.address)


def _address_field(channel: Channel, catalogue: Catalogue, findings: Findings) -> None:
    """A refusal is kept by the keyed hash of the address (RD-06): without a lookup there is none, and nobody could ever say no."""
    place = f"channels.{channel.key}.address"
    if findings.spoiled(_CHANNELS, place) or findings.spoiled("fields.toml", f"fields.{channel.address}.lookup"):
        return
    field = catalogue.fields.get(channel.address)
    if field is None:
        findings.add(_CHANNELS, place, faults.FIELD_UNKNOWN)
    elif field.lookup is LookupKind.NONE:
        findings.add(_CHANNELS, place, faults.ADDRESS_LOOKUP)


def _quiet_hours(channel: Channel, findings: Findings) -> None:
    """From 21:00 until 21:00 would be all day to one reader and never to another."""
    places = (f"channels.{channel.key}.quiet_from", f"channels.{channel.key}.quiet_until")
    if channel.quiet_from == channel.quiet_until and not findings.spoiled(_CHANNELS, *places):
        findings.add(_CHANNELS, places[1], faults.QUIET_HOURS_EMPTY)


def _slots(catalogue: Catalogue, findings: Findings) -> None:
    """Each channel has a line for what its commercial messages must say, and no line is for a channel that is none."""
    if findings.spoiled(_WORDING, "slots") or findings.spoiled(_CHANNELS):
        return
    for key in catalogue.channels.keys() - catalogue.wording.slots.keys():
        findings.add(_WORDING, f"slots.{key}", faults.KEY_MISSING)
    for key in catalogue.wording.slots.keys() - catalogue.channels.keys():
        findings.add(_WORDING, f"slots.{key}", faults.CHANNEL_UNKNOWN, name=key)


_SENDER_RULES: tuple[Callable[[Sender, Catalogue, Findings], None], ...] = (_form, _channel, _brand, _classes, _opt_out)
