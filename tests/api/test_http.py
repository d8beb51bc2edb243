"""HTTP around GraphQL: methods, media types, bodies, headers. Whatever is wrong with a request is a clear error and reaches nobody."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.http.endpoint import Endpoint
from schema.http.limits import Limits, too_deep
from schema.http.wire import answer_type, takes_body
from tests.api.conftest import GRAPHQL_JSON, JSON, Recorder, code, http_to

TYPENAME = {"query": "{ __typename }"}


async def post(http: httpx2.AsyncClient, body: Any, **headers: str) -> httpx2.Response:
    """POST bytes as they are, and everything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await http.post("/graphql", content=raw, headers={"content-type": JSON, **headers})


BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "BAD_JSON"),
    "half an object": (b'{"query": "{ __typename }', "BAD_JSON"),
    "no JSON": (b"query { __typename }", "BAD_JSON"),
    "another encoding": ('{"query": "{ __typename }", "x": "门神"}'.encode("gb18030"), "BAD_JSON"),
    "a lone surrogate": (b'{"query": "\\ud800"}', "BAD_JSON"),
    "a NaN": (b'{"query": NaN}', "BAD_JSON"),
    "a text": (b'"{ __typename }"', "BAD_REQUEST"),
    "a number": (b"7", "BAD_REQUEST"),
    "null": (b"null", "BAD_REQUEST"),
    "true": (b"true", "BAD_REQUEST"),
    "a batch": (b'[{"query": "{ __typename }"}]', "BATCHING_OFF"),
    "an empty batch": (b"[]", "BATCHING_OFF"),
    "a batch of numbers": (b"[1]", "BATCHING_OFF"),
    "no query": (b"{}", "BAD_REQUEST"),
    "an empty query": (b'{"query": ""}', "BAD_REQUEST"),
    "a query that is null": (b'{"query": null}', "BAD_REQUEST"),
    "a query that is a number": (b'{"query": 7}', "BAD_REQUEST"),
    "a query that is a list": (b'{"query": ["{ __typename }"]}', "BAD_REQUEST"),
    "variables that are a text": (b'{"query": "{ __typename }", "variables": "{}"}', "BAD_REQUEST"),
    "variables that are a list": (b'{"query": "{ __typename }", "variables": []}', "BAD_REQUEST"),
    "an operation name that is a number": (b'{"query": "{ __typename }", "operationName": 7}', "BAD_REQUEST"),
    "extensions that are a text": (b'{"query": "{ __typename }", "extensions": "x"}', "BAD_REQUEST"),
    "a deep array": (
        b'{"query": "{ __typename }", "variables": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        "JSON_TOO_DEEP",
    ),
    "a deep object": (b'{"a":' * 40_000 + b"1" + b"}" * 40_000, "JSON_TOO_DEEP"),
    "a deep array alone": (b"[" * 200_000, "JSON_TOO_DEEP"),
}


@pytest.mark.obligation("SE-06")
@pytest.mark.parametrize(("body", "expected"), BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_bad_body_is_a_clear_400(http: httpx2.AsyncClient, recorder: Recorder, body: bytes, expected: str) -> None:
    answer = await post(http, body)
    assert (answer.status_code, code(answer)) == (400, expected)
    assert recorder.calls == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["query", "variables", "operationName", "extensions", "x"]), inner, max_size=5)
        ),
        max_leaves=12,
    )
)
async def test_no_json_whatever_it_says_is_a_server_error(http: httpx2.AsyncClient, body: Any) -> None:
    answer = await post(http, body)
    assert answer.status_code < 500
    assert answer.json().keys() <= {"data", "errors"}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300))
async def test_no_body_whatever_its_bytes_is_a_server_error(http: httpx2.AsyncClient, body: bytes) -> None:
    answer = await post(http, body)
    assert (answer.status_code, code(answer)) in {
        (400, "BAD_JSON"),
        (400, "BAD_REQUEST"),
        (400, "BATCHING_OFF"),
        (400, "JSON_TOO_DEEP"),
    }


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet='{}[]()@$:!"#. \n\\_aq0mutationfragment,-', max_size=80))
async def test_no_document_whatever_it_says_is_a_server_error(http: httpx2.AsyncClient, text: str) -> None:
    answer = await post(http, {"query": text}, accept=GRAPHQL_JSON)
    assert answer.status_code in {200, 400, 401}


class TestTooLarge:
    """256 KiB, however it is sent."""

    async def test_a_declared_length_is_enough_to_be_refused(self, http: httpx2.AsyncClient) -> None:
        answer = await post(http, b'{"query": "' + b"x" * Limits().body + b'"}')
        assert (answer.status_code, code(answer)) == (413, "BODY_TOO_LARGE")

    async def test_a_stream_is_cut_off_where_it_becomes_too_long(self, endpoint: Endpoint) -> None:
        sent, taken = [], 0

        async def receive() -> dict[str, Any]:
            nonlocal taken
            taken += 65_536
            return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        await endpoint({"type": "http", "method": "POST", "headers": headers, "query_string": b""}, receive, send)
        assert sent[0]["status"] == 413
        assert taken <= Limits().body + 65_536

    @pytest.mark.parametrize("length", [b"-1", b"1e9", b"many", b"99999999999999999999"])
    async def test_a_length_that_is_none_is_refused(self, endpoint: Endpoint, length: bytes) -> None:
        sent = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}"}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await endpoint({"type": "http", "method": "POST", "headers": headers, "query_string": b""}, receive, send)
        assert sent[0]["status"] == 413

    async def test_a_body_below_the_limit_may_come_in_pieces(self, endpoint: Endpoint) -> None:
        pieces = [b'{"query":', b' "{ __type', b'name }"}']
        sent = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        await endpoint({"type": "http", "method": "POST", "headers": headers, "query_string": b""}, receive, send)
        assert sent[0]["status"] == 200
        assert sent[1]["body"] == b'{"data":{"__typename":"Query"}}'

    async def test_a_client_that_hangs_up_is_answered_nothing(self, endpoint: Endpoint) -> None:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        await endpoint({"type": "http", "method": "POST", "headers": headers, "query_string": b""}, receive, send)
        assert sent == []


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=gb18030",
        "application/jsonp",
        "text/json",
    ],
)
async def test_what_a_web_page_could_post_across_sites_is_not_read(
    http: httpx2.AsyncClient, signed: Callable[..., dict[str, str]], recorder: Recorder, content_type: str
) -> None:
    # Of these types a browser sends some without asking the server first, and a user's cookies or network place would go along.
    headers = {"content-type": content_type, **signed()}
    answer = await http.post("/graphql", content=b'{"query": "{ me { name } }"}', headers=headers)
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert recorder.calls == []


async def test_a_compressed_body_is_not_unpacked(http: httpx2.AsyncClient) -> None:
    answer = await post(http, TYPENAME, **{"content-encoding": "gzip"})
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
async def test_other_methods_are_refused_with_what_would_do(http: httpx2.AsyncClient, method: str) -> None:
    answer = await http.request(method, "/graphql")
    assert (answer.status_code, code(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, POST, OPTIONS"


class TestGet:
    """Queries may come in the address; changes may not."""

    async def test_a_query_is_answered(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get(
            "/graphql", params={"query": "query A { __typename } query B { b: __typename }", "operationName": "B"}
        )
        assert (answer.status_code, answer.json()) == (200, {"data": {"b": "Query"}})

    async def test_variables_come_as_json(self, http: httpx2.AsyncClient) -> None:
        query = "query ($yes: Boolean!) { __typename @include(if: $yes) }"
        answer = await http.get("/graphql", params={"query": query, "variables": '{"yes": false}'})
        assert answer.json() == {"data": {}}

    @pytest.mark.obligation("AL-05")
    async def test_a_mutation_is_refused_before_anybody_hears_of_it(
        self, http: httpx2.AsyncClient, signed: Callable[..., dict[str, str]], recorder: Recorder
    ) -> None:
        query = 'mutation { withdrawConsent(purpose: "marketing_sms", channel: WEB) { __typename } }'
        answer = await http.get("/graphql", params={"query": query}, headers=signed("mini_program"))
        assert (answer.status_code, code(answer)) == (405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "POST"
        assert recorder.calls == []

    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            ({}, "BAD_REQUEST"),
            ({"query": "{ __typename }", "variables": "{"}, "BAD_JSON"),
            ({"query": "{ __typename }", "variables": "[]"}, "BAD_REQUEST"),
            ({"query": "{ __typename }", "variables": "[" * 100}, "JSON_TOO_DEEP"),
            ({"query": "{ __typename }", "extensions": "7"}, "BAD_REQUEST"),
        ],
    )
    async def test_bad_parameters_are_a_clear_400(self, http: httpx2.AsyncClient, params: dict[str, str], expected: str) -> None:
        answer = await http.get("/graphql", params=params)
        assert (answer.status_code, code(answer)) == (400, expected)

    @pytest.mark.parametrize("query", ["query=%ff", "query=%E0%A4%A", "&".join(["a=1"] * 50)])
    async def test_a_query_string_that_does_not_decode_is_a_400(self, http: httpx2.AsyncClient, query: str) -> None:
        answer = await http.get(f"/graphql?{query}")
        assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")

    async def test_a_document_id_is_not_taken_for_a_browser(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/graphql", params={"documentId": "sha256:abc"}, headers={"accept": "*/*"})
        assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


class TestMediaTypes:
    """Both media types of GraphQL over HTTP: the one tells failure by status, the other by the body alone."""

    @pytest.mark.parametrize(
        ("accept", "expected"),
        [
            (None, JSON),
            ("*/*", JSON),
            ("application/*", JSON),
            ("application/json", JSON),
            ("application/json; charset=utf-8", JSON),
            (GRAPHQL_JSON, GRAPHQL_JSON),
            (f"{GRAPHQL_JSON}; charset=utf-8, application/json; charset=utf-8", GRAPHQL_JSON),
            (f"application/json, {GRAPHQL_JSON}", GRAPHQL_JSON),
            (f"{GRAPHQL_JSON};q=0.5, application/json;q=0.9", JSON),
            (f"{GRAPHQL_JSON};q=0, */*", JSON),
            ("text/html, */*;q=0.1", JSON),
            ("APPLICATION/JSON", JSON),
        ],
    )
    async def test_the_answer_is_of_the_type_that_was_asked_for(
        self, http: httpx2.AsyncClient, accept: str | None, expected: str
    ) -> None:
        headers = {"accept": accept} if accept is not None else {}
        http.headers.pop("accept", None)
        answer = await http.post("/graphql", json=TYPENAME, headers=headers)
        assert answer.headers["content-type"] == f"{expected}; charset=utf-8"
        assert answer.json() == {"data": {"__typename": "Query"}}

    @pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml;q=1", "application/json;q=0", "*/*;q=0"])
    async def test_a_type_that_is_not_spoken_is_not_acceptable(self, http: httpx2.AsyncClient, accept: str) -> None:
        answer = await post(http, TYPENAME, accept=accept)
        assert (answer.status_code, code(answer)) == (406, "NOT_ACCEPTABLE")

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
            ({"query": "{ nobody }"}, "GRAPHQL_VALIDATION_FAILED"),
            ({"query": "query ($x: String!) { __type(name: $x) { name } }", "variables": {"x": None}}, "VARIABLES_INVALID"),
            ({"query": "query A { __typename } query B { __typename }"}, "OPERATION_NOT_FOUND"),
            ({"query": "query A { __typename }", "operationName": "B"}, "OPERATION_NOT_FOUND"),
        ],
    )
    async def test_a_request_error_has_no_data_and_a_status_by_type(
        self, http: httpx2.AsyncClient, body: dict[str, Any], expected: str
    ) -> None:
        new = await post(http, body, accept=GRAPHQL_JSON)
        old = await post(http, body, accept=JSON)
        assert (new.status_code, code(new)) == (400, expected)
        assert (old.status_code, code(old)) == (200, expected)
        assert "data" not in new.json()

    @given(st.binary(max_size=60))
    def test_no_accept_header_is_an_exception(self, raw: bytes) -> None:
        assert answer_type(raw) in {None, b"application/json", b"application/graphql-response+json"}
        assert takes_body(raw) in {True, False}


class TestHeaders:
    """What every answer carries, good or bad."""

    @pytest.mark.parametrize("body", [TYPENAME, {"query": "{"}, {}, b"["])
    async def test_no_answer_is_kept_guessed_at_framed_or_told(self, http: httpx2.AsyncClient, body: Any) -> None:
        headers = (await post(http, body)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"

    @pytest.mark.parametrize(
        "given_id", ["0199a0f0-1111-7222-8333-444455556666", "4bf92f3577b34da6a3ce929d0e0e4736", "01JD3QZV5T8XKM9N2R4S6W7Y0B"]
    )
    async def test_a_request_id_of_the_callers_is_kept(self, http: httpx2.AsyncClient, given_id: str) -> None:
        answer = await post(http, {"query": "{"}, **{"x-request-id": given_id})
        assert answer.headers["x-request-id"] == given_id
        assert answer.json()["errors"][0]["extensions"]["requestId"] == given_id

    @pytest.mark.obligation("SE-08", "WX-08")
    @pytest.mark.parametrize(
        "given_id", ["13800138000", "oX3f9Kc2a7YqB1dWmPzL0nTgRvEs", "a@example.com", "x" * 200, "", "../../etc"]
    )
    async def test_what_may_be_a_phone_number_or_an_openid_is_no_request_id(
        self, http: httpx2.AsyncClient, given_id: str
    ) -> None:
        answer = await post(http, TYPENAME, **{"x-request-id": given_id})
        assert answer.headers["x-request-id"] != given_id
        assert len(answer.headers["x-request-id"]) == 36


@pytest.mark.parametrize("name", ["authorization", "content-type", "x-request-id"])
async def test_a_header_that_decides_something_may_not_be_there_twice(
    http: httpx2.AsyncClient, signed: Callable[..., dict[str, str]], recorder: Recorder, name: str
) -> None:
    right = {"content-type": JSON, "x-request-id": "0199a0f0-1111-7222-8333-444455556666", **signed()}
    headers = [*right.items(), (name, right[name])]
    answer = await http.post("/graphql", content=b'{"query": "{ me { name } }"}', headers=headers)
    assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")
    assert recorder.calls == []


class TestCors:
    """Another site's page reads nothing, unless it is on the list."""

    async def test_without_a_list_nobody_is_let_in(self, http: httpx2.AsyncClient) -> None:
        answer = await post(http, TYPENAME, origin="https://shop.example.cn")
        assert not [name for name in answer.headers if name.startswith("access-control-allow-origin")]

    async def test_who_is_on_the_list_is_let_in_and_nobody_else(self, make_endpoint: Callable[..., Endpoint]) -> None:
        async with http_to(make_endpoint(origins=["https://shop.example.cn"])) as http:
            friend = await post(http, TYPENAME, origin="https://shop.example.cn")
            stranger = await post(http, TYPENAME, origin="https://shop.example.cn.evil.example")
        assert friend.headers["access-control-allow-origin"] == "https://shop.example.cn"
        assert "access-control-allow-origin" not in stranger.headers
        assert friend.headers["vary"] == stranger.headers["vary"] == "origin"
        assert "access-control-allow-credentials" not in friend.headers

    async def test_a_browser_may_ask_first(self, make_endpoint: Callable[..., Endpoint]) -> None:
        async with http_to(make_endpoint(origins=["https://shop.example.cn"])) as http:
            answer = await http.options("/graphql", headers={"origin": "https://shop.example.cn"})
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-methods"] == "GET, POST"
        assert "authorization" in answer.headers["access-control-allow-headers"]


class TestWebSockets:
    """There are no subscriptions."""

    @pytest.mark.parametrize("protocols", [["graphql-ws"], ["graphql-transport-ws"], []])
    async def test_a_handshake_is_refused(self, endpoint: Endpoint, protocols: list[str]) -> None:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await endpoint({"type": "websocket", "subprotocols": protocols, "headers": []}, receive, send)
        assert [message["type"] for message in sent] == ["websocket.close"]


@given(st.binary(max_size=200), st.integers(0, 20))
def test_the_depth_of_json_is_counted_as_a_parser_would(raw: bytes, limit: int) -> None:
    # Brackets inside of texts do not nest; whatever is not JSON at all may be judged either way, as long as it is judged.
    assert too_deep(b'{"a": "' + raw.replace(b"\\", b"").replace(b'"', b"") + b'"}', 1) is False
    assert too_deep(b"[" * (limit + 1), limit) is True
    assert too_deep(b"[" * limit + b"]" * limit, limit) is False
    assert too_deep(b"[]" * 50 + b"{}" * 50, 1) is False
