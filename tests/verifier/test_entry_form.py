"""Entries as a stranger reads them: exactly those that the service's own reader takes, and the quick expression takes none that it refuses."""

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier.bulk import Reader
from menshen_verifier.entry import RULES, Facts, facts_of, parse_entry, widely
from menshen_verifier.errors import Malformed
from menshen_verifier.form import TYPES
from service.audit import grammar
from service.audit.entry import parse_entry as parse_as_the_service_does
from service.errors import Malformed as MalformedOfTheService
from tests.vectors.reading import cases
from tests.verifier.exporting import entries

ENTRIES = entries(60)


def ours(raw: bytes) -> dict[str, Any] | None:
    with contextlib.suppress(Malformed):
        return parse_entry(raw)
    return None


def theirs(raw: bytes) -> dict[str, Any] | None:
    with contextlib.suppress(MalformedOfTheService):
        return parse_as_the_service_does(raw)
    return None


def agreed(raw: bytes) -> None:
    found = ours(raw)
    assert found == theirs(raw)
    if widely(raw) is not None:
        assert found is not None
    if found is None:
        with pytest.raises(Malformed):
            facts_of(raw)
    else:
        facts = facts_of(raw)
        said = (facts.number, facts.ts.decode(), facts.typ.decode(), facts.writer.decode())
        assert said == (found["s"], found["ts"], found["typ"], found["w"])
    read_alike([raw])


SEEN = Reader()
"""One that remembers what all tests had it read."""


def read_alike(raws: list[bytes]) -> None:
    """A bundle is read as its entries are one by one, whatever stands beside them and whatever was read before."""
    told = [known(raw) for raw in raws]
    for reader in (Reader(), SEEN, SEEN):
        page = reader.read(raws, b"".join(raw + b"\n" for raw in raws))
        rows = zip(page.numbers, page.times, page.lanes, strict=True)
        assert [lane and Facts(number, ts, lane.typ, lane.writer) for number, ts, lane in rows] == told
        assert [bool(ts) for ts in page.times] == [one is not None for one in told]


def consented(raw: bytes) -> bytes:
    """The entry, on a consent's basis."""
    return canonical(json.loads(raw) | {"con": "019aa8f2-6645-71c6-80f0-794ebb4383fe"})


def known(raw: bytes) -> Facts | None:
    with contextlib.suppress(Malformed):
        return facts_of(raw)
    return None


def canonical(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_the_grammar_knows_the_keys_and_types_of_the_service_s() -> None:
    assert RULES.keys() == grammar.RULES.keys()
    assert set(TYPES) == grammar.TYPES


def test_what_the_service_writes_is_read_and_nearly_all_of_it_quickly() -> None:
    for raw in ENTRIES:
        agreed(raw)
    reader = Reader()
    some = ENTRIES + CONSENTED
    assert None not in reader.read(some, b"".join(raw + b"\n" for raw in some)).lanes
    assert reader.left < 5


CONSENTED = [ENTRIES[5], consented(ENTRIES[6]), ENTRIES[7]]

VALUES: list[object] = [
    "", "a", "A.b-c_d", "1a", "a" * 61, "phone", "手机", "a\"b", "a\\b", "a/b", "a\x7fb", "a\u2028b", "13800138000", 0, 1, -1, 2**53 - 1, 2**53, 10**15, 1.0, True,
    False, None, [], ["a"], ["a"] * 200, ["a"] * 201, ["a", 1], {}, {"a": 1}, {"a": "é"}, {"a": [], "b": True}, {"A": 1}, {"a": 1.5}, {"a": {"b": 1}},
    ["p1:AAECAwQFBgcICQoLDA0ODw"], ["p1:AAECAwQFBgcICQoLDA0ODw"] * 2, ["p1:AAECAwQFBgcICQoLDA0ODx"], "019aa8f2-6645-71c6-80f0-794ebb4383fe",
    "2026-02-31T02:00:00.000000Z", "2026-11-22T24:00:00.000000Z", "allow", "deny", "boot", "x" * 64, "5f" * 32, "AAECAwQFBgcICQoLDA0ODw",
    {"k": "staff", "role": []}, {"k": "member", "role": []}, {"id": "门神", "k": "staff", "role": ["a"]}, {"id": "a b", "ip": "00:11_-", "k": "service", "role": ["a", "b"]},
    {"id": "", "k": "staff", "role": []}, {"id": "a\u200bb", "k": "staff", "role": []}, {"id": "a" * 65, "k": "staff", "role": []}, {"id": "a", "k": "x", "role": []},
]  # fmt: skip


@pytest.mark.parametrize("key", sorted(RULES))
def test_under_every_key_the_two_readers_take_the_same(key: str) -> None:
    for raw in (ENTRIES[0], ENTRIES[5]):
        whole = json.loads(raw)
        agreed(canonical({name: one for name, one in whole.items() if name != key}))
        for value in VALUES:
            agreed(canonical(whole | {key: value}))


def test_con_stands_beside_exactly_one_subject() -> None:
    consent = {"con": "019aa8f2-6645-71c6-80f0-794ebb4383fe"}
    one = json.loads(ENTRIES[5])
    agreed(canonical(one | consent))
    assert ours(canonical(one | consent)) is not None
    for subjects in (None, ["p1:AAECAwQFBgcICQoLDA0ODw", "p1:AAECAwQFBgcICQoLDA0ODg"]):
        other = {key: value for key, value in one.items() if key != "sub"} | consent | ({"sub": subjects} if subjects else {})
        agreed(canonical(other))
        assert ours(canonical(other)) is None


@pytest.mark.parametrize("case", cases("audit-entry", "entries"))
def test_the_vectors_of_the_service_are_read_as_they_say(case: dict[str, Any]) -> None:
    raw = case["entry"].encode() if "entry" in case else bytes.fromhex(case["hex"])
    agreed(raw)
    assert (ours(raw) is not None) is (case["expect"] == "entry")


SUBJECTS = [f"p1:{'AB'[n % 2]}{'CDE'[n % 3]}ECAwQFBgcICQoLDA0ODw" for n in range(6)]
PLACES = st.integers(0, 3000)
PIECES = st.binary(max_size=3) | st.sampled_from([b"\n", b'"', b"}", b"]", b"\\", b'"\n', b"\0", b"\n\n", "门".encode()])
FACTS = st.text(st.sampled_from('a:,[]{} "\\手'), max_size=6) | st.integers(-(2**54), 2**54) | st.booleans()


@given(
    st.lists(st.sampled_from(SUBJECTS), max_size=5),
    st.lists(st.tuples(st.sampled_from("abc") | st.text("ab_1:", max_size=3), FACTS | st.lists(FACTS, max_size=3)), max_size=5),
    st.booleans(),
)
def test_many_subjects_and_facts_are_read_quickly_only_where_they_are_in_order(
    subjects: list[str], facts: list[tuple[str, object]], con: bool
) -> None:
    """Facts are written as they come: a key twice, or before another that it should follow, is what the expression alone cannot see."""
    whole = {key: value for key, value in json.loads(ENTRIES[5]).items() if key not in {"sub", "x"}}
    whole |= ({"sub": subjects} if subjects else {}) | ({"con": "019aa8f2-6645-71c6-80f0-794ebb4383fe"} if con else {})
    extra = b",".join(canonical({key: value})[1:-1] for key, value in facts)
    agreed(canonical(whole)[:-1] + b',"x":{' + extra + b"}}" if facts else canonical(whole))


def test_a_page_of_members_and_several_facts_are_read_without_a_parser() -> None:
    whole = json.loads(ENTRIES[5]) | {"sub": SUBJECTS, "x": {"a": ["b", "c:d"], "b": 1, "c": "d", "e": False}}
    raw = canonical({key: value for key, value in whole.items() if key != "con"})
    agreed(raw)
    assert widely(raw) is not None


@given(st.sampled_from(ENTRIES), st.integers(0, 600), st.binary(max_size=3), st.integers(0, 3))
def test_one_place_changed_and_the_two_readers_still_agree(raw: bytes, at: int, put: bytes, gone: int) -> None:
    agreed(raw[:at] + put + raw[at + gone :])


@given(
    st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=4), st.lists(st.tuples(PLACES, PIECES, st.integers(0, 3)), max_size=3)
)
def test_a_bundle_is_read_as_its_entries_are_one_by_one(raws: list[bytes], changes: list[tuple[int, bytes, int]]) -> None:
    whole = b"\0".join(raws)
    for at, put, gone in changes:
        whole = whole[: at % len(whole)] + put + whole[at % len(whole) + gone :]
    read_alike(whole.split(b"\0"))


@pytest.mark.parametrize("byte", list(b'aGgQz0269-_: "\\}],\n\x7f\x80'))
def test_no_place_of_an_entry_hides_among_others_that_are_well(byte: int) -> None:
    """What differs from entry to entry is looked at for a bundle at once: one byte of one entry still counts."""
    before, raw, behind = CONSENTED
    for at in range(len(raw)):
        read_alike([before, raw[:at] + bytes([byte]) + raw[at + 1 :], behind])


@pytest.mark.parametrize("beside", ["2026-11-22T02:00:00.000000Z", "2025-01-31T23:59:59.999999Z"])
def test_no_moment_hides_among_others_that_are_well(beside: str) -> None:
    days = [
        f"2026-{month:02d}-{day:02d}T02:00:00.000000Z"
        for month in (0, 1, 9, 10, 12, 13, 20)
        for day in (0, 1, 29, 30, 31, 32, 40)
    ]
    hours = [f"2026-11-22T{hour:02d}:00:00.000000Z" for hour in (0, 9, 19, 20, 23, 24, 29, 30)]
    parts = [f"2026-11-22T02:{minute:02d}:{second:02d}.999999Z" for minute in (0, 59, 60, 99) for second in (0, 59, 60, 99)]
    whole = json.loads(CONSENTED[1])
    for moment in (*days, *hours, *parts):
        raws = [canonical(whole | {"ts": one}) for one in (beside, moment, "2026-11-22T02:30:00.000000Z")]
        read_alike(raws)


def test_a_request_has_64_characters_at_most() -> None:
    whole = json.loads(CONSENTED[1])
    for length in (0, 1, 64, 65):
        read_alike([CONSENTED[0], canonical(whole | {"req": "r" * length})])


@pytest.mark.parametrize("cut", [b'"', b"}", b",", b"]", b',"id":"', b',"req":"', b',"typ":"'])
def test_a_line_break_in_an_entry_makes_no_two_of_it(cut: bytes) -> None:
    """One entry cut in two, and two made one: as many lines as before, and none of them is what it says."""
    one, other = ENTRIES[5], ENTRIES[6]
    at = one.index(cut)
    read_alike([one, one[:at] + b"\n" + one[at:], other])
    read_alike([one + b"\n" + other, other[:-1], b""])
    read_alike([one[:at], one[at:], one + b"\n" + other])


def test_a_log_of_nothing_but_different_pieces_does_not_fill_the_memory() -> None:
    reader, whole, roles = Reader(most=50), json.loads(ENTRIES[5]), [f"role{n:04d}" + "x" * 40 for n in range(15)]
    acts = [{"act": {"id": f"{n}", "k": "staff", "role": roles}, "x": {"n": f"{n}" * 100}} for n in range(600)]
    raws = [canonical(whole | act) for act in acts]
    tracemalloc.start()
    try:
        for first in range(0, len(raws), 20):
            some = raws[first : first + 20]
            assert None not in reader.read(some, b"".join(raw + b"\n" for raw in some)).lanes
        assert reader.left == 0
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=3), lambda some: st.lists(some) | st.dictionaries(st.text(max_size=2), some)
    ).map(canonical)
)
def test_any_bytes_are_an_entry_or_malformed(raw: bytes) -> None:
    agreed(raw)


@pytest.mark.parametrize(
    "raw", [b"[" * 32_000, b'{"a":' * 6_000, b"1" * 5_000, b"\xff", b'"\\ud800"', b"{" + b" " * 40_000 + b"}"]
)
def test_bytes_that_would_cost_a_parser_dear_are_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_entry(raw)
