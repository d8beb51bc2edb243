"""A field's resolver, asked directly: what strawberry and graphql-core find out at every call is found out once.

Holds for resolvers of ours whose arguments are plain scalars, each a variable or a constant in the document. Everything else, and
whatever is out of the ordinary (a variable that was not given, a null where none may be), stays with graphql-core.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from graphql import FieldNode, GraphQLArgument, GraphQLError, GraphQLField, VariableNode, is_non_null_type, is_scalar_type
from graphql.execution.values import VariableValues, coerce_argument
from strawberry.types.fields.resolver import StrawberryResolver

Resolver = Callable[..., Any]
_NO_VARIABLES = VariableValues({}, {})


class Call(NamedTuple):
    """How a resolver is called. `variables`: the parameter, the variable it comes from, whether null is refused."""

    definition: GraphQLField
    field: Any
    resolver: Resolver
    constants: dict[str, Any]
    variables: tuple[tuple[str, str, bool], ...]

    def arguments(self, given: dict[str, Any]) -> dict[str, Any] | None:
        """The arguments, or None where graphql-core should look at them."""
        arguments = dict(self.constants)
        for name, variable, required in self.variables:
            value = given.get(variable)
            if value is None and (required or variable not in given):
                return None
            arguments[name] = value
        return arguments


def learn(definition: GraphQLField | None, node: FieldNode) -> Call | None:
    """How to call the resolver behind a field, None where it takes more than plain scalars."""
    field = None if definition is None else definition.extensions.get("strawberry-definition")
    method: StrawberryResolver[Any] | None = getattr(field, "base_resolver", None)
    if definition is None or field is None or method is None or field.extensions or field.permission_classes:
        return None
    names = {_shown(argument): argument.python_name for argument in method.arguments}
    given = {argument.name.value: argument for argument in node.arguments or ()}
    constants: dict[str, Any] = {}
    variables = []
    for name, argument in definition.args.items():
        said = given.get(name)
        if not _is_plain(argument) or name not in names:
            return None
        if said is not None and isinstance(said.value, VariableNode):
            variables.append((names[name], said.value.name.value, is_non_null_type(argument.type)))
            continue
        held: dict[str, Any] = {}
        try:
            coerce_argument(held, node, name, argument, said, _NO_VARIABLES, None, hide_suggestions=True)
        except GraphQLError:
            return None
        constants.update((names[name], value) for value in held.values())
    return Call(definition, field, cast("Resolver", method.wrapped_func), constants, tuple(variables))


def _is_plain(argument: GraphQLArgument) -> bool:
    type_: Any = argument.type
    return is_scalar_type(type_.of_type if is_non_null_type(type_) else type_)


def _shown(argument: Any) -> str:  # noqa: ANN401 - strawberry's argument carries no useful type
    first, *rest = argument.python_name.split("_")
    return str(argument.graphql_name or first + "".join(part.capitalize() for part in rest))
