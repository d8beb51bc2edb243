"""What may not stand in a message (MK-03, MK-06, MK-07), each with the article that it rests on. Pure: words in, objections out.

It finds what can be found by looking. What it lets through still needs a person's eye (product, promise 9).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import HeaderRegistry
from urllib.parse import unquote

from policies.marketing import MessageClass, Sender
from policies.markup import Shown, shown
from policies.objections import Objection, ObjectionCode, objection
from policies.searching import plain, words_in
from policies.terms import Brand, Controller
from policies.wording import Listed, Slot, Wording

__all__ = ["Objection", "ObjectionCode", "Words", "banner_objections", "marked_as_advertising", "objections"]

# `${name}` is ours; `{1}`, `{{name}}` and `#name#` are vendors' own ways of writing a variable.
_OURS = re.compile(r"\$\{([^{}]*)\}")
_THEIRS = re.compile(r"\{+\s*(\w+)[^{}]*\}+|#([A-Za-z0-9_]{1,40})#")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'，。；）】]+|\b[\w-]+(?:\.[\w-]+)+/[^\s<>\"'，。；）】]*", re.IGNORECASE)
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_HEADERS = HeaderRegistry()
_SENTENCES = re.compile(r"[。！？!?\n；;]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one template. `long_term`: a WeChat template of the kind that is asked for once and used for ever (WX-05)."""

    message_class: MessageClass
    channel: str
    text: str
    subject: str = ""
    html: str = ""
    variables: tuple[str, ...] = ()
    long_term: bool = False

    @property
    def commercial(self) -> bool:
        """Whether it promotes something; only then must it say how to refuse."""
        return self.message_class is MessageClass.COMMERCIAL

    @property
    def slots(self) -> frozenset[str]:
        """Every variable that is declared, or stands in the words."""
        ours = {name.strip() for name in _OURS.findall("\n".join((self.subject, self.text, self.html)))}
        theirs = {first or second for first, second in _THEIRS.findall(f"{self.subject}\n{self.text}")}
        return frozenset(self.variables) | ours | theirs


@dataclass(frozen=True, slots=True)
class _Part:
    """One part as a reader sees it: `readings` are the ways in which its letters can be put together, `seen` those of them in which
    something counts as said.
    """

    place: str
    readings: tuple[str, ...]
    addresses: tuple[str, ...]
    seen: tuple[str, ...]


def objections(
    words: Words, sender: Sender | None, brand: Brand | None, controller: Controller, wording: Wording
) -> tuple[Objection, ...]:
    """Everything that speaks against these words, in a fixed order; nothing: they may be submitted. `sender` None: not registered."""
    html = shown(words.html) if words.html else Shown("", "", (), ("", ""))
    parts = _parts(words, html)
    found = [
        *([] if html is not None else [objection(ObjectionCode.HTML_UNREADABLE, "html")]),
        *_sender(words, sender, brand),
        *_forbidden(parts, wording),
        *_gifts(parts, wording),
        *_subscribing(parts, wording),
        *(_commercial(words, parts, sender, _Names(sender, brand, controller), wording) if words.commercial else ()),
        *(() if words.commercial else _promotion(words, parts, wording)),
        *_channel(words, sender),
    ]
    return tuple(dict.fromkeys(found))


def _parts(words: Words, html: Shown | None) -> tuple[_Part, ...]:
    subject = _decoded(words.subject) or words.subject
    page = html or Shown(words.html, words.html, (), (words.html, words.html))
    readings = tuple(dict.fromkeys((page.joined, page.spaced, *page.seen)))
    return (
        _Part("subject", (subject,), tuple(_ADDRESS.findall(subject)), (subject,)),
        _Part("text", (words.text,), tuple(_ADDRESS.findall(words.text)), (words.text,)),
        _Part("html", readings, (*page.addresses, *_ADDRESS.findall(page.spaced)), page.seen),
    )


def _decoded(subject: str) -> str | None:
    """The subject as a mail program shows it, encoded words and all (RFC 2047); None where it cannot be told."""
    try:
        return str(_HEADERS("Subject", _FOLD.sub("", subject)))
    except (HeaderParseError, LookupError, ValueError):
        return None


def marked_as_advertising(subject: str, prefixes: Iterable[str]) -> bool:
    """Whether the subject, decoded, begins with the mark (EM-02), from its very first character. ADIDAS does not begin with AD."""
    text = _decoded(subject)
    if text is None or any(ord(letter) < 32 for letter in text):
        return False
    return any(text.startswith(prefix) and not _goes_on(prefix, text[len(prefix) :]) for prefix in prefixes)


def _goes_on(prefix: str, rest: str) -> bool:
    return prefix.isascii() and rest[:1].isascii() and rest[:1].isalnum()


def _sender(words: Words, sender: Sender | None, brand: Brand | None) -> Iterable[Objection]:
    if sender is None:
        yield objection(ObjectionCode.SENDER_UNKNOWN, "sender")
    elif (
        sender.channel != words.channel or words.message_class not in sender.classes or brand is None or brand.key != sender.brand
    ):
        yield objection(ObjectionCode.SENDER_UNFIT, "sender", sender.key)


def _forbidden(parts: Iterable[_Part], wording: Wording) -> Iterable[Objection]:
    return _words(parts, wording.forbidden, ObjectionCode.FORBIDDEN_WORD)


def _words(parts: Iterable[_Part], listed: Listed, code: ObjectionCode) -> Iterable[Objection]:
    return [objection(code, part.place, word) for part in parts for text in part.readings for word in words_in(listed, text)]


def _gifts(parts: Iterable[_Part], wording: Wording) -> Iterable[Objection]:
    """A gift that is named in one part is described in that same part: who reads the text may never see the HTML."""
    for part in parts:
        if any(words_in(wording.gifts, text) for text in part.readings):
            for term, named in wording.gift_terms.items():
                if not any(words_in(Listed(named), text) for text in part.seen):
                    yield objection(ObjectionCode.GIFT_TERMS_MISSING, part.place, term)


def _subscribing(parts: Iterable[_Part], wording: Wording) -> Iterable[Objection]:
    """Somebody subscribes for what they will get to read, and not for a present (WX-06)."""
    for part in parts:
        for sentence in _SENTENCES.split("\n".join(part.readings)):
            rewards = words_in(Listed(wording.rewards, wording.subscribing.unless), sentence)
            if rewards and words_in(wording.subscribing, sentence):
                yield objection(ObjectionCode.REWARD_FOR_SUBSCRIBING, part.place, rewards[0])


def _promotion(words: Words, parts: Iterable[_Part], wording: Wording) -> Iterable[Objection]:
    """Under the name of a service, or of an incident, nothing is sold (MK-06, ADV-02): such a message asks for no consent."""
    yield from _words(parts, wording.promotion, ObjectionCode.PROMOTION_IN_SERVICE)
    for part in parts:
        for link in wording.links:
            if any(link in plain(unquote(address)) for address in part.addresses):
                yield objection(ObjectionCode.COUPON_LINK_IN_SERVICE, part.place, link)
    for name in sorted(words.slots):
        if wording.campaign_slots & set(re.split(r"[^a-z]+", plain(name))):
            yield objection(ObjectionCode.CAMPAIGN_SLOT_IN_SERVICE, "variables", name)


class _Names:
    """What counts as having said it, slot by slot: Menshen's own variable, or the words themselves."""

    def __init__(self, sender: Sender | None, brand: Brand | None, controller: Controller) -> None:
        names = [controller.legal_name.zh, controller.legal_name.en]
        names += [brand.title.zh, brand.title.en] if brand else []
        names += [sender.identity] if sender else []
        contacts = [controller.contact_email, controller.contact_phone]
        said = {Slot.SENDER: names, Slot.CONTACT: contacts, Slot.OPT_OUT: [sender.opt_out] if sender else []}
        self._said: Mapping[Slot, tuple[str, ...]] = {slot: tuple(filter(None, words)) for slot, words in said.items()}

    def said(self, slot: Slot, part: _Part) -> bool:
        """Whether this part says it where a reader sees it, or follows a link to it."""
        ways = (f"${{{slot}}}", *self._said[slot])
        return any(way in text for way in ways for text in (*part.seen, *part.addresses))


def _commercial(
    words: Words, parts: tuple[_Part, ...], sender: Sender | None, names: _Names, wording: Wording
) -> Iterable[Objection]:
    for part in parts[1:] if words.html else parts[1:2]:
        for slot in sorted(wording.slots.get(words.channel, frozenset(Slot))):
            if not names.said(slot, part):
                yield objection(ObjectionCode.SLOT_MISSING, part.place, slot)
    if words.channel == "email" and not marked_as_advertising(words.subject, wording.subject_prefixes):
        yield objection(ObjectionCode.SUBJECT_UNMARKED, "subject")
    if sender is not None and sender.opt_out and not words.text.endswith(sender.opt_out):
        yield objection(ObjectionCode.OPT_OUT_MISSING, "text", sender.opt_out)
    if sender is not None and not sender.variables and words.slots:
        yield objection(ObjectionCode.VARIABLES_FORBIDDEN, "variables", ", ".join(sorted(words.slots)))


def _channel(words: Words, sender: Sender | None) -> Iterable[Objection]:
    if words.channel == "sms" and sender is not None and not words.text.startswith(sender.identity):
        yield objection(ObjectionCode.SIGNATURE_MISSING, "text", sender.identity)
    if words.long_term:
        yield objection(ObjectionCode.LONG_TERM_FORBIDDEN, "kind")


_BANNER: Mapping[str, object] = {"closable": True, "closeClicks": 1, "countdown": 0, "reshowAfterClose": False}


def banner_objections(banner: Mapping[str, object]) -> tuple[Objection, ...]:
    """What is wrong with the closing of a pop-up, as a front end configures it (ADV-01). What is not said is wrong, and so is a yes that
    is a number.
    """
    wrong = [key for key, value in _BANNER.items() if type(banner.get(key)) is not type(value) or banner[key] != value]
    return tuple(objection(ObjectionCode.BANNER_CLOSING, "banner", key) for key in wrong)
