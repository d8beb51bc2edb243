"""Normalisers: whoever writes a number differently is still found, and nobody else is."""

from contextlib import suppress
from unicodedata import normalize

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.vault.normalise import normalise

MOBILES = st.from_regex(r"\A1[3-9][0-9]{9}\Z")
FILLERS = st.sampled_from(["", " ", "-", "  ", "\u3000", "\u00a0", "\u200b", "－", "(", ")", ".", "\u202c", "\t"])
APPID = "wx1111111111111111"
WIDE = str.maketrans("0123456789+-", "０１２３４５６７８９＋－")
LOCALS = st.from_regex(r"\A[A-Za-z0-9_+-]{1,10}(\.[A-Za-z0-9_+-]{1,10})?\Z")
DOMAINS = st.sampled_from(["example.com", "Mail.Example.CN", "例子.中国", "例子。公司", "xn--fsqu00a.xn--fiqs8s"])


@st.composite
def written(draw: st.DrawFn, digits: str) -> str:
    """One of the ways in which people write a mobile number."""
    text = draw(st.sampled_from(["", "+86", "0086", "86", "0", "+86 0"])) + digits
    text = draw(FILLERS) + "".join(char + (draw(FILLERS) if draw(st.integers(0, 3)) == 0 else "") for char in text)
    return text.translate(WIDE) if draw(st.booleans()) else text


@given(st.data(), MOBILES)
def test_all_writings_of_one_mobile_number_meet(data: st.DataObject, digits: str) -> None:
    assert normalise("phone", data.draw(written(digits))) == f"+86{digits}"


@given(MOBILES, MOBILES)
def test_two_numbers_never_meet(one: str, other: str) -> None:
    assert (normalise("phone", one) == normalise("phone", other)) == (one == other)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_number_of_any_country_is_one_however_it_is_dialled_from_china(region: str) -> None:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE) or phonenumbers.example_number(
        region
    )
    as_e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    written_out = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    assert normalise("phone", as_e164) == normalise("phone", written_out) == as_e164
    assert normalise("phone", as_e164.translate(WIDE)) == as_e164
    assert normalise("phone", "00" + as_e164[1:]) == as_e164


@given(LOCALS, DOMAINS)
def test_an_address_is_one_in_any_case_and_width(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    one = normalise("email", address)
    assert one == normalise("email", address.upper()) == normalise("email", f" {address.swapcase()}\u200b\n")
    assert one.isascii()


ANY = st.one_of(st.text(max_size=60), st.text("0123456789+-() ０１@.。例aÀßİ:", max_size=30), MOBILES, st.emails())


@pytest.mark.parametrize("normaliser", ["phone", "email", "wechat_id", "exact"])
@given(value=ANY)
def test_a_normaliser_refuses_in_one_way_and_settles_at_once(normaliser: str, value: str) -> None:
    try:
        once = normalise(normaliser, value, appid=APPID)
    except BadInput as problem:
        assert len(value) < 3 or value not in str(problem)  # noqa: PT017
        return
    assert normalise(normaliser, once, appid="wx2222222222222222") == once


def test_no_letter_folds_into_something_that_folds_on() -> None:
    # Every character that folding or compatibility changes, in the local part of an address.
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    changing = [char for char in characters if normalize("NFKC", char.casefold()) != char]
    settled = 0
    for char in changing:
        with suppress(BadInput):
            once = normalise("email", f"a{char}@example.com")
            assert normalise("email", once) == once
            settled += 1
    assert settled > 1000
