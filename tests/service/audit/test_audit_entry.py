"""The entry: what goes in is canonical and holds no value, and no bytes whatsoever do more to the parser than be refused."""

import json
import re
import string
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier import merkle
from service.audit import grammar
from service.audit.entry import Draft, Entry, entry_of, opened, parse_entry
from service.audit.sealing import seal_entry, sixteen
from service.errors import BadInput, Malformed
from service.values import Actor, ActorKind, Call
from tests.service.audit import logs

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "audit-entry.json").read_text("utf-8"))
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ID = "01a20102-6645-71c6-80f0-794ebb4383fe"

codes = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,30}", fullmatch=True)
sixteens = st.binary(min_size=16, max_size=16).map(sixteen)
pseudonyms = sixteens.map("p1:{}".format)
texts = st.text(max_size=60)
plain = st.one_of(texts, st.integers(-grammar.BIGGEST, grammar.BIGGEST), st.booleans(), st.lists(texts, max_size=4))
keys = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)
uuids = st.uuids().map(str)
drafts = st.builds(
    Draft,
    typ=st.sampled_from(sorted(grammar.TYPES)),
    operation=codes | st.just(""),
    purpose=codes | st.just(""),
    basis=codes | st.just(""),
    subjects=st.lists(pseudonyms, max_size=6),
    fields=st.lists(codes, max_size=6).map(tuple),
    withheld=st.lists(codes, max_size=3).map(tuple),
    decision=st.sampled_from(["allow", "deny"]),
    reason=codes | st.just(""),
    count=st.none() | st.integers(0, grammar.BIGGEST),
    ref=uuids | st.just(""),
    extra=st.dictionaries(keys, plain, max_size=5),
)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64).filter(str.isprintable)
actors = st.builds(Actor, kind=st.sampled_from(ActorKind), name=names, roles=st.frozensets(codes, max_size=3))
calls = st.builds(Call, actor=actors, request_id=st.text(string.ascii_letters + string.digits + string.punctuation, max_size=64))


def sealed(draft: Draft, call: Call = logs.CLERK, **more: Any) -> Entry:
    given_: dict[str, Any] = {
        "policy": logs.POLICY,
        "address_mac": "00112233445566778899aabb",
        "writer": sixteen(bytes(16)),
        "number": 7,
        "entry_id": ID,
        "now": NOW,
        "nonce": bytes(range(16)),
    }
    return seal_entry(draft, call=call, **{**given_, **more})


def as_the_profile_says(value: Any) -> str:
    """RFC 8785 for texts, whole numbers, booleans, arrays and objects with ASCII keys, written out by hand."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(as_the_profile_says, value)) + "]"
    assert isinstance(value, dict)
    members = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
    return "{" + ",".join(f"{as_the_profile_says(key)}:{as_the_profile_says(one)}" for key, one in members) + "}"


def _escaped(character: str) -> str:
    """ECMAScript's QuoteJSONString."""
    short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return short.get(character) or (f"\\u{ord(character):04x}" if ord(character) < 0x20 else character)


@given(drafts, calls)
def test_every_entry_is_in_the_canonical_form_and_comes_back_as_it_was(draft: Draft, call: Call) -> None:
    entry = sealed(draft, call)
    found = parse_entry(entry.raw)
    assert entry.raw == as_the_profile_says(found).encode()
    assert entry.raw == json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert entry == entry_of(found, entry.raw) == opened(entry.raw)
    assert entry.leaf == merkle.leaf_hash(entry.raw)
    assert found.get("fld", []) == list(draft.fields)
    assert found.get("sub", []) == list(dict.fromkeys(draft.subjects))
    assert found.get("x", {}) == draft.extra
    assert found.get("cnt") == draft.count


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
KEYS = {
    "typ": "typ",
    "operation": "op",
    "purpose": "pur",
    "basis": "bas",
    "consent": "con",
    "decision": "dec",
    "reason": "rsn",
    "count": "cnt",
    "ref": "ref",
    "extra": "x",
}
LISTS = {
    "subjects": ("sub", re.compile(r"p1:[A-Za-z0-9_-]{21}[AQgw]")),
    "fields": ("fld", CODE),
    "withheld": ("wth", CODE),
}


@given(st.sampled_from(sorted(KEYS)), anything | codes)
def test_whatever_a_draft_holds_stands_in_the_entry_as_it_is_or_is_refused(name: str, value: Any) -> None:
    draft = logs.read()
    setattr(draft, name, value)
    try:
        entry = sealed(draft)
    except BadInput:
        assert value is not None or name in {"typ", "decision"}
        assert name not in {"operation", "purpose", "basis", "reason"} or not _has_the_form(CODE, value)
        return
    found = parse_entry(entry.raw)
    assert found.get(KEYS[name]) == (value if name == "count" else value or None)
    assert as_the_profile_says(found).encode() == entry.raw
    _holds_no_float_and_no_null(found)


@given(st.lists(anything | codes | pseudonyms, max_size=3), st.sampled_from(sorted(LISTS)))
def test_whatever_a_draft_lists_stands_in_the_entry_in_its_order_or_is_refused(values: list[Any], name: str) -> None:
    key, form = LISTS[name]
    draft = logs.read()
    setattr(draft, name, values)
    try:
        entry = sealed(draft)
    except BadInput:
        assert not all(_has_the_form(form, value) for value in values)
        return
    found = parse_entry(entry.raw)
    assert found.get(key, []) == (list(dict.fromkeys(values)) if name == "subjects" else values)
    assert as_the_profile_says(found).encode() == entry.raw
    _holds_no_float_and_no_null(found)


def _has_the_form(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _holds_no_float_and_no_null(value: Any) -> None:
    assert isinstance(value, str | bool | int | list | dict)
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _holds_no_float_and_no_null(one)


@pytest.mark.obligation("AL-04")
@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("subjects", ["+8613800138000"]),
        ("subjects", ["019aa8f2-0000-7000-8000-00000000a001"]),
        ("subjects", ["p1:AAECAwQFBgcICQoLDA0ODw", "高颖"]),
        ("subjects", ["p1:AAECAwQFBgcICQoLDA0ODx"]),
        ("fields", ("高颖",)),
        ("fields", ("13800138000",)),
        ("fields", ("a@example.com",)),
        ("purpose", "13800138000"),
        ("purpose", "给高颖寄货"),
        ("reason", "member a@example.com is unknown"),
        ("operation", "上海市徐汇区1号"),
        ("consent", "019aa8f2"),
        ("ref", "13800138000"),
        ("extra", {"phone": 1.5}),
        ("extra", {"Phone": "1"}),
        ("extra", {"电话": "1"}),
        ("extra", {"a": None}),
        ("extra", {"a": {"b": "c"}}),
        ("extra", {"a": ["b", 1]}),
        ("extra", {"a": 2**53}),
        ("extra", {"a": "x" * 4097}),
        ("extra", {"a": "\ud800"}),
        ("extra", {f"k{n}": "x" * 4000 for n in range(9)}),
        ("count", -1),
        ("count", True),
        ("subjects", [f"p1:{sixteen(n.to_bytes(16, 'big'))}" for n in range(501)]),
        ("typ", "login"),
        ("decision", "maybe"),
    ],
)
def test_there_is_no_place_for_a_value_and_none_for_what_json_readers_disagree_about(part: str, value: Any) -> None:
    draft = logs.read()
    setattr(draft, part, value)
    with pytest.raises(BadInput):
        sealed(draft)


@pytest.mark.obligation("AL-04")
def test_what_a_refused_caller_named_as_its_purpose_is_left_out_unless_it_looks_like_one() -> None:
    for named, kept in (("13800138000", None), ("给高颖寄货", None), ("no_such_purpose", "no_such_purpose")):
        draft = logs.read(purpose=named)
        draft.deny("PURPOSE_UNKNOWN")
        entry = parse_entry(sealed(draft).raw)
        assert (entry.get("pur"), entry["dec"], entry["rsn"]) == (kept, "deny", "PURPOSE_UNKNOWN")


def test_a_consent_belongs_to_one_member() -> None:
    one = logs.read(consent=ID)
    assert parse_entry(sealed(one).raw)["con"] == ID
    for subjects in ([], [logs.pseudonym(), logs.pseudonym()]):
        with pytest.raises(BadInput, match="con"):
            sealed(logs.read(consent=ID, subjects=subjects))


@pytest.mark.parametrize(
    "call",
    [
        Call(Actor(ActorKind.STAFF, "x" * 65, frozenset()), "r"),
        Call(Actor(ActorKind.STAFF, "", frozenset()), "r"),
        Call(Actor(ActorKind.STAFF, "two\nlines", frozenset()), "r"),
        Call(Actor(ActorKind.STAFF, "x", frozenset({"角色"})), "r"),
        Call(Actor(ActorKind.STAFF, "x", frozenset()), "r" * 65),
        Call(Actor(ActorKind.STAFF, "x", frozenset()), "with space"),
        Call(Actor(ActorKind.STAFF, "x", frozenset()), "r\x00"),
    ],
)
def test_a_caller_that_the_columns_cannot_hold_is_refused(call: Call) -> None:
    with pytest.raises(BadInput, match=r"act|req"):
        sealed(logs.read(), call)


def test_a_subject_that_is_named_twice_stands_once() -> None:
    first, second = logs.pseudonym(), logs.pseudonym()
    assert sealed(logs.read(subjects=[first, second, first])).subjects == (first, second)


def test_two_entries_that_say_the_same_have_different_leaves() -> None:
    draft = logs.read()
    assert sealed(draft, nonce=bytes(16)).leaf != sealed(draft, nonce=bytes(15) + b"\x01").leaf


@given(st.binary(max_size=200))
def test_bytes_are_an_entry_or_malformed_and_nothing_else(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_entry(raw)


@given(drafts, calls, st.data())
def test_an_entry_with_anything_changed_is_another_entry_or_malformed(draft: Draft, call: Call, data: st.DataObject) -> None:
    raw = bytearray(sealed(draft, call).raw)
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        found = parse_entry(bytes(raw))
    except Malformed:
        return
    assert as_the_profile_says(found).encode() == bytes(raw)


@given(anything)
def test_any_json_is_an_entry_or_malformed(value: Any) -> None:
    raw = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str).encode()
    with pytest.raises(Malformed):
        parse_entry(raw)


@given(st.sampled_from(sorted(grammar.RULES)), anything)
def test_an_entry_with_anything_under_a_key_is_an_entry_or_malformed(key: str, value: Any) -> None:
    found = parse_entry(sealed(logs.read()).raw) | {key: value}
    raw = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode(
        "utf-8", "surrogatepass"
    )
    try:
        again = parse_entry(raw)
    except Malformed:
        return
    _holds_no_float_and_no_null(again)
    assert as_the_profile_says(again).encode() == raw


def test_nesting_without_end_is_malformed() -> None:
    for opening in (b"[", b'{"a":'):
        for depth in (100, 900, 1100, 5000):
            with pytest.raises(Malformed):
                parse_entry(opening * depth)


@pytest.mark.parametrize("vector", VECTORS["entries"], ids=lambda vector: vector["comment"])
def test_the_vectors_hold(vector: dict[str, Any]) -> None:
    if vector["expect"] == "entry":
        entry = opened(vector["entry"].encode())
        assert entry.leaf.hex() == vector["leaf"]
        assert [entry.id, entry.ts, entry.typ, entry.dec, entry.actor, entry.pur, entry.req] == vector["columns"]
        assert list(entry.subjects) == vector["subjects"]
    else:
        assert vector["expect"] == "Malformed"
        with pytest.raises(Malformed):
            parse_entry(vector["entry"].encode() if "entry" in vector else bytes.fromhex(vector["hex"]))


@pytest.mark.parametrize("vector", VECTORS["drafts"], ids=lambda vector: vector["comment"])
def test_drafts_become_the_bytes_of_the_vectors(vector: dict[str, Any]) -> None:
    given_ = vector["draft"]
    draft = Draft(**{**given_, "fields": tuple(given_.get("fields", ())), "withheld": tuple(given_.get("withheld", ()))})
    actor = vector["actor"]
    call = Call(Actor(ActorKind(actor["kind"]), actor["name"], frozenset(actor["roles"])), vector["request_id"])
    entry = seal_entry(
        draft,
        call=call,
        policy=vector["policy"],
        address_mac=vector["address"],
        token_mac=vector.get("token", ""),
        writer=vector["writer"],
        number=vector["number"],
        entry_id=vector["id"],
        now=datetime.fromisoformat(vector["now"]),
        nonce=bytes.fromhex(vector["nonce"]),
    )
    assert entry.raw.decode() == vector["entry"]
