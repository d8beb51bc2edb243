"""The rules for single cells, with properties where a rule is one."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.intake import rules
from service.intake.cells import compiled
from service.intake.layout import Column
from service.intake.mapping import SHIPPED, Meaning, Role, load
from service.intake.model import Code
from service.intake.rules import CellProblem, tidy
from service.members.model import parse_value
from service.vault.normalise import normalise

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
DIGITS = st.text("0123456789", min_size=9, max_size=9)


def code_of(read, text):
    with pytest.raises(CellProblem) as problem:
        read(text)
    return problem.value.code


@given(st.sampled_from("3456789"), DIGITS)
def test_every_spelling_of_a_mobile_is_one_number(second, rest):
    number = f"1{second}{rest}"
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    spellings = (
        number,
        f"+86{number}",
        f"0086{number}",
        f"+86 {number[:3]} {number[3:7]} {number[7:]}",
        f"{number[:3]}-{number[3:]}",
        wide,
    )
    assert {rules.phone(tidy(f" {text} ")) for text in spellings} == {f"+86{number}"}


@given(st.sampled_from("3456789"), DIGITS, st.integers(0, 10))
def test_a_mainland_number_with_a_digit_missing_is_refused(second, rest, at):
    number = f"1{second}{rest}"
    assert code_of(rules.phone, number[:at] + number[at + 1 :]) is Code.PHONE_INVALID


def test_a_landline_is_no_members_phone_and_a_foreign_mobile_is():
    assert code_of(rules.phone, "010-62345678") is Code.PHONE_INVALID
    assert rules.phone("+852 5123 4567") == "+85251234567"


@given(st.text(max_size=40))
def test_whatever_a_cell_holds_a_rule_reads_it_or_refuses_it_by_name(cell):
    readers = (
        *(rules.phone, rules.number, rules.moment, rules.free_text(60), rules.free_text(60, name=True), rules.unsealed_text(60)),
        *(rules.day(TODAY), rules.past(NOW), rules.texts(rules.free_text(60)), rules.plain(60)),
    )
    for read in readers:
        with suppress(CellProblem):
            text = tidy(cell)
            assert not text or read(text) is not None


@given(st.dates(date(1900, 1, 1), TODAY))
def test_the_forms_of_a_date_mean_the_same_day(day):
    read = rules.day(TODAY)
    forms = (
        f"{day:%Y-%m-%d}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day:%Y.%m.%d}",
        f"{day:%Y%m%d}",
        f"{day.year}年{day.month}月{day.day}日",
    )
    assert {read(text) for text in forms} == {day}
    assert {read(f"{text} 23:59:59") for text in forms} == {day}
    assert all(type(read(text)) is date for text in forms)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "1990-13-01", "1990-7", "19900714x", "1990-07/14", "33068", "昨天", "2024-W01-1", "1990-07-14 25:00"]
)
def test_what_is_no_day_is_refused(text):
    assert code_of(rules.day(TODAY, Code.BIRTHDAY_IMPOSSIBLE), text) is Code.BIRTHDAY_IMPOSSIBLE


@given(st.dates())
def test_a_day_is_neither_to_come_nor_before_anybody_alive(day):
    read = rules.day(TODAY)
    if date(1900, 1, 1) <= day <= TODAY:
        assert read(day.isoformat()) == day
    else:
        assert code_of(read, day.isoformat()) is Code.DATE_INVALID


def test_a_moment_is_shanghais_and_has_come():
    assert rules.past(NOW)("2026-11-22 09:59:00") == NOW - timedelta(minutes=1)
    assert rules.past(NOW)("2026/11/22") == datetime(2026, 11, 21, 16, tzinfo=UTC)
    assert code_of(rules.past(NOW), "2026-11-22 10:01") is Code.DATE_INVALID


@pytest.mark.parametrize(
    ("text", "value"), [("775", 775), ("0", 0), ("1,234", 1234), ("１２", 12), ("775.0", 775), ("12,345,678", 12345678)]
)
def test_a_whole_number_is_read_as_people_write_it(text, value):
    assert rules.number(text) == value


@pytest.mark.parametrize("text", ["一千", "-5", "7.5", "1,23", "1e3", "12 3", "9" * 30, "7²"])
def test_what_is_no_whole_number_is_refused(text):
    assert code_of(rules.number, text) is Code.NUMBER_INVALID


@given(st.sampled_from("=@＝＠"), st.text(max_size=20))
def test_a_text_that_a_spreadsheet_would_run_is_refused_everywhere(first, rest):
    for read in (rules.free_text(60), rules.free_text(60, name=True), rules.unsealed_text(60)):
        assert code_of(read, first + rest) in {Code.FORMULA, Code.CONTACT_UNSEALED}


@pytest.mark.parametrize("text", ["+cmd|' /C calc'!A0", "-HYPERLINK(1)", "－SUM(A1)"])
def test_a_call_behind_a_sign_is_a_formula(text):
    assert code_of(rules.free_text(60), text) is Code.FORMULA


def test_a_remark_may_begin_with_a_dash_and_a_name_may_not():
    assert rules.free_text(60)("- 不要电话") == "- 不要电话"
    assert code_of(rules.free_text(60, name=True), "-张") is Code.FORMULA


@pytest.mark.obligation("RD-07")
@pytest.mark.parametrize(
    "text", ["身份证 11010519491231002X", "id:1101 0519 4912 31002x", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_an_identity_number_is_refused_wherever_people_type(text):
    for read in (rules.free_text(60), rules.free_text(60, name=True), rules.unsealed_text(60), rules.texts(rules.free_text(60))):
        if read("教师"):
            assert code_of(read, text.replace(" ", "")) is Code.IDENTITY_NUMBER
    assert code_of(rules.free_text(60), text) is Code.IDENTITY_NUMBER


def test_other_long_numbers_are_not_taken_for_one():
    assert rules.free_text(60)("快递单号 110105194912310021") == "快递单号 110105194912310021"


@pytest.mark.parametrize("text", ["客户138 1234 5678", "13812345678", "１３８１２３４５６７８", "a@example.com"])
def test_what_is_kept_unsealed_holds_no_contact(text):
    assert code_of(rules.unsealed_text(60), text) is Code.CONTACT_UNSEALED


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("  张三 ", "张三"),
        ("\ufeff张三\u200b", "张三"),
        ("深圳\r\n南山\t区", "深圳 南山 区"),
        ("\u3000 \u200b", ""),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_invisible_dirt_is_wiped_off(cell, text):
    assert tidy(cell) == text


@pytest.mark.parametrize("cell", ["张\x00三", "a\x07b", "abc\u202egpj", "\x1b[31m"])
def test_control_characters_are_refused(cell):
    assert code_of(tidy, cell) is Code.CONTROL_CHARACTER


@pytest.mark.parametrize("cell", ["#N/A", "#REF!", " #DIV/0! "])
def test_a_spreadsheets_error_is_no_value(cell):
    assert code_of(tidy, cell) is Code.CELL_ERROR


def test_a_list_is_split_at_every_usual_mark_and_names_nothing_twice():
    read = rules.texts(rules.free_text(10))
    assert read("零食、健身，咖啡;茶|阅读 家居/零食") == ("零食", "健身", "咖啡", "茶", "阅读", "家居")
    assert read("、、") == ()


def test_openids_are_kept_byte_for_byte_and_nothing_else_is_one():
    assert rules.findable("wechat_id", "oKQ6-a_B", "wx1") == normalise("wechat_id", "oKQ6-a_B", appid="wx1")
    for wrong in ("open id", "微信号", "a@b", "o'x"):
        assert code_of(lambda text: rules.findable("wechat_id", text, "wx1"), wrong) is Code.IDENTIFIER_INVALID
        assert code_of(lambda text: rules.findable("exact", text, ""), wrong) is Code.IDENTIFIER_INVALID


@pytest.fixture(scope="module")
def readers(catalogue):
    """The rule for each field of the catalogue, as an import without word lists would have it."""
    mapping = load(SHIPPED, catalogue)
    columns = [Column(at, key, Meaning(Role.FIELD, key)) for at, key in enumerate(sorted(catalogue.fields))]
    cells = compiled(columns, mapping, catalogue, NOW)
    return {cell.key: cell.read for cell in (*cells.sealed, *cells.plain)}


CELLS = st.sampled_from(
    [
        "13812345678",
        "a@example.com",
        "oKQ6-a_B_1",
        "1990-07-14",
        "2025/1/2",
        "775",
        "女",
        "金卡",
        "零食、健身",
        "深圳南山",
        "x" * 50,
    ]
)


@given(st.data())
def test_what_a_rule_accepts_the_members_room_accepts_unchanged(catalogue, readers, data):
    """Two sets of rules over one field must not contradict each other: an update would refuse what an import took."""
    field = data.draw(st.sampled_from(sorted(readers)))
    text = data.draw(CELLS | st.text(min_size=1, max_size=30))
    try:
        value = readers[field](tidy(text) or "无")
    except CellProblem:
        return
    if value not in ("", ()):
        assert parse_value(catalogue, field, value) == value


def test_a_list_ends_somewhere():
    read = rules.texts(rules.free_text(10))
    assert len(read("、".join(map(str, range(100))))) == 100
    assert code_of(read, "、".join(map(str, range(101)))) is Code.TOO_LONG
