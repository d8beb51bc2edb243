"""The smallest call of any root field, made from the schema: whatever is required has a value of its type, and a member is named."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

SCALARS = {
    "Boolean": "false",
    "Int": "1",
    "Float": "1",
    "PurposeKey": '"marketing_sms"',
    "FieldKey": '"phone"',
    "Date": '"2026-11-22"',
    "DateTime": '"2026-11-22T01:59:30Z"',
}
BY_NAME = {"purpose": '"account_service"', "sourceDigest": '"' + "0" * 64 + '"'}
"""Arguments whose form their type does not tell."""


def call(name: str, type_: GraphQLObjectType, member_id: str) -> str:
    """`name(arguments) { __typename }`."""
    field = type_.fields[name]
    named = {key for key in field.args if key in {"memberId", "id", "childId", "wardId"}}
    wanted = [key for key, given in field.args.items() if is_required_argument(given) or key in named]
    said = [f"{key}: {_value(field.args[key].type, member_id, key)}" for key in wanted]
    shown = "" if type(get_named_type(field.type)).__name__ in {"GraphQLScalarType", "GraphQLEnumType"} else " { __typename }"
    return f"{name}({', '.join(said)}){shown}" if said else f"{name}{shown}"


def _value(type_: Any, member_id: str, key: str) -> str:
    if is_non_null_type(type_):
        return _value(type_.of_type, member_id, key)
    if is_list_type(type_):
        return f"[{_value(type_.of_type, member_id, key)}]"
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        parts = {name: part for name, part in type_.fields.items() if is_required_input_field(part)}
        return "{" + ", ".join(f"{name}: {_value(part.type, member_id, name)}" for name, part in parts.items()) + "}"
    if type_.name == "ID":
        return f'"{member_id}"'
    return BY_NAME.get(key) or SCALARS.get(type_.name, '"audit-1"')
