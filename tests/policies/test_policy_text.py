"""Where values are not sealed, nobody's number or address may stand."""

import pytest

from policies.text import holds_contact


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
