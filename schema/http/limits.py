"""How much a request may ask before it is understood, let alone answered (SE-06).

Everything here is worked out without touching the database, in time that grows with the length of the text and not with what it
expands to: a fragment is measured once however often it is spread, because thirty fragments that each spread the next one twice
would otherwise cost a billion steps.
"""

import re
from collections import Counter
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

_DEEPEST = 100
"""Levels of selections, fragments included: more than any tool asks for, and few enough to be walked by recursion."""

_BOTTOMLESS = 1_000_000
Fragments = dict[str, FragmentDefinitionNode]

_BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
"""A JSON string, or a bracket outside one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that one request may be. Bytes, characters, levels, numbers.

    `repeats`: how often one selection set may name the same field. Validation compares each with each, and their selections too.
    """

    body: int = 256 * 1024
    json_depth: int = 32
    document: int = 32 * 1024
    tokens: int = 2000
    depth: int = 10
    fields: int = 250
    repeats: int = 8
    fragments: int = 40
    aliases: int = 40
    directives: int = 40
    root_fields: int = 20


@dataclass(frozen=True, slots=True)
class Size:
    """What a selection comes to with its fragments spread out. Introspection counts as fields, and not as depth."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    repeats: int = 0

    def beside(self, other: "Size") -> "Size":
        """Both selections, one after the other."""
        return Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.repeats, other.repeats),
        )


def too_deep(body: bytes, limit: int) -> bool:
    """Whether JSON nests deeper than the limit, found without parsing it: a parser may recurse where this only counts."""
    if body.count(b"{") + body.count(b"[") <= limit:
        return False
    depth = 0
    for found in _BRACKETS.finditer(body):
        first = body[found.start()]
        depth += first in b"[{"
        depth -= first in b"]}"
        if depth > limit:
            return True
    return False


def measure(document: DocumentNode) -> Size:
    """What all operations of a document come to together."""
    measured = _Measure(document)
    size = Size(directives=measured.fragment_directives)
    try:
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                size = size.beside(measured.operation(definition))
    except _Bottomless:
        return Size(depth=_BOTTOMLESS)
    return size


def broken_limit(document: DocumentNode, size: Size, limits: Limits) -> str | None:
    """The code of the first limit that a document of this size breaks, or None."""
    fragments = fragments_of(document)
    operations = (definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode))
    roots = max((len(root_fields(operation, fragments)) for operation in operations), default=0)
    found = (
        (roots > limits.root_fields, "TOO_MANY_ROOT_FIELDS"),
        (size.depth > limits.depth, "QUERY_TOO_DEEP"),
        (size.aliases > limits.aliases, "TOO_MANY_ALIASES"),
        (size.directives > limits.directives, "TOO_MANY_DIRECTIVES"),
        (size.fields > limits.fields or size.repeats > limits.repeats, "TOO_MANY_FIELDS"),
        (len(fragments) > limits.fragments, "TOO_MANY_FRAGMENTS"),
    )
    return next((code for broken, code in found if broken), None)


def fragments_of(document: DocumentNode) -> Fragments:
    """A document's fragments by name."""
    found = (definition for definition in document.definitions if isinstance(definition, FragmentDefinitionNode))
    return {fragment.name.value: fragment for fragment in found}


def root_fields(operation: OperationDefinitionNode, fragments: Fragments) -> list[FieldNode]:
    """The fields at an operation's root, fragments spread out; a fragment that is spread twice adds nothing the second time."""
    found: list[FieldNode] = []
    seen: set[str] = set()
    waiting: list[SelectionSetNode] = [operation.selection_set]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                found.append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments.keys() - seen:
                seen.add(node.name.value)
                waiting.append(fragments[node.name.value].selection_set)
    return found


class _Bottomless(Exception):
    """The selections go deeper than anybody needs, by fields, fragments or both."""


class _Measure:
    """Measures the operations of one document, each fragment once."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = fragments_of(document)
        self.fragment_directives = sum(len(fragment.directives or ()) for fragment in self._fragments.values())
        self._known: dict[str, Size] = {}
        self._level = 0

    def operation(self, operation: OperationDefinitionNode) -> Size:
        """An operation with everything that it spreads. Directives may also stand on its variables."""
        on_variables = sum(len(variable.directives or ()) for variable in operation.variable_definitions or ())
        own = Size(directives=len(operation.directives or ()) + on_variables)
        return own.beside(self._selections(operation.selection_set))

    def _selections(self, selections: SelectionSetNode | None) -> Size:
        self._level += 1
        if self._level > _DEEPEST:
            raise _Bottomless
        total = Size(repeats=_repeats(selections))
        for node in selections.selections if selections else ():
            total = total.beside(Size(directives=len(node.directives or ()))).beside(self._selection(node))
        self._level -= 1
        return total

    def _selection(self, node: SelectionNode) -> Size:
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        if not isinstance(node, FieldNode):
            return self._selections(getattr(node, "selection_set", None))
        inner = self._selections(node.selection_set)
        depth = 1 if node.name.value.startswith("__") else inner.depth + 1
        return Size(depth, inner.fields + 1, inner.aliases + (node.alias is not None), inner.directives, inner.repeats)

    def _fragment(self, name: str) -> Size:
        """A fragment's size. One that is not there, or that contains itself, comes to nothing here: validation refuses it."""
        if name not in self._known:
            self._known[name] = Size()
            if name in self._fragments:
                self._known[name] = self._selections(self._fragments[name].selection_set)
        return self._known[name]


def _repeats(selections: SelectionSetNode | None) -> int:
    """How often the most frequent answer key stands in one selection set."""
    nodes = (node for node in selections.selections if isinstance(node, FieldNode)) if selections else ()
    return max(Counter((node.alias or node.name).value for node in nodes).values(), default=0)
