"""Cursors, whatever stands in them: the member behind a cursor of this very list, or BadInput (CURSOR_INVALID) and no other error."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.disclosure.cursor import decode, encode
from service.errors import BadInput
from tests.service.vault import vaults

VAULT = vaults.vault()
LIST = "order_fulfilment"
LENGTH = 44

members = st.uuids().map(str)
purposes = st.from_regex(r"[a-z][a-z_]{0,30}", fullmatch=True)
alphabet = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=LENGTH, max_size=LENGTH)
as_base64 = st.binary(max_size=80).map(lambda raw: urlsafe_b64encode(raw).decode())
version_one = st.binary(min_size=32, max_size=32).map(lambda raw: urlsafe_b64encode(b"\x01" + raw).decode())
with_surrogates = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


def assert_invalid(cursor: str, purpose: str = LIST) -> None:
    """Refused with the one code, and without a word of what was sent."""
    with pytest.raises(BadInput) as caught:
        decode(VAULT, purpose, cursor)
    assert caught.value.code == "CURSOR_INVALID"
    assert caught.value.detail == "the cursor was not made by this list"


@given(members, purposes)
def test_a_cursor_leads_back_to_its_member(member: str, purpose: str) -> None:
    made = encode(VAULT, purpose, member)
    assert len(made) == LENGTH
    assert decode(VAULT, purpose, made) == member


@given(st.text() | with_surrogates | st.text(st.characters(codec="ascii")) | alphabet | as_base64 | version_one)
@example("")
@example("\ud800")
@example("A" * 45)
@example("=" * LENGTH)
def test_any_text_is_refused(text: str) -> None:
    assert_invalid(text)


@given(members, st.integers(0, 32), st.integers(1, 255))
def test_a_cursor_with_any_byte_changed_is_refused(member: str, place: int, by: int) -> None:
    raw = bytearray(urlsafe_b64decode(encode(VAULT, LIST, member)))
    raw[place] ^= by
    assert_invalid(urlsafe_b64encode(raw).decode())


@given(members, st.integers(0, LENGTH - 1), st.characters(codec=None, exclude_categories=()))
def test_a_cursor_with_any_character_changed_is_refused(member: str, place: int, other: str) -> None:
    made = encode(VAULT, LIST, member)
    if other != made[place]:
        assert_invalid(made[:place] + other + made[place + 1 :])


@given(members, st.integers(0, LENGTH), st.text(st.sampled_from("=\n\r\t *-_A\0é"), min_size=1, max_size=4))
def test_a_cursor_with_anything_put_in_is_refused(member: str, place: int, more: str) -> None:
    made = encode(VAULT, LIST, member)
    assert_invalid(made[:place] + more + made[place:])


@given(members, st.integers(0, LENGTH - 1))
def test_a_cursor_cut_short_is_refused(member: str, length: int) -> None:
    assert_invalid(encode(VAULT, LIST, member)[:length])


@given(members, members, purposes, purposes)
def test_a_cursor_of_another_list_another_member_or_another_deployment_is_refused(
    member: str, other: str, purpose: str, wanted: str
) -> None:
    if purpose != wanted:
        assert_invalid(encode(VAULT, purpose, member), wanted)
    if member != other:
        mine, theirs = (urlsafe_b64decode(encode(VAULT, LIST, of)) for of in (member, other))
        assert_invalid(urlsafe_b64encode(mine[:17] + theirs[17:]).decode())
    assert_invalid(encode(vaults.vault(), purpose, member), purpose)
