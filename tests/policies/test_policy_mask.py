"""What a masked value shows, and above all what it does not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.mask import FORMS, mask

EXAMPLES = [
    ("phone", "+8613812345678", "138****5678"),
    ("phone", "13812345678", "138****5678"),
    ("phone", "+86 138-1234-5678", "138****5678"),
    ("phone", "+14155552671", "****2671"),
    ("phone", "12345", "***"),
    ("phone", "１３８１２３４５６７８", "***"),
    ("name", "张三", "张*"),
    ("name", "张小三", "张*三"),
    ("name", "欧阳修", "欧阳*"),
    ("name", "欧阳娜娜", "欧阳*娜"),
    ("name", "欧阳", "欧*"),
    ("name", "张", "*"),
    ("name", "阿卜杜拉·买买提", "阿***"),
    ("name", "Alice Smith", "A***"),
    ("name", "", "***"),
    ("email", "zhang.san@example.com", "z***@example.com"),
    ("email", "a@example.com", "***@example.com"),
    ("email", "nobody", "***"),
    ("email", "@example.com", "***"),
    ("id", "okTpGU0pamf4-dlVia_ruePazgDj", "******PazgDj"),
    ("id", "short-id", "******"),
    ("address", "浙江省杭州市西湖区文三路9号", "浙江省杭州市西湖区****"),
    ("address", "上海市浦东新区世纪大道100号", "上海市浦东新区****"),
    ("address", "广东省 深圳市 南山区 科技园南区3栋", "广东省 深圳市 南山区****"),
    ("address", "四川省峨边彝族自治县沙坪镇1号", "四川省峨边彝族自治县****"),
    ("address", "新疆维吾尔自治区乌鲁木齐市天山区新华北路1号", "新疆维吾尔自治区乌鲁木齐市天山区****"),
    ("address", "广东省丹县牧野永安路d座", "广东省丹县****"),
    ("address", "上海市世纪大道东区5栋", "上海市****"),
    ("address", "幸福小区3栋", "****"),
    ("address", "南京路100号3区5栋", "****"),
    ("address", "福建省联华超市3楼", "福建省****"),
    ("address", "浙江省台州市路桥区腾达路1号", "浙江省台州市****"),
    ("address", "1 Example Road", "****"),
    ("date", date(1990, 7, 14), "1990"),
    ("date", "1990-07-14", "1990"),
    ("date", "14 July 1990", "***"),
    ("date", 19900714, "***"),
    ("text", "下班后联系", "***"),
    ("text", ("美食", "旅行"), "***"),
    ("text", 12345, "***"),
    ("rot13", "anything", "***"),
]


@pytest.mark.obligation("SE-03")
@pytest.mark.parametrize(("form", "value", "shown"), EXAMPLES)
def test_a_value_looks_like_this(form: str, value: str, shown: str) -> None:
    assert mask(form, value) == shown


forms = st.sampled_from([*FORMS, "unknown", ""])
digits = st.from_regex(r"\+?(86)?1[0-9]{10}|\+[0-9]{6,18}|[0-9]{3,20}", fullmatch=True)
names = st.text(alphabet="张王李欧阳司马诸葛三四小明A b·*", max_size=8)
mails = st.from_regex(r"[a-z*.]{0,12}@?[a-z*.]{0,12}", fullmatch=True)
places = st.text(alphabet="浙江省杭州市西湖区县旗路街小号1 3栋,自治新发开*", max_size=24)
texts = st.text(max_size=30) | digits | names | mails | places | st.dates().map(str) | st.text(alphabet="*", max_size=8)
values = texts | st.integers() | st.dates() | st.datetimes() | st.lists(texts, max_size=4).map(tuple)


def spelled(value: object) -> tuple[str, ...]:
    """All that must not be found whole in what is shown."""
    if isinstance(value, tuple):
        return (*value, "、".join(value))
    return (value.isoformat() if isinstance(value, date) else str(value),)


@pytest.mark.obligation("SE-03")
@given(form=forms, value=values)
def test_no_masked_value_holds_the_whole_of_what_it_hides(form: str, value: str) -> None:
    shown = mask(form, value)

    assert shown
    assert [part for part in spelled(value) if len(part) > 1 and part in shown] == []


MOST = {"phone": 7, "name": 3, "id": 6, "text": 0, "date": 4, "unknown": 0, "": 0}


@pytest.mark.obligation("SE-03")
@given(form=st.sampled_from(sorted(MOST)), value=values)
def test_a_longer_secret_shows_no_more_than_a_short_one(form: str, value: str) -> None:
    shown = mask(form, value)

    assert len(shown.replace("*", "")) <= MOST[form]


@pytest.mark.obligation("SE-03")
@given(local=st.from_regex(r"[a-z0-9.]{2,30}", fullmatch=True))
def test_of_a_mailbox_only_its_first_letter_is_shown(local: str) -> None:
    assert mask("email", f"{local}@example.com") == f"{local[0]}***@example.com"


@pytest.mark.obligation("SE-03")
@given(detail=st.text(alphabet="文三路街道号楼栋室座巷弄12345678", min_size=1, max_size=20))
def test_what_follows_the_district_is_never_shown(detail: str) -> None:
    assert mask("address", f"浙江省杭州市西湖区{detail}") == "浙江省杭州市西湖区****"


@given(street=st.text(alphabet="文三世纪大道", max_size=6), rest=st.text(alphabet="东西小区市县3号栋", max_size=10))
def test_a_street_and_its_number_are_not_taken_for_a_district(street: str, rest: str) -> None:
    shown = mask("address", f"{street}路{rest}")

    assert "路" not in shown and "号" not in shown and "3" not in shown


@given(value=st.dates())
def test_of_a_date_only_the_year_is_shown(value: date) -> None:
    assert mask("date", value) == f"{value.year:04d}"


def test_every_form_of_the_catalogue_is_known() -> None:
    assert set(FORMS) == {"phone", "name", "email", "id", "address", "text", "date"}
