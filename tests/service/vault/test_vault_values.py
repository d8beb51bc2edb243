"""What can be sealed, and that it comes back as what it was."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.vault.value import CLASSES, LARGEST, LEAST, READERS, Value, padded
from tests.service.vault.vaults import ANN, permit, vault

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
LISTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20), max_size=6).map(tuple)
INTEGERS = st.integers(-(1 << 63), (1 << 63) - 1)
VALUES = st.one_of(TEXTS, LISTS, INTEGERS, st.dates())
VAULT = vault()
KEYS = VAULT.new_member(ANN)[0]


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), VALUES, max_size=8))
def test_what_was_sealed_comes_back_as_what_it_was(values: dict[str, Value]) -> None:
    opened = VAULT.open(permit(ANN, values), KEYS, VAULT.seal(KEYS, values))
    assert opened == values
    assert [type(opened[key]) for key in values] == [type(value) for value in values.values()]


@given(VALUES)
def test_a_plaintext_has_the_smallest_class_that_holds_it(value: Value) -> None:
    plaintext = padded(value)
    content = plaintext.rstrip(b"\x00")
    assert len(plaintext) == next(length for length in CLASSES if length >= len(content))
    assert len(content) >= LEAST[len(plaintext)]
    assert READERS[content[-1]](content[:-1]) == value


def test_the_classes_are_those_of_the_format() -> None:
    assert CLASSES[:8] == (16, 32, 64, 128, 256, 512, 1024, 2048)
    assert all(length % 1024 == 0 for length in CLASSES[6:])
    assert CLASSES[-1] == LARGEST


def test_the_length_of_short_values_says_nothing() -> None:
    values = ["男", "高颖", "司马相如氏", "+8613800138000", 14990, date(1990, 7, 14), (), ("咖啡",), ""]
    maps = {len(VAULT.seal(KEYS, {"field": value})) for value in values}
    assert len(maps) == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.5,
        b"bytes",
        ["list"],
        {"a": 1},
        datetime(2026, 11, 22),
        ("a", 1),
        ("a\x00b",),
        1 << 63,
        -(1 << 63) - 1,
        "x" * LARGEST,
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_what_no_field_can_hold_is_refused_by_field_and_rule(value: object) -> None:
    with pytest.raises(BadInput, match=r"^notes: ") as caught:
        VAULT.seal(KEYS, {"notes": value})  # type: ignore[dict-item]
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize("value", ["高颖\ud800", ("高颖\udfff",)])
def test_a_text_that_utf8_cannot_write_is_refused_without_quoting_it(value: Value) -> None:
    with pytest.raises(BadInput) as caught:
        VAULT.seal(KEYS, {"name": value})
    assert "高颖" not in repr(caught.value)
    # The decoder's own error holds the whole text and would be printed with ours.
    assert caught.value.__context__ is None or not isinstance(caught.value.__context__, UnicodeError)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_the_largest_text_fits() -> None:
    text = "x" * (LARGEST - 1)
    assert VAULT.open(permit(ANN, ["notes"]), KEYS, VAULT.seal(KEYS, {"notes": text})) == {"notes": text}
