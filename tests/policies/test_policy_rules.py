"""What anybody may read about the processing, and what nobody may hide in a remark."""

import string
from datetime import date
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rules import holds_identity_number, processing_rules
from policies.terms import Basis, Catalogue, RecipientRole, Sensitivity


@pytest.mark.obligation("LB-06")
def test_the_processing_rules_list_every_purpose_with_what_the_law_wants_published(catalogue: Catalogue) -> None:
    rules = processing_rules(catalogue)

    assert rules.digest == catalogue.digest
    assert rules.controller == catalogue.controller
    assert [purpose.key for purpose in rules.purposes] == list(catalogue.purposes)
    for published in rules.purposes:
        declared = catalogue.purposes[published.key]
        assert (published.title, published.basis, published.method) == (declared.title, declared.basis, declared.method)
        assert {rule.key: rule.shape for rule in published.fields} == dict(declared.fields)
        assert {title.zh for title in published.categories} == {
            catalogue.categories[catalogue.fields[key].category].title.zh for key in declared.fields
        }
        assert published.retention_months == declared.retention_months
        assert tuple(recipient.key for recipient in published.recipients) == declared.recipients


@pytest.mark.obligation("LB-06")
def test_a_reader_of_the_rules_learns_who_the_partner_is_and_what_it_gets(catalogue: Catalogue) -> None:
    (sharing,) = [purpose for purpose in processing_rules(catalogue).purposes if purpose.key == "partner_sharing"]

    assert (sharing.basis, sharing.separate_consent) == (Basis.CONSENT, True)
    assert [(r.name.zh, r.contact, r.role) for r in sharing.recipients] == [
        ("示例联名咖啡（杭州）有限公司", "privacy@coffee.example.com", RecipientRole.OTHER_PROCESSOR)
    ]
    assert [(f.key, f.title.zh, f.sensitivity) for f in sharing.fields] == [
        ("phone", "手机号码", Sensitivity.GENERAL),
        ("tier", "会员等级", Sensitivity.GENERAL),
    ]
    assert [title.en for title in sharing.categories] == ["Contact details", "Membership"]


WIDE = str.maketrans(string.digits + "X", "０１２３４５６７８９Ｘ")


def checked(first: str) -> str:
    """Eighteen characters from seventeen digits, by the definition of MOD 11-2: the weighted sum leaves the rest 1."""
    for last, value in zip("0123456789X", range(11), strict=True):
        total = value
        for position, digit in enumerate(reversed(first), 1):
            total += int(digit) * 2**position
        if total % 11 == 1:
            return first + last
    raise AssertionError("one of eleven always fits")


regions = st.from_regex(r"[1-9][0-9]{5}", fullmatch=True)
birthdays = st.dates(date(1900, 1, 1), date(2026, 11, 22))
numbers = st.builds(lambda region, day, rest: checked(f"{region}{day:%Y%m%d}{rest}"), regions, birthdays, st.from_regex(r"[0-9]{3}", fullmatch=True))  # fmt: skip
gaps = st.text(alphabet=" -\u3000\u200b–", max_size=2)
around = st.text(alphabet="客户要求送货，证号：。 abc\n", max_size=10)


@pytest.mark.obligation("RD-07")
@given(number=numbers, before=around, after=around)
def test_an_identity_number_is_found_in_any_text(number: str, before: str, after: str) -> None:
    assert holds_identity_number(before + number + after)
    assert holds_identity_number(before + number.lower() + after)
    assert holds_identity_number(before + number.translate(WIDE) + after)


@pytest.mark.obligation("RD-07")
@given(number=numbers, ahead=st.data())
def test_spaces_and_dashes_between_the_digits_hide_nothing(number: str, ahead: st.DataObject) -> None:
    typed = number[0] + "".join(ahead.draw(gaps) + character for character in number[1:])

    assert holds_identity_number(typed)


@pytest.mark.obligation("RD-07")
@given(day=st.dates(date(1900, 1, 1), date(1999, 12, 31)), rest=st.from_regex(r"[0-9]{3}", fullmatch=True))
def test_a_number_of_the_old_form_is_found_by_its_province_and_birthday(day: date, rest: str) -> None:
    assert holds_identity_number(f"旧证 110105{day:%y%m%d}{rest}。")
    assert not holds_identity_number(f"单号 990105{day:%y%m%d}{rest}。")


@pytest.mark.obligation("RD-07")
@pytest.mark.parametrize(
    "text",
    [
        "身份证 11010519491231002X",
        "身份证11010519491231002x请核对",
        "110105-19491231-002X",
        "1101 0519 4912 3100 2X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "电话13800138000 11010519491231002X",
        "11010519491231002X 13800138000",
        "①11010519491231002X",
        "110105491231002",
    ],
)
def test_however_it_is_typed_it_is_found(text: str) -> None:
    assert holds_identity_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "下午送货，电话 13800138000，备用 021-00000000",
        "11010519491231002",  # one digit short
        "110105194912310021",  # the check digit is wrong
        "110105194913310021",  # the thirteenth month
        "6222021101051949123",  # a bank card, nineteen digits
        "订单 202611220001234567",
        "2026-11-22 10:00:00 至 2026-11-23 10:00:00",
        "1101054913310020",
        "13800138000、13900139000",
        "一一〇一〇五",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not holds_identity_number(text)


@given(number=numbers, place=st.integers(0, 17), other=st.sampled_from(string.digits))
def test_one_wrong_digit_is_no_identity_number(number: str, place: int, other: str) -> None:
    wrong = number[:place] + other + number[place + 1 :]

    assert holds_identity_number(wrong) == (wrong == number)


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_can_be_asked_about(text: str) -> None:
    assert holds_identity_number(text) in {True, False}


@pytest.mark.parametrize("text", ["9 - " * 25_000, "9" * 100_000, ("9" * 17 + " - ") * 5_000])
def test_a_long_remark_cannot_keep_the_detector_busy(text: str) -> None:
    start = perf_counter()

    assert not holds_identity_number(text)
    assert perf_counter() - start < 5
