"""Resolvers, called without a detour.

Strawberry wraps every resolver in four functions that convert arguments, look for extensions and ask what may be awaited: a fifth
of a small query's cost. Where arguments are scalars and enums there is nothing to convert that graphql-core has not converted, so
the resolver is called by itself. Resolvers that take input objects keep strawberry's way, which makes objects of them.
"""

from collections.abc import Callable
from typing import Any, cast

from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type
from strawberry.types.field import StrawberryField

from schema.context import Info


def call_directly(*types: GraphQLObjectType) -> None:
    """Give the fields of these types the short way wherever it means the same."""
    for type_ in types:
        for field in type_.fields.values():
            own: StrawberryField = field.extensions["strawberry-definition"]
            if own.base_resolver is not None and all(is_leaf_type(get_named_type(given.type)) for given in field.args.values()):
                _shorten(field, own)


def _shorten(field: GraphQLField, own: StrawberryField) -> None:
    """Let graphql-core pass the arguments under their Python names, straight to the resolver."""
    names = {_graphql_name(argument.python_name): argument.python_name for argument in own.arguments}
    for name, given in field.args.items():
        given.out_name = names[name]
    assert own.base_resolver is not None
    call = cast("Callable[..., Any]", own.base_resolver.wrapped_func)
    if own.base_resolver.info_parameter is None:
        field.resolve = lambda source, _info, **given: call(source, **given)
    else:
        field.resolve = lambda source, info, **given: call(source, Info(_raw_info=info, _field=own), **given)


def _graphql_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
