"""What people type where it does not belong: pure tests over a text, shared by every way in."""

import re
from unicodedata import normalize

from policies.identity_number import holds_identity_number

_CONTACT = re.compile(r"(?<!\d)(?:(?:\+|00)?86[ -]?)?1[3-9](?:[ -]?\d){9}(?!\d)|@", re.ASCII)
# Controls, and the marks that turn the direction of writing: what is shown would not be what is stored.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd-\uffff\ud800-\udfff]")


def holds_contact(text: str) -> bool:
    """Is there a mobile number or a mail address anywhere in it? Where values are not sealed, it would stand in the clear."""
    return _CONTACT.search(text if text.isascii() else normalize("NFKC", text)) is not None


def holds_unseen(text: str) -> bool:
    """Is there a character in it that nobody sees: a control, a turned direction, half of a pair?"""
    return _UNSEEN.search(text) is not None


def tells_of_somebody(text: str) -> bool:
    """Does it hold somebody's number, address or identity number, or what nobody sees? A text that is kept as it is must not: it is
    shown to people who have no purpose for it, and outlives the person's erasure.
    """
    return holds_contact(text) or holds_identity_number(text) or holds_unseen(text)
