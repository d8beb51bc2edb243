"""What a reader sees of an HTML mail: its text, and the addresses behind its links and pictures."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

_SHOWN = frozenset({"alt", "title", "value", "placeholder", "aria-label"})
_ADDRESSES = frozenset({"href", "src", "action", "background", "srcset", "formaction"})
_UNSHOWN = frozenset({"style", "script"})
_EMPTY = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|(?:font-size|opacity|max-height):0(?![.0-9]*[1-9])", re.IGNORECASE
)
_DEEPEST = 500
"""Elements within elements. Beyond that somebody wants the reading to take for ever."""
_LONGEST, _MOST_BEGUN = 8 * 1024, 16
"""Characters from a tag's beginning to the next end of one, and beginnings on that way. Python's parser takes the square of them: 100 000
characters of `<a <a <a` would stop the service for minutes.
"""
_UNSAID = re.compile(r"\s+|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """The text as it is read, and where links and pictures lead. `joined` has nothing for a tag, `spaced` a space: a tag may split a
    word or divide two. `seen` is both again without what a style hides: it tears a word apart for whoever searches, and what only it
    says nobody has been told.
    """

    joined: str
    spaced: str
    addresses: tuple[str, ...]
    seen: tuple[str, str]


def shown(html: str) -> Shown | None:
    """What is shown of this HTML; None where a parser can make nothing of it, and nobody knows what a mail program would show."""
    if not _ends(html):
        return None
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, _TooDeep):
        return None
    seen = "".join(reader.seen), " ".join(reader.seen)
    return Shown("".join(reader.pieces), " ".join(reader.pieces), tuple(reader.addresses), seen)


def _ends(html: str) -> bool:
    """Whether whatever begins as a tag ends somewhere."""
    for piece in html.split(">"):
        start = piece.find("<")
        if start >= 0 and (len(piece) - start > _LONGEST or piece.count("<") > _MOST_BEGUN):
            return False
    return True


class _TooDeep(Exception):
    """More elements are open than a mail has."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.seen: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._hidden = 0
        self.addresses: list[str] = []
        self._unshown = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unshown += tag in _UNSHOWN
        if tag not in _EMPTY:
            self._enter(tag, hides=_hides(dict(attrs)))
        self._attributes(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # <style/> opens, whatever it looks like: HTML knows no such ending.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._unshown -= tag in _UNSHOWN and self._unshown > 0
        self._leave(tag)

    def handle_data(self, data: str) -> None:
        if not self._unshown:
            self.pieces.append(data)
            if not self._hidden:
                self.seen.append(data)

    def _enter(self, tag: str, *, hides: bool) -> None:
        if len(self._open) >= _DEEPEST:
            raise _TooDeep
        self._open.append((tag, hides))
        self._hidden += hides

    def _leave(self, tag: str) -> None:
        """The nearest one of its kind ends, and whatever was left open inside it."""
        place = next((place for place in range(len(self._open) - 1, -1, -1) if self._open[place][0] == tag), None)
        if place is not None:
            self._hidden -= sum(hides for _, hides in self._open[place:])
            del self._open[place:]

    def _attributes(self, attrs: list[tuple[str, str | None]]) -> None:
        told = [f" {value} " for name, value in attrs if name in _SHOWN and value]
        self.pieces += told
        self.seen += told
        self.addresses += [value for name, value in attrs if name in _ADDRESSES and value]


def _hides(attrs: dict[str, str | None]) -> bool:
    return "hidden" in attrs or bool(_HIDING.search(_UNSAID.sub("", attrs.get("style") or "")))
