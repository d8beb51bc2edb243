"""Which fields of a member an operation wants: worked out once a root field, before anything is read.

What is not selected is neither read nor opened nor recorded, so this must see what graphql-core will see: fragments, aliases,
merged fields, @skip and @include, and keys that come in variables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from schema.context import Context, Info

MEMBER_FIELDS: Mapping[str, str] = {
    "name": "name",
    "phone": "phone",
    "email": "email",
    "wechatOpenid": "wechat_openid",
    "birthday": "birthday",
    "gender": "gender",
    "region": "region",
    "address": "address",
    "tier": "tier",
    "points": "points",
    "joinedOn": "joined_on",
    "tags": "tags",
}
"""The typed fields of Member, and the catalogue's keys behind them."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Keys of the catalogue in the order of the query, each once; `around` names what else was selected: `edges.cursor`."""

    fields: tuple[str, ...]
    around: frozenset[str]


def selected(info: Info) -> Selection:
    """What this root field wants of its member or members. A key that no catalogue has is refused behind the door, on the record."""
    memory = info.context.operation.selections
    nodes = tuple(map(id, info.raw.field_nodes))
    kept = memory.get(nodes)
    if isinstance(kept, Selection):
        return kept
    walk = _Walk(info.raw)
    found = walk.selection()
    if not walk.used_variables:
        memory[nodes] = found
    return found


@dataclass(slots=True)
class _Walk:
    """One walk over a root field's selections. What it finds holds for every request unless it met a variable."""

    info: GraphQLResolveInfo[Context]
    used_variables: bool = False
    _fields: dict[str, None] = field(default_factory=dict)
    _around: set[str] = field(default_factory=set)

    def selection(self) -> Selection:
        for node in self.info.field_nodes:
            self._look(node.selection_set, "")
        return Selection(tuple(self._fields), frozenset(self._around))

    def _look(self, selections: SelectionSetNode | None, inside: str) -> None:
        for node in self._fields_of(selections, set()):
            name = node.name.value
            if name in _WRAPPERS:
                self._around.add(inside + name)
                self._look(node.selection_set, f"{inside}{name}.")
            elif name == "attribute":
                self._fields[str(self._argument(node))] = None
            elif name in MEMBER_FIELDS:
                self._fields[MEMBER_FIELDS[name]] = None

    def _fields_of(self, selections: SelectionSetNode | None, spread: set[str]) -> Iterator[FieldNode]:
        """The fields of a selection set as execution will see them."""
        for node in selections.selections if selections else ():
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields_of(node.selection_set, spread)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                yield from self._fields_of(self.info.fragments[node.name.value].selection_set, spread)

    def _included(self, node: SelectionNode) -> bool:
        """Whether @skip and @include let the node be."""
        for directive in node.directives or ():
            if directive.name.value in {"skip", "include"}:
                held = self._argument(directive) is True
                if held is (directive.name.value == "skip"):
                    return False
        return True

    def _argument(self, node: FieldNode | DirectiveNode) -> object:
        """The value of the one argument that these take; validation has seen to it that it is there."""
        return self._value(next(argument.value for argument in node.arguments or ()))

    def _value(self, node: ValueNode) -> object:
        if isinstance(node, VariableNode):
            self.used_variables = True
            return self.info.variable_values.coerced.get(node.name.value)
        return node.value if isinstance(node, StringValueNode | BooleanValueNode) else None


_WRAPPERS = frozenset({"edges", "node", "nodes", "cursor", "pageInfo"})
