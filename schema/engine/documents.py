"""Documents: parsed, measured and validated once by their text, and kept.

Parsing and validating costs twenty times what executing costs, so a text that was judged is kept with its verdict, a good one
and a bad one alike. One cache does what two of strawberry's extensions would do, without running their hooks in every request.

No message here repeats more than names: a literal in a query may be somebody's phone number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    ValidationContext,
    ValuesOfCorrectTypeRule,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature

from schema.engine.executor import Memory
from schema.http.limits import Limits, broken_limit, fragments_of, measure, root_fields

_KEPT = 256
_MOST_ERRORS = 20
_EXPECTED = re.compile(r"Expected [A-Za-z]+|Expected '[^'\w]{1,3}'")
PUBLIC = frozenset(
    {"__typename", "__schema", "__type", "processingRules", "notice", "collectedDataList", "sharedDataList", "subscriptionTopics"}
)
"""Root fields that nobody's data stands behind: they are answered without a token (LB-06)."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with a document, in words that hold nothing of anybody's."""

    code: str
    message: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a document, ready to be executed as often as one likes.

    `public`: it reads nobody's data. `constant`: it has no directive, so that what was worked out in one request holds in all of
    them, and is kept in `memory` and `selections`.
    """

    node: OperationDefinitionNode
    definitions: dict[str, FragmentDefinitionNode]
    fragments: dict[str, FragmentDetails]
    variables: tuple[GraphQLVariableSignature, ...]
    public: bool
    constant: bool
    memory: Memory = field(default_factory=Memory)
    selections: dict[tuple[int, ...], object] = field(default_factory=dict)

    @property
    def mutates(self) -> bool:
        """Whether it may change anything. A query by its own word that calls a mutation is not valid."""
        return self.node.operation is not OperationType.QUERY


@dataclass(frozen=True, slots=True)
class Document:
    """A text as it was judged: its operations by name, or what is wrong with it."""

    operations: Mapping[str | None, Operation]
    mistakes: tuple[Mistake, ...] = ()

    def operation(self, name: str | None) -> Operation | None:
        """The operation that was asked for. Of several, none is taken because it stands first."""
        if name is None:
            return next(iter(self.operations.values())) if len(self.operations) == 1 else None
        return self.operations.get(name)


class Documents:
    """The judge of one schema in one mode, with a bounded memory."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, production: bool) -> None:
        self._schema = schema
        self._limits = limits
        self._production = production
        rules = [QuietValues if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules]
        self._rules = [*rules, NoIntrospection] if production else rules
        self.read = lru_cache(_KEPT)(self._judge)

    def _judge(self, text: str) -> Document:
        if len(text) > self._limits.document:
            return _bad(_mistake("QUERY_TOO_LONG"))
        try:
            parsed = parse(text, max_tokens=self._limits.tokens)
        except GraphQLSyntaxError as error:
            return _bad(_unparsed(error))
        size = measure(parsed)
        code = broken_limit(parsed, size, self._limits)
        if code is not None:
            return _bad(_mistake(code))
        errors = validate(self._schema, parsed, self._rules, _MOST_ERRORS, hide_suggestions=self._production)
        return _invalid(errors) if errors else self._good(parsed, constant=size.directives == 0)

    def _good(self, parsed: DocumentNode, *, constant: bool) -> Document:
        definitions = fragments_of(parsed)
        fragments = {name: FragmentDetails(definition) for name, definition in definitions.items()}
        operations = {}
        for node in parsed.definitions:
            if isinstance(node, OperationDefinitionNode):
                public = all(found.name.value in PUBLIC for found in root_fields(node, definitions))
                declared = (get_variable_signature(self._schema, variable) for variable in node.variable_definitions or ())
                variables = tuple(variable for variable in declared if not isinstance(variable, GraphQLError))
                name = node.name.value if node.name else None
                operations[name] = Operation(node, definitions, fragments, variables, public, constant)
        return Document(operations)


class QuietValues(ValuesOfCorrectTypeRule):
    """The rule for literals, telling the type that was expected and not the value that was found."""

    context: ValidationContext

    def report_error(self, error: GraphQLError) -> None:
        """Report the place and the type only."""
        expected = self.context.get_input_type() or self.context.get_parent_input_type()
        super().report_error(GraphQLError(f"Expected a value of type '{expected}'.", error.nodes))


class NoIntrospection(NoSchemaIntrospectionCustomRule):
    """The rule against introspection, with a code that a client can tell from a spelling mistake."""

    def report_error(self, error: GraphQLError) -> None:
        """Report it under its code."""
        super().report_error(GraphQLError(error.message, error.nodes, extensions={"code": "INTROSPECTION_OFF"}))


def _bad(*mistakes: Mistake) -> Document:
    return Document({}, mistakes)


def _mistake(code: str) -> Mistake:
    return Mistake(code, "")


def _unparsed(error: GraphQLSyntaxError) -> Mistake:
    """Where it does not parse, and which kind of token was expected; never the token that was found."""
    if error.description.startswith("Document contains more than"):
        return _mistake("TOO_MANY_TOKENS")
    if error.description.startswith("Document is nested"):
        return _mistake("QUERY_TOO_DEEP")
    expected = _EXPECTED.match(error.description)
    message = f"Syntax error. {expected[0]}." if expected else "Syntax error."
    return _placed("GRAPHQL_PARSE_FAILED", message, error)


def _invalid(errors: list[GraphQLError]) -> Document:
    """What validation found. Where introspection is off, that is the answer: the rest would tell of the schema."""
    if any((error.extensions or {}).get("code") == "INTROSPECTION_OFF" for error in errors):
        return _bad(_mistake("INTROSPECTION_OFF"))
    return _bad(*(_placed("GRAPHQL_VALIDATION_FAILED", error.message, error) for error in errors))


def _placed(code: str, message: str, error: GraphQLError) -> Mistake:
    place = error.locations[0] if error.locations else None
    return Mistake(code, message, place.line, place.column) if place else Mistake(code, message)
