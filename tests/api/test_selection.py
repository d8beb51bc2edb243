"""What a query selects is what is asked for below: no field less, or it would be empty; none more, or it would be read for nobody."""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import MEMBER, Recorder

ROOT = f'member(id: "{MEMBER}", purpose: "order_fulfilment")'
Signed = Callable[..., dict[str, str]]

SELECTIONS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "plain": ("name phone", {}, ("name", "phone")),
    "the order of the query": ("phone name", {}, ("phone", "name")),
    "names of two words": ("wechatOpenid joinedOn", {}, ("wechat_openid", "joined_on")),
    "nothing of a member": ("id __typename withheld { field } masked", {}, ()),
    "an alias": ("x: name", {}, ("name",)),
    "a field as another": ("phone: name", {}, ("name",)),
    "twice the same": ("name a: name", {}, ("name",)),
    "by key": ('attribute(key: "notes") { text }', {}, ("notes",)),
    "several keys": ('a: attribute(key: "notes") { text } b: attribute(key: "skin_type") { text }', {}, ("notes", "skin_type")),
    "a key that has a place of its own": ('attribute(key: "name") { text } name', {}, ("name",)),
    "a key in a variable": ("attribute(key: $key) { text }", {"key": "notes"}, ("notes",)),
    "a fragment": ("...F", {}, ("email", "region")),
    "a fragment in a fragment": ("...G", {}, ("tier", "email", "region")),
    "an inline fragment": ("... on Member { name ... { phone } }", {}, ("name", "phone")),
    "skipped": ("name @skip(if: true) phone", {}, ("phone",)),
    "not skipped": ("name @skip(if: false)", {}, ("name",)),
    "included": ("name @include(if: true)", {}, ("name",)),
    "not included": ("name @include(if: false) phone", {}, ("phone",)),
    "both": ("name @skip(if: false) @include(if: false) phone @include(if: true) @skip(if: true) email", {}, ("email",)),
    "a variable that says yes": ("name @include(if: $yes) phone", {"yes": True}, ("name", "phone")),
    "a variable that says no": ("name @include(if: $yes) phone", {"yes": False}, ("phone",)),
    "a variable left to its default": ("name @skip(if: $no) phone", {}, ("name", "phone")),
    "a fragment that is not included": ("...F @include(if: $yes) phone", {"yes": False}, ("phone",)),
    "a fragment that is spread twice, once for nothing": ("...F @skip(if: true) ...F", {}, ("email", "region")),
}
FRAGMENTS = "fragment F on Member { email region } fragment G on Member { tier ...F }"


def document(selection: str) -> str:
    """A query with what the selection uses of variables and fragments, and no more."""
    types = {"$key": "$key: FieldKey!", "$yes": "$yes: Boolean!", "$no": "$no: Boolean! = false"}
    variables = ", ".join(text for name, text in types.items() if name in selection)
    fragments = FRAGMENTS if "...G" in selection else FRAGMENTS.partition(" fragment")[0] if "...F" in selection else ""
    return f"query Q{f'({variables})' if variables else ''} {{ {ROOT} {{ {selection} }} }} {fragments}"


@pytest.mark.parametrize(("selection", "variables", "expected"), SELECTIONS.values(), ids=SELECTIONS)
async def test_exactly_what_is_selected_is_asked_for(
    http: httpx2.AsyncClient,
    signed: Signed,
    recorder: Recorder,
    selection: str,
    variables: dict[str, Any],
    expected: tuple[str, ...],
) -> None:
    for _ in range(2):  # the second time from memory
        body = {"query": document(selection), "variables": variables}
        answer = await http.post("/graphql", json=body, headers=signed())
        assert "errors" not in answer.json()
        assert recorder.fields == expected


async def test_what_is_remembered_does_not_outlive_a_variable(
    http: httpx2.AsyncClient, signed: Signed, recorder: Recorder
) -> None:
    query = document("name @include(if: $yes) attribute(key: $key) { text }")
    for yes, key, expected in [
        (True, "notes", ("name", "notes")),
        (False, "skin_type", ("skin_type",)),
        (True, "tags", ("name", "tags")),
    ]:
        await http.post("/graphql", json={"query": query, "variables": {"yes": yes, "key": key}}, headers=signed())
        assert recorder.fields == expected


async def test_root_fields_that_merge_are_one_question(http: httpx2.AsyncClient, signed: Signed, recorder: Recorder) -> None:
    query = f"query ($yes: Boolean!) {{ {ROOT} {{ name }} {ROOT} @include(if: $yes) {{ phone }} }}"
    for yes, expected in [(True, ("name", "phone")), (False, ("name",)), (True, ("name", "phone"))]:
        await http.post("/graphql", json={"query": query, "variables": {"yes": yes}}, headers=signed())
        assert recorder.fields == expected
    assert len(recorder.calls) == 3


async def test_a_comment_cannot_hide_a_directive(http: httpx2.AsyncClient, signed: Signed, recorder: Recorder) -> None:
    # What is remembered across requests is only remembered for documents without directives, however they are written.
    query = f"query ($yes: Boolean!) {{ {ROOT} {{ name @ #\n , include(if: $yes) phone }} }}"
    for yes in (True, False, True):
        answer = await http.post("/graphql", json={"query": query, "variables": {"yes": yes}}, headers=signed())
        assert ("name" in answer.json()["data"]["member"]) is yes
        assert ("name" in recorder.fields) is yes


PAGES = {
    "nodes": ("nodes { name }", ("name",), False),
    "edges": ("edges { node { phone } }", ("phone",), False),
    "edges with cursors": ("edges { cursor node { phone } }", ("phone",), True),
    "both": ("edges { node { phone } } nodes { name }", ("phone", "name"), False),
    "only where it goes on": ("pageInfo { endCursor }", (), False),
    "in fragments": ("...C", ("email",), True),
}


@pytest.mark.parametrize(("selection", "fields", "cursors"), PAGES.values(), ids=PAGES)
async def test_a_page_asks_for_what_its_members_need(
    http: httpx2.AsyncClient, signed: Signed, recorder: Recorder, selection: str, fields: tuple[str, ...], cursors: bool
) -> None:
    fragments = "fragment C on MemberConnection { edges { ...E } } fragment E on MemberEdge { c: cursor n: node { email } }"
    query = f'{{ members(purpose: "order_fulfilment") {{ {selection} }} }} {fragments if "...C" in selection else ""}'
    answer = await http.post("/graphql", json={"query": query}, headers=signed())
    assert "errors" not in answer.json()
    assert recorder.fields == fields
    assert recorder.calls[-1][2]["edge_cursors"] is cursors


names = st.sampled_from(["name", "phone", "tier", "joinedOn", 'attribute(key:"notes") { text }', "id", "masked"])
conditions = st.sampled_from(["", "", "@skip(if: $a)", "@include(if: $a)", "@skip(if: $b)", "@include(if: $b) @skip(if: $a)"])


@st.composite
def selections(draw: st.DrawFn) -> str:
    keys = count()

    def part(depth: int) -> str:
        condition = draw(conditions)
        kind = draw(st.sampled_from(["field", "inline", "spread"] if depth < 2 else ["field"]))
        if kind == "inline":
            return f"... {condition} {{ {parts(depth + 1)} }}"
        if kind == "spread":
            return f"...F {condition}"
        name, _, rest = draw(names).partition(" ")
        return f"k{next(keys)}: {name} {condition} {rest}"

    def parts(depth: int) -> str:
        return " ".join(part(depth) for _ in range(draw(st.integers(1, 3))))

    return parts(0)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(selections(), st.booleans(), st.booleans())
async def test_what_is_answered_is_what_was_asked_for(
    http: httpx2.AsyncClient, signed: Signed, recorder: Recorder, selection: str, a: bool, b: bool
) -> None:
    """Every value has its field's name in it, so the answer tells which fields graphql-core thought were selected."""
    recorder.values = {key: key for key in ("name", "phone", "tier", "joined_on", "notes")}
    query = f"query ($a: Boolean! = false, $b: Boolean! = false) {{ x: __typename @skip(if: $a) y: __typename @skip(if: $b) {ROOT} {{ i: id {selection} }} }}"
    query += " fragment F on Member { frag: name }" if "...F" in selection else ""
    answer = await http.post("/graphql", json={"query": query, "variables": {"a": a, "b": b}}, headers=signed())
    member = answer.json()["data"]["member"]
    texts = (value["text"] if isinstance(value, dict) else value for value in member.values() if not isinstance(value, list))
    assert set(recorder.fields) == set(texts) - {MEMBER}
