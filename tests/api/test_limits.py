"""How much a document may ask: refused by its own code, before anybody has been asked anything (SE-06)."""

import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from graphql import get_introspection_query, parse

from schema.http.endpoint import Endpoint
from schema.http.limits import Limits, broken_limit, measure
from tests.api.conftest import GRAPHQL_JSON, MEMBER, Recorder, code, http_to

LIMITS = Limits()
ROOT = f'member(id: "{MEMBER}", purpose: "order_fulfilment")'


def nested(levels: int) -> str:
    return "{ " + "member { " * levels + "name" + " }" * levels + " }"


def doubling(levels: int) -> str:
    """Each fragment spreads the next one twice: two to the power of `levels` fields."""
    fragments = [f"fragment F{n} on Member {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return f"{{ {ROOT} {{ ...F0 }} }} {' '.join(fragments)} fragment F{levels} on Member {{ name }}"


TOO_MUCH: dict[str, tuple[str, str]] = {
    "depth": (nested(LIMITS.depth), "QUERY_TOO_DEEP"),
    "depth that overflows a parser": ("{ a " * 5000, "QUERY_TOO_DEEP"),
    "depth by inline fragments": ("{ " + "... { " * 150 + "__typename" + " }" * 151, "QUERY_TOO_DEEP"),
    "depth by a chain of fragments": (
        "{ ...F0 } "
        + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(200))
        + " fragment F200 on Query { __typename }",
        "QUERY_TOO_DEEP",
    ),
    "depth in values": (f"{{ members(purpose: {'[' * 900} ) {{ nodes {{ id }} }} }}", "QUERY_TOO_DEEP"),
    "depth by fragments": (
        "{ ...F0 } "
        + " ".join(f"fragment F{n} on Query {{ member {{ ...F{n + 1} }} }}" for n in range(15))
        + " fragment F15 on Query { a }",
        "QUERY_TOO_DEEP",
    ),
    "aliases": (f"{{ {ROOT} {{ {' '.join(f'a{n}: name' for n in range(500))} }} }}", "TOO_MANY_ALIASES"),
    "aliases in a fragment": (
        f"{{ a: {ROOT} {{ ...F }} b: {ROOT} {{ ...F }} }} fragment F on Member {{ {' '.join(f'a{n}: name' for n in range(25))} }}",
        "TOO_MANY_ALIASES",
    ),
    "aliases by doubling": (doubling(30).replace("{ name }", "{ x: name }"), "TOO_MANY_ALIASES"),
    "fields": (f"{{ {ROOT} {{ {'... { name phone } ' * 125} }} }}", "TOO_MANY_FIELDS"),
    "one field again and again": (f"{{ {ROOT} {{ {'name ' * 9} }} }}", "TOO_MANY_FIELDS"),
    "fragments": (
        f"{{ {ROOT} {{ {' '.join(f'...F{n}' for n in range(41))} }} }} "
        + " ".join(f"fragment F{n} on Member {{ name }}" for n in range(41)),
        "TOO_MANY_FRAGMENTS",
    ),
    "fields by doubling": (doubling(30), "TOO_MANY_FIELDS"),
    "root fields": (f"{{ {' '.join(f'a{n}: {ROOT} {{ id }}' for n in range(21))} }}", "TOO_MANY_ROOT_FIELDS"),
    "root fields in fragments": (
        "{ ...A ...B } "
        + " ".join(f"fragment {f} on Query {{ {' '.join(f'{f}{n}: {ROOT} {{ id }}' for n in range(11))} }}" for f in "AB"),
        "TOO_MANY_ROOT_FIELDS",
    ),
    "mutations": (
        "mutation { " + " ".join(f'a{n}: withdrawConsent(purpose: "x", channel: WEB) {{ __typename }}' for n in range(21)) + " }",
        "TOO_MANY_ROOT_FIELDS",
    ),
    "directives": (f"{{ __typename {'@include(if: true) ' * 41} }}", "TOO_MANY_DIRECTIVES"),
    "directives that do not exist": (f"{{ __typename {'@x ' * 100} }}", "TOO_MANY_DIRECTIVES"),
    "directives on an operation": (f"query {'@x ' * 41} {{ __typename }}", "TOO_MANY_DIRECTIVES"),
    "directives on a variable": (f"query ($a: Int {'@x ' * 41}) {{ __typename }}", "TOO_MANY_DIRECTIVES"),
    "directives on a fragment": (f"{{ ...F }} fragment F on Query {'@x ' * 41} {{ __typename }}", "TOO_MANY_DIRECTIVES"),
    "tokens": (f"{{ {'name ' * 2001} }}", "TOO_MANY_TOKENS"),
    "tokens in comments": ("#\n" * 5000 + "{ __typename }", "TOO_MANY_TOKENS"),
    "length": ("{ __typename }" + " " * LIMITS.document, "QUERY_TOO_LONG"),
    "length of a text": (f'{{ notice(version: "{"x" * LIMITS.document}") {{ text }} }}', "QUERY_TOO_LONG"),
}


@pytest.mark.obligation("SE-06")
@pytest.mark.parametrize(("query", "expected"), TOO_MUCH.values(), ids=TOO_MUCH)
async def test_too_much_is_refused_by_its_own_code(
    http: httpx2.AsyncClient, signed: Callable[..., dict[str, str]], recorder: Recorder, query: str, expected: str
) -> None:
    started = time.perf_counter()
    answer = await http.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL_JSON, **signed()})
    assert (answer.status_code, code(answer)) == (400, expected)
    assert recorder.calls == []
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("levels", [10, 50, 95])
def test_measuring_costs_what_the_text_is_long_and_not_what_it_comes_to(levels: int) -> None:
    document = parse(doubling(levels), max_tokens=20_000)
    started = time.perf_counter()
    assert measure(document).fields == 2**levels + 1
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    "fragment", ["fragment A on Query { ...A }", "fragment A on Query { ...B } fragment B on Query { ...A }"]
)
def test_a_fragment_that_contains_itself_is_left_to_validation(fragment: str) -> None:
    document = parse("{ ...A } " + fragment)
    assert broken_limit(document, measure(document), LIMITS) is None


async def test_a_fragment_that_contains_itself_is_refused(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"})
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_the_most_that_is_allowed_is_judged_in_no_time(
    http: httpx2.AsyncClient, signed: Callable[..., dict[str, str]]
) -> None:
    # Comparing each field with each of the same name, and their selections too, must be no way to keep the service busy.
    remedies = "remedy { operation notice } " * 3
    query = (
        f"{{ {ROOT} {{ {('withheld { ' + remedies + 'field reason } ') * 8} {'...F ' * 20} }} }} fragment F on Member {{ name }}"
    )
    started = time.perf_counter()
    answer = await http.post("/graphql", json={"query": query}, headers=signed())
    assert answer.status_code == 200
    assert time.perf_counter() - started < 2


async def test_what_tools_ask_for_is_not_too_much(http: httpx2.AsyncClient) -> None:
    for query in (get_introspection_query(), get_introspection_query(specified_by_url=True, input_value_deprecation=True)):
        answer = await http.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL_JSON})
        assert (answer.status_code, "errors" in answer.json()) == (200, False)


async def test_twelve_aliases_are_twelve_questions(
    http: httpx2.AsyncClient, signed: Callable[..., dict[str, str]], recorder: Recorder
) -> None:
    query = f"{{ {' '.join(f'a{n}: {ROOT} {{ name phone }}' for n in range(12))} }}"
    answer = await http.post("/graphql", json={"query": query}, headers=signed())
    assert len(answer.json()["data"]) == len(recorder.calls) == 12


async def test_limits_are_the_operators_to_set(make_endpoint: Callable[..., Endpoint]) -> None:
    async with http_to(make_endpoint(limits=Limits(tokens=3))) as http:
        answer = await http.post("/graphql", json={"query": "{ __typename }"})
        more = await http.post("/graphql", json={"query": "{ __typename __typename }"})
    assert answer.status_code == 200
    assert code(more) == "TOO_MANY_TOKENS"


class TestIntrospection:
    """Developers see everything; in production the schema is a file, and a spelling mistake gets no hint."""

    @pytest.mark.obligation("SE-06")
    @pytest.mark.parametrize(
        "query",
        [
            "{ __schema { queryType { name } } }",
            '{ __type(name: "Member") { name } }',
            "{ ...F } fragment F on Query { a: __schema { types { name } } }",
            get_introspection_query(),
        ],
    )
    async def test_it_is_off_in_production(
        self, make_endpoint: Callable[..., Endpoint], signed: Callable[..., dict[str, str]], query: str
    ) -> None:
        async with http_to(make_endpoint(production=True)) as http:
            for headers in ({}, signed("compliance_officer")):
                answer = await http.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL_JSON, **headers})
                assert answer.status_code == 400
                assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"INTROSPECTION_OFF"}
                assert "data" not in answer.json()

    async def test_the_public_fields_stay_open_in_production(self, make_endpoint: Callable[..., Endpoint]) -> None:
        async with http_to(make_endpoint(production=True)) as http:
            answer = await http.post("/graphql", json={"query": "{ __typename processingRules { __typename digest } }"})
        assert answer.json()["data"]["__typename"] == "Query"

    @pytest.mark.parametrize(
        "query", ['{ membr(id: "x") { name } }', f"{{ {ROOT} {{ nam }} }}", f"{{ {ROOT[:-1]}, purpos: 1) {{ name }} }}"]
    )
    async def test_a_spelling_mistake_gets_a_hint_in_development_only(
        self, make_endpoint: Callable[..., Endpoint], query: str
    ) -> None:
        told: dict[bool, Any] = {}
        for production in (False, True):
            async with http_to(make_endpoint(production=production)) as http:
                told[production] = (await http.post("/graphql", json={"query": query})).text
        assert "Did you mean" in told[False]
        assert "Did you mean" not in told[True]
