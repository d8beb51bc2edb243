"""Execution, with the common case made short: fields that are plain attributes of the object they are asked of.

graphql-core spends 2.6 µs on every field, mostly on what only resolvers need: a path, an info object, arguments, looking for
awaitables. Here a selection set is sorted once into plain fields and the rest; plain ones (leaves, and objects and lists of
which only plain fields are asked) are read in one loop, the rest goes to graphql-core. Whatever is not plain sailing (a null
where none may be, a value that does not coerce, anything that raises) is handed back to graphql-core for that field, so that
errors are its errors, with its paths and its rules.
"""

from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from inspect import iscoroutinefunction
from operator import attrgetter
from types import CoroutineType
from typing import Any, NamedTuple, TypeGuard, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    OperationType,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet, collect_fields
from graphql.execution.executor import to_nodes
from graphql.pyutils import AwaitableOrValue, Path
from graphql.type import GraphQLResolveInfo

from schema.engine.asking import Call, learn

Read = Callable[[Any], Any]
Data = dict[str, Any]
_LISTS = (list, tuple)
_TEXTS = frozenset({"String", "ID", "PurposeKey", "FieldKey"})


class NotPlain(Exception):
    """Something in a subtree needs graphql-core: then the whole subtree does."""


class Step(NamedTuple):
    """One field of a selection set: its key in the answer, how its value is found, and what makes JSON of the value.

    Without `find` graphql-core resolves it. `textual`: a text is fit for JSON as it is.
    """

    key: str
    find: Read | None = None
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
    calls: dict[int, tuple[FieldDetailsList, Call | None, Read | None]] = field(default_factory=dict)


def is_coroutine(value: object) -> TypeGuard[Awaitable[Any]]:
    """Whether a resolver's result must be awaited: ours give coroutines or plain values and nothing else."""
    return type(value) is CoroutineType


def never(_value: object) -> TypeGuard[AsyncIterable[Any]]:
    """No resolver here gives an asynchronous iterator."""
    return False


class FieldExecutor(Executor[None]):
    """graphql-core's executor without incremental delivery, reading plain fields by itself."""

    _memory: Memory
    schema_info: Callable[..., Any]
    """The class of the info object that resolvers are given."""

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
            if len(fields) == 1:
                data = await self._only(root, *next(iter(fields.items())))
            else:
                found = self.execute_collected_root_fields(root, self.root_value, fields, serially, [])
                data = await found if is_coroutine(found) else cast("Data", found)
            return ExecutionResult(data, self.collected_errors.errors or None)
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return ExecutionResult(None, self.collected_errors.errors)

    async def _only(self, root: GraphQLObjectType, key: str, details: FieldDetailsList) -> Data:
        """The one root field that most operations have, without the ceremony for several."""
        found = self.execute_field(root, self.root_value, details, Path(None, key, root.name), None)
        return {key: await found if is_coroutine(found) else found}

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: None,
    ) -> AwaitableOrValue[Any]:
        """Ask a root field's resolver directly where that can be done; every other field is graphql-core's."""
        if path.prev is None:
            call, read = self._call(parent_type, field_details_list)
            arguments = None if call is None else call.arguments(self.variable_values.coerced)
            if call is not None and arguments is not None:
                info = self.build_resolve_info(call.definition, to_nodes(field_details_list), parent_type, path)
                asked = call.resolver(source, info=self.schema_info(_raw_info=info, _field=call.field), **arguments)
                return self._answered(asked, read, details=field_details_list, info=info)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    async def _answered(
        self, asked: Awaitable[Any], read: Read | None, *, details: FieldDetailsList, info: GraphQLResolveInfo[Any]
    ) -> Any:  # noqa: ANN401 - any field's value
        """What the resolver answers, as JSON. Errors are graphql-core's, and so is everything that is not plain."""
        try:
            found = await asked
            if found is not None and read is not None:
                with suppress(Exception):  # graphql-core meets the same again, and reports it in its own way
                    return read(found)
            completed = self.complete_value(info.return_type, details, info, info.path, found, None)
            return await completed if is_coroutine(completed) else completed
        except Exception as raw:  # noqa: BLE001 - as graphql-core does it
            self.handle_field_error(raw, info.return_type, details, info.path)
            return None

    def _call(self, parent: GraphQLObjectType, details: FieldDetailsList) -> tuple[Call | None, Read | None]:
        """How to ask a root field, kept under the place of its details (which are kept along, so that the place stays theirs)."""
        kept = self._memory.calls.get(id(details))
        if kept is None:
            definition = parent.fields.get(details[0].node.name.value)
            call = learn(definition, details[0].node) if definition is not None else None
            if call is not None and not iscoroutinefunction(call.resolver):
                call = None
            read = self._reader(_bare(call.definition.type), details) if call is not None else None
            kept = self._memory.calls[id(details)] = (details, call, read)
        return kept[1], kept[2]

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
        others = {step.key: fields[step.key] for step in steps if step.find is None}
        self._memory.plans[id(fields)] = plan = Plan(fields, steps, others)
        return plan

    def _step(self, parent_type: GraphQLObjectType, key: str, details: FieldDetailsList) -> Step:
        """How to read a field: by itself, unless it has a resolver that must be asked anew, or somebody below it has."""
        definition = parent_type.fields.get(details[0].node.name.value)
        find = _finder(definition, details) if definition is not None else None
        if definition is None or find is None:
            return Step(key)
        type_ = _bare(definition.type)
        read = self._reader(type_, details)
        if read is None:
            return Step(key)
        textual = is_leaf_type(type_) and type_.name in _TEXTS
        return Step(key, find, read, textual, not is_non_null_type(definition.type))

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


def _bare(type_: Any) -> Any:  # noqa: ANN401 - a GraphQL type, without its "!"
    return type_.of_type if is_non_null_type(type_) else type_


def _finder(definition: GraphQLField, details: FieldDetailsList) -> Read | None:
    """Where a field's value is: in an attribute, or in what a plain method says to arguments that stand in the document."""
    if not definition.args and getattr(definition.resolve, "_is_default", False):
        return attrgetter(definition.extensions["strawberry-definition"].python_name)
    call = learn(definition, details[0].node)
    if call is None or call.variables or call.field.base_resolver.info_parameter or iscoroutinefunction(call.resolver):
        return None
    return partial(_said, call.resolver, call.constants)


def _said(method: Read, constants: Data, source: object) -> Any:  # noqa: ANN401 - any field's value
    return method(source, **constants)


def _read(plan: Plan, source: object) -> tuple[Data, list[str]]:
    """The fields that are plain sailing, a place kept for everything else, and the keys of plain fields that were not."""
    data: Data = {}
    unread: list[str] = []
    for key, find, read, textual, nullable in plan.steps:
        data[key] = None
        if find is None:
            continue
        try:
            value = find(source)
            if value is not None:
                data[key] = value if textual and type(value) is str else read(value)
            elif not nullable:
                unread.append(key)
        except Exception:  # noqa: BLE001 - graphql-core meets the same exception again and reports it in its own way
            unread.append(key)
    return data, unread


def _read_whole(plan: Plan, source: object) -> Data:
    """An object of which only plain fields are asked. Raises NotPlain, or whatever a field raises.

    It is `_read` without a place for what could not be read: a page of a hundred members comes by here three hundred times.
    """
    data: Data = {}
    for key, find, read, textual, nullable in plan.steps:
        if find is None:
            raise NotPlain
        value = find(source)
        if textual and type(value) is str:
            data[key] = value
        elif value is not None:
            data[key] = read(value)
        elif nullable:
            data[key] = None
        else:
            raise NotPlain
    return data


def _read_each(one: Read, values: object, *, holes: bool) -> list[Any]:
    """A list. Raises NotPlain for anything else (a text is a sequence too), and for a hole where none may be."""
    if not isinstance(values, _LISTS) or (not holes and None in values):
        raise NotPlain
    return [None if value is None else one(value) for value in values]


async def _await(data: Data, found: Awaitable[Data]) -> Data:
    data.update(await found)
    return data
