"""Strangers' XML as nested mappings. No document type, no entities, no outside: each is a way to make a small body large or to read files.

Expat is asked directly, because it is the one thing in the standard library that can be told to stop at a declaration.
"""

from contextlib import suppress
from typing import NoReturn
from xml.parsers import expat

from service.errors import Malformed

Node = dict[str, "str | Node | list[str | Node]"]

_DEEPEST = 8
_MOST = 2000
"""Elements of one document. WeChat sends a dozen."""


class _Stopped(Exception):
    """The document is one that nobody sends in good faith."""


def document(raw: bytes) -> Node:
    """The root's children by tag; several of one tag are a list. Raises Malformed."""
    builder, whole = _Builder(), False
    with suppress(expat.ExpatError, _Stopped, ValueError, LookupError):
        builder.read(raw)
        whole = True
    # Outside the handler: the parser's error may quote the document.
    if not whole:
        raise Malformed("xml")
    return builder.root


class _Builder:
    """Children and text of each open element. An element with children has no text of its own."""

    def __init__(self) -> None:
        self.root: Node = {}
        self._open: list[tuple[Node, list[str]]] = []
        self._count = 0

    def read(self, raw: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _stop
        parser.EntityDeclHandler = _stop
        parser.ExternalEntityRefHandler = _stop
        parser.ProcessingInstructionHandler = _stop
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._said
        parser.Parse(raw, True)  # noqa: FBT003 - expat takes no names

    def _begin(self, _tag: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= _DEEPEST or self._count > _MOST:
            raise _Stopped
        self._open.append(({}, []))

    def _said(self, words: str) -> None:
        if self._open:
            self._open[-1][1].append(words)

    def _end(self, tag: str) -> None:
        children, words = self._open.pop()
        if not self._open:
            self.root = children
            return
        value: str | Node = children or "".join(words)
        parent = self._open[-1][0]
        before = parent.get(tag)
        if before is None:
            parent[tag] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            parent[tag] = [before, value]


def _stop(*_: object) -> NoReturn:
    raise _Stopped
