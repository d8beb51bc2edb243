"""A template becomes the words that one member sees. What was reviewed is what goes out: anything that does not fit is refused, not mended.

A variable stands for a field that the permit opens, or for a slot that Menshen fills. A member's value can be text and nothing else: it
closes no tag, adds no line to a subject, and names no variable.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from html import escape
from html.parser import HTMLParser
from typing import Final

from policies.decide import Permit
from policies.marketing import MessageClass
from policies.marketing import Sender as RegisteredSender
from policies.mask import mask
from policies.terms import Catalogue, Shape
from service.campaigns.model import TemplateBody
from service.senders.model import Unfit, WayOut, Words
from service.vault.vault import Value

SLOTS: Final = ("sender", "contact", "opt_out")
MOST_VALUE: Final = 64
MOST_SUBJECT: Final = 200
MOST_SMS: Final = 500
MOST_TEXT: Final = 100_000

_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_AD_FIRST: Final = re.compile(r"广告|AD(?![A-Za-z0-9])")
_LINE: Final = re.compile(r"([a-z_]{1,20}[0-9]{0,3})[:：][ \t]*(\S.*)", re.ASCII)
_HIDING: Final = re.compile(r"display:none|visibility:hidden|font-size:0|opacity:0", re.IGNORECASE)

Render = Callable[[str], str]


def render(
    body: TemplateBody,
    *,
    sender: RegisteredSender,
    permit: Permit,
    values: Mapping[str, Value],
    way_out: WayOut,
    catalogue: Catalogue,
    automated: bool,
) -> Words:
    """The words. `automated`: a machine picked the member, so the way out must be there whatever the class (PIPL 24(2), AD-01).

    Raises Unfit with the code of the first rule that is broken.
    """
    known = {**_fields(body, permit, values, catalogue), **_slots(sender, way_out, catalogue)}
    must = body.message_class is MessageClass.COMMERCIAL or automated
    if body.message_class is MessageClass.COMMERCIAL and not sender.variables and _own_variables(body):
        raise Unfit("VARIABLES_FORBIDDEN")
    forms: Mapping[str, Callable[[], Words]] = {
        "email": lambda: _mail(body, known, way_out, catalogue, must=must),
        "sms": lambda: _sms(body, known, sender, must=must),
        "wechat": lambda: _card(body, known),
        "phone": lambda: Words(text=_bounded(_filled(body.text, known), MOST_TEXT)),
    }
    form = forms.get(body.channel)
    if form is None:
        raise Unfit("CHANNEL_WITHOUT_FORM")
    return form()


def _fields(body: TemplateBody, permit: Permit, values: Mapping[str, Value], catalogue: Catalogue) -> dict[str, str]:
    """The member's values that the template names and the permit opens, each as text in the permit's shape."""
    known = {}
    for name in body.variables:
        shape = permit.shapes.get(name)
        if shape is not None and name in values:
            value = values[name]
            text = mask(catalogue.fields[name].mask, value) if shape is Shape.MASKED else _text(value)
            known[name] = _plain(text)
    return known


def _slots(sender: RegisteredSender, way_out: WayOut, catalogue: Catalogue) -> dict[str, str]:
    controller = catalogue.controller
    opt_out = way_out.link if sender.channel == "email" else sender.opt_out or way_out.link
    return {"sender": controller.legal_name.zh, "contact": controller.contact_email, "opt_out": opt_out}


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return "、".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain(text: str) -> str:
    """A value is one short line. Raises Unfit: whoever put a line's end into their name wanted to write a header."""
    if len(text) > MOST_VALUE or not text.strip() or not text.isprintable():
        raise Unfit("VALUE_UNFIT")
    return text


def _own_variables(body: TemplateBody) -> bool:
    return any(name not in SLOTS for name in _VARIABLE.findall(body.text))


def _filled(text: str, known: Mapping[str, str], form: Render = str) -> str:
    """Every variable by its value, in one pass: a value that looks like a variable stays text. Raises Unfit for one that is not known."""
    missing = [name for name in _VARIABLE.findall(text) if name not in known]
    if missing or "${" in _VARIABLE.sub("", text):
        raise Unfit("VARIABLE_UNKNOWN")
    return _VARIABLE.sub(lambda found: form(known[found[1]]), text)


def _bounded(text: str, most: int) -> str:
    if (
        not text.strip()
        or len(text) > most
        or any(not char.isprintable() and char not in "\r\n\t\u3000\xa0\u200b" for char in text)
    ):
        raise Unfit("TEXT_UNFIT")
    return text


def _mail(body: TemplateBody, known: Mapping[str, str], way_out: WayOut, catalogue: Catalogue, *, must: bool) -> Words:
    """Both parts name who writes and how to reach them, and have the link in sight (EM-08); the subject says 广告 first (EM-02)."""
    subject = _bounded(_filled(body.subject, known), MOST_SUBJECT)
    if body.message_class is MessageClass.COMMERCIAL and not _AD_FIRST.match(subject):
        raise Unfit("SUBJECT_NOT_MARKED")
    text = _bounded(_filled(body.text, known), MOST_TEXT)
    html = _bounded(_filled(body.html, known, lambda value: escape(value, quote=True)), MOST_TEXT)
    shown = _Shown(html, way_out.link)
    identity = (catalogue.controller.legal_name.zh, catalogue.controller.contact_email)
    if any(word not in text or word not in shown.text for word in identity):
        raise Unfit("SENDER_MISSING")
    if must and not (way_out.link in text and shown.has_link):
        raise Unfit("WAY_OUT_MISSING")
    return Words(subject=subject, text=text, html=html)


def _sms(body: TemplateBody, known: Mapping[str, str], sender: RegisteredSender, *, must: bool) -> Words:
    """The registered signature first (SMS-05), the registered opt-out sentence last (SMS-02): as they stand in the vendor's template."""
    said = _bounded(_filled(body.text, known), MOST_SMS)
    text = said if said.startswith(sender.identity) else sender.identity + said
    if not (sender.identity.startswith("【") and sender.identity.endswith("】")):
        raise Unfit("SIGNATURE_MISSING")
    if must and not (sender.opt_out and text.endswith(sender.opt_out)):
        raise Unfit("WAY_OUT_MISSING")
    named = dict.fromkeys(name for name in _VARIABLE.findall(body.text) if name not in SLOTS)
    return Words(text=_bounded(text, MOST_SMS), parameters={name: known[name] for name in named})


def _card(body: TemplateBody, known: Mapping[str, str]) -> Words:
    """One line a slot of the vendor's template, `thing1: …`. Its way out is the page that the card opens (service/senders/wechat.py)."""
    text = _bounded(_filled(body.text, known), MOST_TEXT)
    lines = [_LINE.fullmatch(line.strip()) for line in text.splitlines() if line.strip()]
    parameters = {line[1]: line[2] for line in lines if line is not None}
    if len(parameters) != len(lines):
        raise Unfit("CARD_UNFIT")
    return Words(text=text, parameters=parameters)


class _Shown(HTMLParser):
    """What of an HTML part is in sight: its text, and whether the link is among it, with words to click on."""

    def __init__(self, html: str, link: str) -> None:
        super().__init__(convert_charrefs=True)
        self._link = link
        self._open: list[tuple[str, bool, bool]] = []
        self.text = ""
        self.has_link = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what hides, and what leads to the link. Elements that never have an end hold nothing."""
        given = dict(attrs)
        style = (given.get("style") or "").replace(" ", "")
        hides = tag in {"style", "script", "head", "template", "title"} or "hidden" in given or bool(_HIDING.search(style))
        if tag not in {"br", "img", "hr", "meta", "input", "link", "col", "wbr", "area", "base", "source"}:
            self._open.append((tag, hides, tag == "a" and given.get("href") == self._link))

    def handle_endtag(self, tag: str) -> None:
        """Close the nearest one of its kind, and whatever was left open inside it."""
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        """Text that is in sight."""
        if not any(hides for _, hides, _ in self._open):
            self.text += data
            self.has_link = self.has_link or bool(data.strip() and any(leads for _, _, leads in self._open))
