"""A reader of DER, as much of it as a time-stamp token needs: every element with its own bytes, for it is bytes that are signed."""

from dataclasses import dataclass

from menshen_verifier.errors import Malformed

_MOST_LENGTH_BYTES = 3


@dataclass(frozen=True, slots=True)
class Element:
    """One element. `raw` is all of it, `content` what stands behind its tag and length."""

    tag: int
    content: bytes
    raw: bytes

    def inside(self, tag: int) -> "list[Element]":
        """The elements in it. Raises Malformed where it is none of this tag."""
        if self.tag != tag:
            raise Malformed("DER: another element is expected here")
        return elements(self.content)


def elements(raw: bytes) -> list[Element]:
    """All elements, one after another. Raises Malformed."""
    found, at = [], 0
    while at < len(raw):
        start, length, at = at, *_length(raw, at + 1)
        if raw[start] & 0x1F == 0x1F or at + length > len(raw):
            raise Malformed("DER: cut off, or a tag of more than one byte")
        found.append(Element(raw[start], raw[at : at + length], raw[start : at + length]))
        at += length
    return found


def element(raw: bytes) -> Element:
    """The one element that these bytes are. Raises Malformed."""
    found = elements(raw)
    if len(found) != 1:
        raise Malformed("DER: not one element")
    return found[0]


def _length(raw: bytes, at: int) -> tuple[int, int]:
    """The length that stands at `at`, and where the content begins."""
    first = raw[at] if at < len(raw) else 0xFF
    if first < 0x80:
        return first, at + 1
    count = first & 0x7F
    length = int.from_bytes(raw[at + 1 : at + 1 + count], "big")
    if not 0 < count <= _MOST_LENGTH_BYTES or at + 1 + count > len(raw) or length < 0x80 or length >> 8 * (count - 1) == 0:
        raise Malformed("DER: no length, or one that is not in its shortest form")
    return length, at + 1 + count
