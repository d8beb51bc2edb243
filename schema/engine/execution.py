"""One operation, executed: variables coerced, fields resolved, nothing left behind.

A variable that does not fit is reported by its name and by the place inside it; the value that was sent is never repeated.
"""

from collections.abc import Mapping

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, VariableDefinitionNode, default_type_resolver, type_from_ast
from graphql.execution import default_field_resolver
from graphql.execution.get_variable_signature import GraphQLVariableSignature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.pyutils import Undefined
from graphql.utilities import coerce_input_value, validate_input_value

from schema.context import Context, Info
from schema.engine.documents import Mistake, Operation
from schema.engine.executor import FieldExecutor, Memory, is_coroutine, never

_MOST_ERRORS = 20


class VariablesInvalid(Exception):
    """The variables do not fit their declared types. `mistakes` says which, and where."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("variables")
        self.mistakes = mistakes


async def execute(
    schema: GraphQLSchema, operation: Operation, variables: Mapping[str, object], context: Context
) -> ExecutionResult:
    """Data and errors of one operation. Raises VariablesInvalid before any resolver has run."""
    executor = FieldExecutor(
        schema,
        operation.definitions,
        operation.fragments,
        None,
        context,
        operation.node,
        coerced(schema, operation, variables),
        default_field_resolver,
        default_type_resolver,
        default_field_resolver,
        is_awaitable=is_coroutine,
        is_async_iterable=never,
        hide_suggestions=True,
    )
    executor.schema_info = Info
    try:
        return await executor.run(operation.memory if operation.constant else Memory())
    finally:
        # An executor holds itself by way of its helpers. Undone by hand it costs the garbage collector nothing, whose passes are
        # what the slowest requests wait for.
        vars(executor).clear()


def coerced(schema: GraphQLSchema, operation: Operation, given: Mapping[str, object]) -> VariableValues:
    """The variables as the operation declares them. Raises VariablesInvalid."""
    quick = _all_given(operation.variables, given)
    if quick is not None:
        return quick
    definitions = operation.node.variable_definitions or ()
    found = get_variable_values(schema, definitions, dict(given), _MOST_ERRORS, hide_suggestions=True)
    if isinstance(found, list):
        mistakes = [mistake for definition in definitions for mistake in _mistakes(schema, definition, given)]
        raise VariablesInvalid(tuple(mistakes[:_MOST_ERRORS]) or (Mistake("VARIABLES_INVALID", ""),))
    return found


def _all_given(declared: tuple[GraphQLVariableSignature, ...], given: Mapping[str, object]) -> VariableValues | None:
    """The variables when each is given and fits. None otherwise: graphql-core knows about defaults, and what to say."""
    sources, values = {}, {}
    for variable in declared:
        raw = given.get(variable.name, Undefined)
        value = Undefined if raw is Undefined else coerce_input_value(raw, variable.type)
        if value is Undefined:
            return None
        sources[variable.name] = VariableValueSource(variable, raw)
        values[variable.name] = value
    return VariableValues(sources, values)


def _mistakes(schema: GraphQLSchema, definition: VariableDefinitionNode, given: Mapping[str, object]) -> list[Mistake]:
    """What is wrong with one variable: each place in it that does not fit, by its path of the schema's own names."""
    name, type_ = definition.variable.name.value, type_from_ast(schema, definition.type)
    if name not in given and definition.default_value is not None:
        return []
    places: list[str] = []

    def note(_error: GraphQLError, path: list[str | int]) -> None:
        places.append("".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path))

    validate_input_value(given.get(name), type_, note, hide_suggestions=True)  # type: ignore[arg-type]
    message = "Variable '${}{}' does not fit its type '{}'."
    return [Mistake("VARIABLES_INVALID", message.format(name, place, type_)) for place in places]
