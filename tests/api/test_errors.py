"""What a client and the log are told when something goes wrong: a code, never a value."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from policies.terms import Reason
from schema.errors import WORDS
from schema.http.limits import Limits
from schema.root import schema
from service import errors
from service.web.problem import WORDS as WEB_WORDS
from tests.api.conftest import GRAPHQL_JSON, JSON, MEMBER, Recorder, code, http_to, withheld
from tests.plugins import canary

Signed = Callable[..., dict[str, str]]
ROOT = f'member(id: "{MEMBER}", purpose: "order_fulfilment")'
READ = f"{{ {ROOT} {{ name }} }}"

UNAVAILABLE = [errors.RecordUnavailable, errors.StoreUnavailable, errors.LogBroken, errors.KeyUnavailable]


@pytest.mark.parametrize("failure", UNAVAILABLE)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
async def test_what_is_away_for_now_is_a_503_without_data(
    http: httpx2.AsyncClient, signed: Signed, recorder: Recorder, failure: type[errors.ServiceError], accept: str
) -> None:
    recorder.failure = failure(canary.value("phone"))
    answer = await http.post("/graphql", json={"query": READ}, headers={"accept": accept, **signed()})
    assert (answer.status_code, code(answer)) == (503, failure.code)
    assert answer.json()["data"] is None
    assert answer.json()["errors"][0]["extensions"]["zh"] == failure.zh


async def test_what_has_been_answered_before_stays_answered(http: httpx2.AsyncClient, signed: Signed, recorder: Recorder) -> None:
    async def second_fails(call: Any, **given: Any) -> Any:
        recorder.failure = errors.RecordUnavailable() if recorder.calls else None
        return await type(recorder).member(recorder, call, **given)

    recorder.member = second_fails  # type: ignore[method-assign]
    answer = await http.post("/graphql", json={"query": f"{{ a: {ROOT} {{ id }} b: {ROOT} {{ id }} }}"}, headers=signed())
    assert answer.status_code == 200
    assert answer.json()["data"] == {"a": {"id": MEMBER}, "b": None}
    assert answer.json()["errors"][0]["path"] == ["b"]
    assert code(answer) == "RECORD_UNAVAILABLE"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (errors.Refused("PURPOSE_UNKNOWN"), "PURPOSE_UNKNOWN"),
        (errors.Refused(Reason.ROLE_NOT_ALLOWED.value), "ROLE_NOT_ALLOWED"),
        (errors.Forbidden(), "FORBIDDEN"),
        (errors.Conflict("the idempotency key was used for another request"), "CONFLICT"),
        (errors.BadInput("first: between 1 and 100", code="PAGE_SIZE_TOO_LARGE"), "PAGE_SIZE_TOO_LARGE"),
        (errors.BadInput(code="CURSOR_INVALID"), "CURSOR_INVALID"),
        (errors.BadInput("unknown field '13800138000'", code="FIELD_UNKNOWN"), "FIELD_UNKNOWN"),
    ],
)
async def test_a_refusal_is_an_error_of_its_field(
    http: httpx2.AsyncClient, signed: Signed, recorder: Recorder, failure: errors.ServiceError, expected: str
) -> None:
    recorder.failure = failure
    answer = await http.post("/graphql", json={"query": READ}, headers={"accept": GRAPHQL_JSON, **signed()})
    assert (answer.status_code, code(answer)) == (200, expected)
    (error,) = answer.json()["errors"]
    assert answer.json()["data"] == {"member": None}
    assert error["path"] == ["member"]
    assert error["locations"] == [{"line": 1, "column": 3}]
    assert error["message"] == (failure.detail if WORDS[expected].detailed else WORDS[expected].en)


class Unforeseen(Exception):
    """Something that nobody thought of."""


@pytest.mark.obligation("SE-08")
@pytest.mark.parametrize(
    "make",
    [
        Unforeseen,
        KeyError,
        RecursionError,
        errors.SealBroken,
        errors.Malformed,
        lambda value: errors.Refused(value, value),
        errors.Unauthenticated,
        lambda value: errors.Refused("PURPOSE_UNKNOWN", value),
    ],
    ids=["unforeseen", "key", "recursion", "seal", "malformed", "a value as a code", "unauthenticated", "refused"],
)
async def test_no_message_of_an_exception_reaches_client_or_log(
    http: httpx2.AsyncClient,
    signed: Signed,
    recorder: Recorder,
    caplog: pytest.LogCaptureFixture,
    make: Callable[[str], Exception],
) -> None:
    value = canary.value("phone")
    recorder.failure = make(value)
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        answer = await http.post("/graphql", json={"query": f"{{ alias: {ROOT} {{ name }} }}"}, headers=signed())
    assert value not in answer.text
    assert value not in repr(logs) + caplog.text
    (line,) = logs
    assert (line["event"], line["path"]) == ("graphql_error", "member")
    assert line["request_id"] == answer.headers["x-request-id"]


async def test_the_unforeseen_is_internal_in_both_languages(http: httpx2.AsyncClient, signed: Signed, recorder: Recorder) -> None:
    recorder.failure = Unforeseen("boom")
    answer = await http.post("/graphql", json={"query": READ}, headers=signed())
    assert (answer.status_code, code(answer)) == (500, "INTERNAL")
    assert answer.json()["errors"][0]["message"] == "Unexpected error."
    assert answer.json()["errors"][0]["extensions"]["zh"] == "服务出现意外错误。"
    assert answer.json()["data"] is None


async def test_a_value_that_does_not_fit_its_type_nulls_its_field_alone(
    http: httpx2.AsyncClient, signed: Signed, recorder: Recorder
) -> None:
    value = canary.value("phone")
    recorder.values = {"name": "高颖", "points": value}
    with capture_logs() as logs:
        answer = await http.post("/graphql", json={"query": f"{{ {ROOT} {{ name points }} }}"}, headers=signed())
    assert answer.json()["data"] == {"member": {"name": "高颖", "points": None}}
    assert code(answer) == "INTERNAL"
    assert value not in answer.text + repr(logs)


QUOTING: dict[str, tuple[str, dict[str, Any]]] = {
    "two arguments of one name": ('{{ member(id: "{value}", id: "{value}") {{ name }} }}', {}),
    "an argument of the wrong type": ("{{ members(purpose: {value}) {{ nodes {{ id }} }} }}", {}),
    "a name for a text": ("{{ member(id: {value}, purpose: oops) {{ name }} }}", {}),
    "two values": ('{{ member(id: "{value}" "{value}") {{ name }} }}', {}),
    "a text where a name belongs": ('{{ "{value}" }}', {}),
    "an unterminated text": ('{{ member(id: "{value}', {}),
    "a number that is none": ("{{ member(id: 0{value}x) {{ name }} }}", {}),
    "a default that does not fit": (
        'query ($n: Int = "{value}") {{ members(purpose: "x", first: $n) {{ nodes {{ id }} }} }}',
        {},
    ),
    "a variable of the wrong type": (
        'query ($n: Int) {{ members(purpose: "x", first: $n) {{ nodes {{ id }} }} }}',
        {"n": "{value}"},
    ),
    "a variable that is an object": (
        "query ($p: PurposeKey!) {{ members(purpose: $p) {{ nodes {{ id }} }} }}",
        {"p": {"x": "{value}"}},
    ),
    "a purpose that is none": ("query ($p: PurposeKey!) {{ members(purpose: $p) {{ nodes {{ id }} }} }}", {"p": "{value}"}),
    "a moment that is none": ('{{ consents(at: "{value}") {{ purpose }} }}', {}),
    "an unknown field of an input": (
        'mutation ($f: MemberFieldsInput!) {{ updateMember(purpose: "x", changes: $f) {{ __typename }} }}',
        {"f": {"shoe": "{value}", "birthday": "{value}", "tags": "{value}"}},
    ),
    "an enum that is none": ('mutation {{ withdrawConsent(purpose: "x", channel: "{value}") {{ __typename }} }}', {}),
}


@pytest.mark.obligation("SE-08")
@pytest.mark.parametrize(("query", "variables"), QUOTING.values(), ids=QUOTING)
@pytest.mark.parametrize("kind", ["phone", "openid", "name"])
async def test_no_message_repeats_what_the_caller_wrote(
    http: httpx2.AsyncClient, signed: Signed, recorder: Recorder, query: str, variables: dict[str, Any], kind: str
) -> None:
    value = canary.value(kind).lstrip("+")
    given = _with(variables, value)
    with capture_logs() as logs:
        body = {"query": query.format(value=value), "variables": given}
        answer = await http.post("/graphql", json=body, headers={"accept": GRAPHQL_JSON, **signed("mini_program")})
    told = answer.json()
    assert answer.status_code == 400
    assert value not in answer.text + repr(logs)
    assert {error["extensions"]["code"] for error in told["errors"]} <= {
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "VARIABLES_INVALID",
    }
    assert recorder.calls == []


def _with(given: Any, value: str) -> Any:
    if isinstance(given, dict):
        return {key: _with(inner, value) for key, inner in given.items()}
    return given.format(value=value)


async def test_a_variable_is_told_by_its_place(http: httpx2.AsyncClient, signed: Signed) -> None:
    query = 'mutation ($f: MemberFieldsInput!) { updateMember(purpose: "x", changes: $f) { __typename } }'
    variables = {"f": {"points": "many", "attributes": [{"key": "ok"}, {"key": "NOT OK"}]}}
    answer = await http.post("/graphql", json={"query": query, "variables": variables}, headers=signed())
    messages = [error["message"] for error in answer.json()["errors"]]
    assert messages == [
        "Variable '$f.points' does not fit its type 'MemberFieldsInput!'.",
        "Variable '$f.attributes[1].key' does not fit its type 'MemberFieldsInput!'.",
    ]


class TestWithoutToken:
    """Nobody's data is public; the rules are."""

    @pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
    @pytest.mark.parametrize(
        "query",
        [
            READ,
            "{ me { name } }",
            f"{{ __typename {ROOT} {{ id }} }}",
            "{ ...F } fragment F on Query { consents { purpose } }",
            '{ ... { ... on Query { m: members(purpose: "x") { nodes { id } } } } }',
            'mutation { withdrawConsent(purpose: "x", channel: WEB) { __typename } }',
        ],
    )
    async def test_a_personal_field_needs_one(
        self, http: httpx2.AsyncClient, recorder: Recorder, query: str, accept: str
    ) -> None:
        answer = await http.post("/graphql", json={"query": query}, headers={"accept": accept})
        assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "data" not in answer.json()
        assert recorder.calls == []

    @pytest.mark.obligation("SE-05")
    @pytest.mark.parametrize("token", ["x", "a.b.c", "", " "])
    async def test_a_token_that_does_not_hold_is_refused_even_where_none_is_needed(
        self, http: httpx2.AsyncClient, token: str
    ) -> None:
        answer = await http.post("/graphql", json={"query": "{ __typename }"}, headers={"authorization": f"Bearer {token}"})
        none = await http.post("/graphql", json={"query": READ})
        assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
        assert answer.json()["errors"][0]["message"] == none.json()["errors"][0]["message"]

    @pytest.mark.parametrize("selects", ["personal", "public"])
    async def test_nothing_is_decided_by_the_name_or_the_place_of_an_operation(
        self, http: httpx2.AsyncClient, recorder: Recorder, selects: str
    ) -> None:
        # Unomi let a document through when its first operation was harmless, or was called IntrospectionQuery.
        query = f"query public {{ __typename }} query personal {READ} query IntrospectionQuery {READ.replace('name', 'phone')}"
        answer = await http.post("/graphql", json={"query": query, "operationName": selects})
        also = await http.post("/graphql", json={"query": query, "operationName": "IntrospectionQuery"})
        assert answer.status_code == (401 if selects == "personal" else 200)
        assert also.status_code == 401
        assert recorder.calls == []


class TestTheTable:
    """Every code has a meaning, and everybody finds it."""

    DOCUMENT = Path(__file__).parents[2] / "docs" / "errors.md"

    def rows(self) -> dict[str, str]:
        found = re.findall(r"^\| `([A-Z_]+)` \| ([0-9]{3}) \|", self.DOCUMENT.read_text("utf-8"), re.MULTILINE)
        assert len(found) == len(dict(found)), "a code stands there twice"
        return dict(found)

    def test_the_document_has_every_code_with_its_status(self) -> None:
        assert self.rows() == {name: str(word.status) for name, word in WORDS.items()}

    def test_the_document_has_the_limits_that_hold(self) -> None:
        limits, text = Limits(), self.DOCUMENT.read_text("utf-8")
        assert f"{limits.body // 1024} KiB" in text
        assert f"{limits.document:,} characters" in text
        assert f"{limits.tokens:,} tokens" in text
        assert f"{limits.fields} fields" in text
        assert f"{limits.fragments} fragments" in text
        assert f"{limits.aliases} aliases" in text
        assert f"{limits.directives} directives" in text
        assert f"{limits.root_fields} fields at the root" in text
        assert f"{limits.json_depth} levels" in text

    def test_every_error_of_the_service_has_words(self) -> None:
        """But those that only a command or a start knows: they end it, and no request."""
        known = {
            error.code for error in vars(errors).values() if isinstance(error, type) and issubclass(error, errors.ServiceError)
        }
        commands = set(re.findall(r"^\| `([A-Z_]+)` \| (?:command|start) \|", self.DOCUMENT.read_text("utf-8"), re.MULTILINE))
        assert (known | {"FORBIDDEN"}) - commands <= WORDS.keys()
        assert not commands & WORDS.keys()

    def test_every_code_that_the_code_raises_has_words(self) -> None:
        raised = set()
        for folder in ("service", "schema"):
            for path in (Path(__file__).parents[2] / folder).rglob("*.py"):
                if {"cli", "intake"} & set(path.parts):  # these speak in a terminal
                    continue
                text = path.read_text("utf-8")
                raised |= set(re.findall(r'\b(?:Refused|Rejected|_mistake|_refuse)\((?:asking, )?"([A-Z_]+)"', text))
                raised |= set(re.findall(r'BadInput\([^)]*code="([A-Z_]+)"', text))
        assert len(raised) > 15
        assert raised <= WORDS.keys()

    def test_both_languages_say_something_and_quote_nothing(self) -> None:
        for name, word in WORDS.items():
            assert re.search(r"[\u4e00-\u9fff]", word.zh), name
            assert word.en.endswith("."), name
            assert not re.search(r"[{}%]", word.en + word.zh), name

    def test_pages_and_probes_use_the_same_codes(self) -> None:
        for status, (name, _, zh) in WEB_WORDS.items():
            assert WORDS[name].status == status
            assert zh

    async def test_strawberrys_own_path_is_silent_too(self) -> None:
        value = canary.value("email")
        with capture_logs() as logs:
            result = await schema.execute(READ, context_value=value)
        assert result.errors
        assert value not in repr(logs)
        assert [line["event"] for line in logs] == ["graphql_error"]


async def test_a_withheld_field_is_null_and_no_error(http: httpx2.AsyncClient, signed: Signed, recorder: Recorder) -> None:
    recorder.values = {"name": "高颖"}
    recorder.withheld = (withheld("email"), withheld("birthday", Reason.CONSENT_REQUIRED))
    query = f"{{ {ROOT} {{ name email birthday withheld {{ field reason purpose remedy {{ operation }} }} }} }}"
    answer = await http.post("/graphql", json={"query": query}, headers=signed())
    assert answer.json() == {
        "data": {
            "member": {
                "name": "高颖",
                "email": None,
                "birthday": None,
                "withheld": [
                    {"field": "email", "reason": "FIELD_NOT_IN_PURPOSE", "purpose": "order_fulfilment", "remedy": None},
                    {"field": "birthday", "reason": "CONSENT_REQUIRED", "purpose": "order_fulfilment", "remedy": None},
                ],
            }
        }
    }


async def test_masked_values_are_named_and_fit_their_types(http: httpx2.AsyncClient, signed: Signed, recorder: Recorder) -> None:
    recorder.values = {"phone": "138****5678", "birthday": "1990", "points": "***", "tags": "***", "notes": "***"}
    recorder.masked = frozenset(recorder.values)
    query = f'{{ {ROOT} {{ phone birthday points tags masked attribute(key: "notes") {{ key text texts masked }} }} }}'
    answer = await http.post("/graphql", json={"query": query}, headers=signed())
    assert answer.json()["data"]["member"] == {
        "phone": "138****5678",
        "birthday": "1990",
        "points": None,
        "tags": None,
        "masked": ["birthday", "notes", "phone", "points", "tags"],
        "attribute": {"key": "notes", "text": "***", "texts": None, "masked": True},
    }


async def test_no_field_of_the_catalogue_can_take_the_place_of_the_contracts_own(
    http: httpx2.AsyncClient, signed: Signed, recorder: Recorder
) -> None:
    recorder.values = {"id": "forged", "withheld": "forged", "masked": "forged", "profile": "forged"}
    answer = await http.post("/graphql", json={"query": f"{{ {ROOT} {{ id withheld {{ field }} masked }} }}"}, headers=signed())
    assert answer.json()["data"]["member"] == {"id": MEMBER, "withheld": [], "masked": []}


async def test_answers_and_errors_are_counted_by_codes_alone(
    make_endpoint: Callable[..., Any], signed: Signed, recorder: Recorder
) -> None:
    from prometheus_client import generate_latest
    from prometheus_client.registry import CollectorRegistry

    endpoint, registry = make_endpoint(), CollectorRegistry()
    registry.register(endpoint._meter)
    async with http_to(endpoint) as http:
        await http.post("/graphql", json={"query": READ}, headers=signed())
        await http.post("/graphql", json={"query": READ})
        recorder.failure = errors.StoreUnavailable()
        await http.post("/graphql", json={"query": READ}, headers=signed())
    counts = generate_latest(registry).decode()
    assert 'menshen_graphql_answers_total{status="200"} 1.0' in counts
    assert 'menshen_graphql_answers_total{status="401"} 1.0' in counts
    assert 'menshen_graphql_errors_total{code="STORE_UNAVAILABLE"} 1.0' in counts
    assert 'menshen_graphql_seconds_bucket{le="+Inf"} 3.0' in counts
    assert MEMBER not in counts
