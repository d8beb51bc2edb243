"""Execution, with the common case made short: a field that is a plain attribute of the object it is asked of.

graphql-core spends 2.6 µs on every field, mostly on what only resolvers need: a path, an info object, arguments, looking for
awaitables. Here a selection set is sorted once into plain leaves and the rest; leaves are read and coerced in one loop, the rest
goes to graphql-core. Whatever is not plain sailing (a null where none may be, a value that does not coerce, anything that raises)
is handed back to graphql-core for that field, so that errors are its errors, with its paths and its rules.
"""

from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from types import CoroutineType
from typing import Any, NamedTuple, TypeGuard, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLField,
    GraphQLList,
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
from graphql.type import GraphQLResolveInfo

Coerce = Callable[[Any], Any]
Data = dict[str, Any]
_TEXTS = frozenset({"String", "ID", "PurposeKey", "FieldKey"})


class Step(NamedTuple):
    """One field of a selection set: its key in the answer, and how it is read; without an attribute graphql-core resolves it.

    `textual`: a text is fit for JSON as it is, and need not be coerced.
    """

    key: str
    attribute: str | None = None
    coerce: Coerce = str
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
    """graphql-core's executor without incremental delivery, reading plain leaves by itself."""

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
        """Read the leaves, let graphql-core execute what is left, and answer in the order of the query."""
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

    def complete_list_value(  # noqa: PLR0917 - graphql-core's signature
        self,
        return_type: GraphQLList[Any],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,  # noqa: ANN401 - graphql-core's signature
        position_context: None,
    ) -> AwaitableOrValue[list[Any]]:
        """A list of objects of which only leaves are asked is read in one loop; any other is graphql-core's."""
        plan = self._list_plan(return_type, field_details_list)
        if plan is not None and isinstance(result, list | tuple):
            read = [_read(plan, item) for item in result if item is not None]
            if len(read) == len(result) and not any(unread for _, unread in read):
                return [data for data, _ in read]
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _list_plan(self, return_type: GraphQLList[Any], field_details_list: FieldDetailsList) -> Plan | None:
        """How to read a list's items, or None where they are no objects, or more than their leaves is asked."""
        item = return_type.of_type.of_type if is_non_null_type(return_type.of_type) else return_type.of_type
        if not isinstance(item, GraphQLObjectType) or item.is_type_of is not None:
            return None
        fields = self.collect_subfields(item, field_details_list).grouped_field_set
        plan = self._memory.plans.get(id(fields)) or self._sort(item, fields)
        return None if plan.others else plan

    def _roots(self, root: GraphQLObjectType) -> CollectedFields:
        memory = self._memory
        if memory.roots is None:
            memory.roots = collect_fields(
                self.schema, self.fragments, self.variable_values, root, self.operation, hide_suggestions=True
            )
        return memory.roots

    def _sort(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Plan:
        steps = tuple(_step(key, parent_type.fields.get(details[0].node.name.value)) for key, details in fields.items())
        others = {step.key: fields[step.key] for step in steps if step.attribute is None}
        self._memory.plans[id(fields)] = plan = Plan(fields, steps, others)
        return plan


def _read(plan: Plan, source: object) -> tuple[Data, list[str]]:
    """The leaves that are plain sailing, a place kept for everything else, and the keys of leaves that are not plain sailing."""
    data: Data = {}
    unread: list[str] = []
    for key, attribute, coerce, textual, nullable in plan.steps:
        data[key] = None
        if attribute is None:
            continue
        try:
            value = getattr(source, attribute)
            if value is not None:
                data[key] = value if textual and type(value) is str else coerce(value)
            elif not nullable:
                unread.append(key)
        except Exception:  # noqa: BLE001 - graphql-core meets the same exception again and reports it in its own way
            unread.append(key)
    return data, unread


async def _await(data: Data, found: Awaitable[Data]) -> Data:
    data.update(await found)
    return data


def _step(key: str, definition: GraphQLField | None) -> Step:
    """How to read a field: by itself, unless it has a resolver, arguments or fields of its own."""
    if definition is None or definition.args or not getattr(definition.resolve, "_is_default", False):
        return Step(key)
    nullable = not is_non_null_type(definition.type)
    type_: Any = definition.type if not is_non_null_type(definition.type) else definition.type.of_type
    coerce = _coerce(type_)
    if coerce is None:
        return Step(key)
    attribute = definition.extensions["strawberry-definition"].python_name
    return Step(key, attribute, coerce, type_.name in _TEXTS if is_leaf_type(type_) else False, nullable)


def _coerce(type_: GraphQLOutputType) -> Coerce | None:
    if is_leaf_type(type_):
        return type_.coerce_output_value
    item = type_.of_type if is_list_type(type_) else None
    leaf: Any = item.of_type if is_non_null_type(item) else None
    if not is_leaf_type(leaf):
        return None
    return partial(_coerce_each, leaf.coerce_output_value)


def _coerce_each(coerce: Coerce, values: object) -> list[Any]:
    """A list of leaves. Raises TypeError for anything else: a text is a sequence too, of its characters."""
    if not isinstance(values, list | tuple):
        raise TypeError
    return [coerce(value) for value in values]
