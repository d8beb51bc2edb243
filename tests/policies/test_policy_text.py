"""Where values are not sealed, nobody's number or address may stand."""

import pytest

from policies.text import holds_contact, tells_of_somebody


@pytest.mark.parametrize(
    "text",
    [
        "13812345678",
        "+8613812345678",
        "0086 138 1234 5678",
        "86-138-1234-5678",
        "电话１３８１２３４５６７８",
        "a@b.example",
        "客户13812345678。",
    ],
)
def test_a_number_or_an_address_is_seen_however_it_is_written(text: str) -> None:
    assert holds_contact(text)


@pytest.mark.parametrize("text", ["", "2026-10-01", "913812345678", "138123456789", "12345678901", "订单 20261001-13812"])
def test_other_digits_are_not_taken_for_a_number(text: str) -> None:
    assert not holds_contact(text)


@pytest.mark.parametrize("text", ["致电 138 1234 5678", "见 a@b.example", "旧证 110105491231002", "\u202e转向", "坏\x00字"])
def test_a_text_that_is_kept_tells_of_nobody_and_hides_nothing(text: str) -> None:
    assert tells_of_somebody(text)
    assert not tells_of_somebody("顾客来电，要求核对 2026-10-01 的订单 20261001-13812")
