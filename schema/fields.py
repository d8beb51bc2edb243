"""Strawberry's decorator, typed: a resolver keeps its own type, and cannot be without a description."""

from collections.abc import Callable
from typing import TypeVar, cast

import strawberry

Resolver = TypeVar("Resolver", bound=Callable[..., object])


def field(description: str, *, shows: object = None) -> Callable[[Resolver], Resolver]:
    """Make a resolver a field of its class. `shows`: the GraphQL type under which its result is read, where that is another."""
    return cast("Callable[[Resolver], Resolver]", strawberry.field(description=description, graphql_type=shows))
