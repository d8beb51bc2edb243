"""The ledger's records, whatever stands in a row: the very record that was hashed, or Malformed and no other error."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.consent.ledger import FORMAT, canonical, digest, read_record
from service.errors import Malformed

texts = st.text(max_size=20)
leaves = texts | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans()
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
records = st.dictionaries(texts, values, max_size=8).map(lambda record: {**record, "schemaVersion": FORMAT})

beyond = (
    st.floats() | st.integers(2**53, 2**80) | st.none() | st.text(st.characters(codec=None, exclude_categories=()), max_size=4)
)
strange = st.recursive(leaves | beyond, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
any_text = st.text(st.characters(codec=None, exclude_categories=()))


def hash_of(body: Any) -> bytes:
    """The hash that fits, made as somebody would who can write to the database; where none can fit, some other."""
    try:
        return digest(body)
    except (UnicodeEncodeError, AttributeError):
        return bytes(32)


def record_in(body: Any, expected: Any) -> dict[str, Any] | None:
    """What is read, None for Malformed; any other error goes through."""
    try:
        return read_record(body, expected)
    except Malformed:
        return None


def is_the_very_record(found: dict[str, Any] | None, body: Any) -> bool:
    """Nothing was read, or the record that these very bytes are the one writing of."""
    return found is None or (found["schemaVersion"] == FORMAT and canonical(found) == body)


def with_x(text: str) -> str:
    """A record with one more key, whose JSON this is."""
    return f'{{"schemaVersion":"{FORMAT}","x":{text}}}'


@given(records)
def test_a_record_that_was_written_is_read(record: dict[str, Any]) -> None:
    body = canonical(record)
    assert read_record(body, digest(body)) == record
    assert body == json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@given(any_text | st.binary(), st.binary(max_size=40))
def test_anything_under_any_hash_is_malformed(body: str | bytes, expected: bytes) -> None:
    with pytest.raises(Malformed):
        read_record(body, expected)  # type: ignore[arg-type]


@given(any_text | st.binary() | st.none() | st.integers())
@example("[" * 100_000)
@example(with_x("[" * 300 + "]" * 300))
@example(with_x(str(2**64)))
@example(with_x("9" * 5000))
@example(with_x('"\\ud800"'))
@example(with_x("NaN"))
@example(with_x("1").replace(FORMAT, FORMAT[:-1] + "0"))
@example(with_x("1").replace('"x"', '"schemaVersion"'))
def test_anything_that_is_no_record_is_malformed_under_the_hash_that_fits(body: Any) -> None:
    with pytest.raises(Malformed) as caught:
        read_record(body, hash_of(body))
    assert str(caught.value) == "consent event"


@given(st.dictionaries(texts, strange, max_size=4), st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_json_of_any_kind_is_the_very_record_or_malformed(
    record: dict[str, Any], escaped: bool, separators: tuple[str, str], ordered: bool
) -> None:
    said = {**record, "schemaVersion": FORMAT}
    body = json.dumps(said, sort_keys=ordered, separators=separators, ensure_ascii=escaped)
    assert is_the_very_record(record_in(body, hash_of(body)), body)


@given(records, st.data())
def test_a_record_with_any_part_replaced_is_malformed_under_its_old_hash(record: dict[str, Any], data: st.DataObject) -> None:
    body = canonical(record)
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    changed = body[:start] + data.draw(any_text) + body[end:]
    if changed != body:
        with pytest.raises(Malformed):
            read_record(changed, digest(body))
        assert is_the_very_record(record_in(changed, hash_of(changed)), changed)


@given(records, st.binary(max_size=40) | st.text(max_size=40) | st.none())
def test_a_record_under_another_hash_is_malformed(record: dict[str, Any], expected: Any) -> None:
    body = canonical(record)
    if expected != digest(body):
        with pytest.raises(Malformed):
            read_record(body, expected)
