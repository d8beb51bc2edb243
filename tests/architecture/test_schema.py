"""The public contract: printed, described, and never nulled by one failed mutation."""

from collections.abc import Iterator

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLNonNull, GraphQLSchema, build_schema
from graphql.type import is_introspection_type, is_specified_scalar_type

from schema import print_schema


def contract() -> GraphQLSchema:
    return build_schema(print_schema.FILE.read_text("utf-8"))


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    """Types, fields, arguments and values of which a reader would have to guess what they are."""
    for name, kind in schema.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        if not kind.description:
            yield name
        parts = kind.values if isinstance(kind, GraphQLEnumType) else getattr(kind, "fields", {})
        for part, found in parts.items():
            if not found.description:
                yield f"{name}.{part}"
            if not isinstance(kind, GraphQLInputObjectType):
                yield from (f"{name}.{part}({word}:)" for word, arg in getattr(found, "args", {}).items() if not arg.description)


def test_the_printed_schema_is_what_the_code_serves() -> None:
    assert print_schema.FILE.read_text("utf-8") == print_schema.text(), "run `make schema`, and look at what changed for clients"


def test_everything_in_the_contract_says_what_it_is() -> None:
    found = list(undescribed(contract()))
    assert not found, "\n" + "\n".join(found)


def test_whatever_says_nothing_is_caught() -> None:
    bare = build_schema('type Query { a(b: Int): E } enum E { C } "d" input I { "d" f: Int }')
    assert list(undescribed(bare)) == ["Query", "Query.a", "Query.a(b:)", "E", "E.C"]


def test_no_failed_mutation_can_null_the_others() -> None:
    mutation = contract().mutation_type
    assert mutation is not None
    assert [name for name, field in mutation.fields.items() if isinstance(field.type, GraphQLNonNull)] == []
