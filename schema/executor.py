"""Execution, with the common case made short: fields that are plain attributes of the object they are asked of.

graphql-core spends 2.6 µs on every field, mostly on what only resolvers need: a path, an info object, arguments, looking for
awaitables. Here a selection set is sorted once into plain fields and the rest; plain ones (leaves, and objects and lists of
which only plain fields are asked) are read in one loop, the rest goes to graphql-core. Whatever is not plain sailing (a null
where none may be, a value that does not coerce, anything that raises) is handed back to graphql-core for that field, so that
errors are its errors, with its paths and its rules.
"""

from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from types import CoroutineType
from typing import Any, NamedTuple, TypeGuard, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    OperationType,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet, collect_fields
from graphql.pyutils import AwaitableOrValue, Path

Read = Callable[[Any], Any]
Data = dict[str, Any]
_TEXTS = frozenset({"String", "ID", "PurposeKey", "FieldKey"})


class NotPlain(Exception):
    """Something in a subtree needs graphql-core: then the whole subtree does."""


class Step(NamedTuple):
    """One field of a selection set: its key in the answer, the attribute it is read from, and what makes JSON of the value.

    Without an attribute graphql-core resolves it. `textual`: a text is fit for JSON as it is.
    """

    key: str
    attribute: str | None = None
    read: Read = str
    textual: bool = False
    nullable: bool = True


class Plan(NamedTuple):
    """A selection set, sorted. It holds the set itself, so that the set's id stays its own for as long as the plan is kept."""

    fields: GroupedFieldSet
    steps: tuple[Step, ...]
    others: GroupedFieldSet


@dataclass(slots=True)
class Memory:
    """What executing an operation once has taught about it: which fields it comes to, and how they are read.

    It holds for one request, and for all of them where no @skip and no @include stands in the document.
    """

    roots: CollectedFields | None = None
    subfields: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=dict)


def is_coroutine(value: object) -> TypeGuard[Awaitable[Any]]:
    """Whether a resolver's result must be awaited: ours give coroutines or plain values and nothing else."""
    return type(value) is CoroutineType


def never(_value: object) -> TypeGuard[AsyncIterable[Any]]:
    """No resolver here gives an asynchronous iterator."""
    return False


class FieldExecutor(Executor[None]):
    """graphql-core's executor without incremental delivery, reading plain fields by itself."""

    _memory: Memory

    async def run(self, memory: Memory) -> ExecutionResult:
        """Execute the operation with what is remembered of it. Errors of fields are in the result; nothing is raised."""
        self._memory = memory
        self._relevant_sub_fields = memory.subfields
        operation = self.operation
        root = self.schema.get_root_type(operation.operation)
        assert root is not None, "validation lets no operation through whose root the schema lacks"
        serially = operation.operation is OperationType.MUTATION
        try:
            fields = self._roots(root).grouped_field_set
            found = self.execute_collected_root_fields(root, self.root_value, fields, serially, [])
            data = await found if is_coroutine(found) else cast("Data", found)
            return ExecutionResult(data, self.collected_errors.errors or None)
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return ExecutionResult(None, self.collected_errors.errors)

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: object,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: None,
    ) -> AwaitableOrValue[Data]:
        """Read what is plain, let graphql-core execute what is left, and answer in the order of the query."""
        plan = self._memory.plans.get(id(grouped_field_set)) or self._sort(parent_type, grouped_field_set)
        data, unread = _read(plan, source_value)
        rest = plan.others
        if unread:
            rest = {key: details for key, details in grouped_field_set.items() if key in unread or key in rest}
        if not rest:
            return data
        found = super().execute_fields(parent_type, source_value, path, rest, position_context)
        if is_coroutine(found):
            return _await(data, found)
        return {**data, **cast("Data", found)}

    def _roots(self, root: GraphQLObjectType) -> CollectedFields:
        memory = self._memory
        if memory.roots is None:
            memory.roots = collect_fields(
                self.schema, self.fragments, self.variable_values, root, self.operation, hide_suggestions=True
            )
        return memory.roots

    def _sort(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Plan:
        steps = tuple(self._step(parent_type, key, details) for key, details in fields.items())
        others = {step.key: fields[step.key] for step in steps if step.attribute is None}
        self._memory.plans[id(fields)] = plan = Plan(fields, steps, others)
        return plan

    def _step(self, parent_type: GraphQLObjectType, key: str, details: FieldDetailsList) -> Step:
        """How to read a field: by itself, unless it has a resolver or arguments, or somebody below it has."""
        definition = parent_type.fields.get(details[0].node.name.value)
        if definition is None or definition.args or not getattr(definition.resolve, "_is_default", False):
            return Step(key)
        nullable = not is_non_null_type(definition.type)
        type_: Any = definition.type if nullable else cast("Any", definition.type).of_type
        read = self._reader(type_, details)
        if read is None:
            return Step(key)
        attribute = definition.extensions["strawberry-definition"].python_name
        return Step(key, attribute, read, is_leaf_type(type_) and type_.name in _TEXTS, nullable)

    def _reader(self, type_: GraphQLOutputType, details: FieldDetailsList) -> Read | None:
        """What makes JSON of a value of this type, None where only graphql-core can."""
        if is_leaf_type(type_):
            return type_.coerce_output_value
        if is_list_type(type_):
            item: Any = type_.of_type
            holes = not is_non_null_type(item)
            one = self._reader(item if holes else item.of_type, details)
            return None if one is None else partial(_read_each, one, holes=holes)
        if not isinstance(type_, GraphQLObjectType) or type_.is_type_of is not None:
            return None
        plan = self._sort(type_, self.collect_subfields(type_, details).grouped_field_set)
        return None if plan.others else partial(_read_whole, plan)


def _read(plan: Plan, source: object) -> tuple[Data, list[str]]:
    """The fields that are plain sailing, a place kept for everything else, and the keys of plain fields that were not."""
    data: Data = {}
    unread: list[str] = []
    for key, attribute, read, textual, nullable in plan.steps:
        data[key] = None
        if attribute is None:
            continue
        try:
            value = getattr(source, attribute)
            if value is not None:
                data[key] = value if textual and type(value) is str else read(value)
            elif not nullable:
                unread.append(key)
        except Exception:  # noqa: BLE001 - graphql-core meets the same exception again and reports it in its own way
            unread.append(key)
    return data, unread


def _read_whole(plan: Plan, source: object) -> Data:
    """An object of which only plain fields are asked. Raises NotPlain."""
    data, unread = _read(plan, source)
    if unread:
        raise NotPlain
    return data


def _read_each(one: Read, values: object, *, holes: bool) -> list[Any]:
    """A list. Raises NotPlain for anything else (a text is a sequence too), and for a hole where none may be."""
    if not isinstance(values, list | tuple) or (None in values and not holes):
        raise NotPlain
    return [None if value is None else one(value) for value in values]


async def _await(data: Data, found: Awaitable[Data]) -> Data:
    data.update(await found)
    return data
