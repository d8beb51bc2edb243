"""What a reader sees of an HTML mail: its text, and the addresses behind its links and pictures."""

from dataclasses import dataclass
from html.parser import HTMLParser

_SHOWN = frozenset({"alt", "title", "value", "placeholder", "aria-label"})
_ADDRESSES = frozenset({"href", "src", "action", "background", "srcset", "formaction"})
_UNSHOWN = frozenset({"style", "script"})


@dataclass(frozen=True, slots=True)
class Shown:
    """The text as it is read, and where links and pictures lead. `joined` has nothing for a tag, `spaced` a space: a tag may split a
    word or divide two.
    """

    joined: str
    spaced: str
    addresses: tuple[str, ...]


def shown(html: str) -> Shown | None:
    """What is shown of this HTML; None where a parser can make nothing of it, and nobody knows what a mail program would show."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:
        return None
    return Shown("".join(reader.pieces), " ".join(reader.pieces), tuple(reader.addresses))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.addresses: list[str] = []
        self._unshown = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unshown += tag in _UNSHOWN
        self._attributes(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # <style/> opens, whatever it looks like: HTML knows no such ending.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._unshown -= tag in _UNSHOWN and self._unshown > 0

    def handle_data(self, data: str) -> None:
        if not self._unshown:
            self.pieces.append(data)

    def _attributes(self, attrs: list[tuple[str, str | None]]) -> None:
        self.pieces += [f" {value} " for name, value in attrs if name in _SHOWN and value]
        self.addresses += [value for name, value in attrs if name in _ADDRESSES and value]
