"""How a value looks to somebody who may know that it is there and not what it is (去标识化展示, GB/T 35273 7.2).

    phone     +8613812345678   138****5678   three and four digits of a mainland number; of a foreign one the last four
    name      张三             张*           the surname stays; of a given name of two characters or more its last one too
              张小三           张*三
              欧阳娜娜         欧阳*娜       a compound surname counts as one, where a given name is left beside it
              Alice Smith      A***          any other script: the first letter
    email     zhang@example.cn z***@example.cn
    id        oX3…f9Kc2a       ******f9Kc2a  the last six, if there are twelve or more
    address   浙江省杭州市西湖区文三路9号   浙江省杭州市西湖区****   down to the district, or less where no district is sure
    date      1990-07-14       1990          the year
    text      anything         ***

`mask` answers for every value of every form and never raises: what does not look like what its form says shows nothing
at all. How many characters are hidden is never told. It is no pseudonymisation: equal values look equal, and a masked
value is personal still.
"""

import re
from collections.abc import Callable
from datetime import date

Maskable = str | int | date | tuple[str, ...]

_HIDDEN = "***"
_COMPOUND = frozenset(
    re.findall(
        "..",
        "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐长孙宇文司徒司空夏侯轩辕端木百里呼延南宫独孤拓跋完颜纳兰"
        "东郭南门西门濮阳淳于单于太叔申屠仲孙钟离鲜于闾丘赫连澹台公冶宗政第五梁丘左丘叶赫耶律万俟闻人",
    )
)
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_MAINLAND = re.compile(r"(?:\+?86)?(1[0-9]{10})")
_ABROAD = re.compile(r"\+[0-9]{9,15}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# A place's name has neither digits nor the words that make a street, an estate or a door. What might be part of a street
# is not shown, so a district that bears such a word (路桥区) is masked down to its city.
_WORD = r"(?:(?![省市区县旗路街巷弄号栋幢室座])[\u3400-\u9fff])"
_GAP = r"[\s,，]*"
_ADDRESS = re.compile(
    rf"(?:{_WORD}{{2,8}}?(?:省|自治区|特别行政区|市))?{_GAP}"
    rf"(?:{_WORD}{{1,10}}?(?:(?<![超夜菜集])市|自治州|地区|盟)(?!场))?{_GAP}"
    rf"(?:{_WORD}{{1,10}}(?:自治县|自治旗|新区|开发区|高新区)|{_WORD}{{1,4}}(?:(?<![小社园街校厂景])区|县|旗|(?<![超夜菜集])市)(?!场))?"
)


def mask(form: str, value: Maskable) -> str:
    """The value as `form` shows it. An unknown form shows nothing, and so does what would still hold the whole."""
    text = value.isoformat() if isinstance(value, date) else "、".join(value) if isinstance(value, tuple) else str(value)
    shown = FORMS.get(form, _text)(text)
    whole = value if isinstance(value, tuple) else (text,)
    return "*" if any(len(part) > 1 and part in shown for part in whole) else shown


def _text(_: str) -> str:
    return _HIDDEN


def _phone(text: str) -> str:
    plain = re.sub(r"[\s-]", "", text)
    mainland = _MAINLAND.fullmatch(plain)
    if mainland:
        return f"{mainland[1][:3]}****{mainland[1][-4:]}"
    return f"****{plain[-4:]}" if _ABROAD.fullmatch(plain) else _HIDDEN


def _name(text: str) -> str:
    plain = text.strip()
    if not _HAN.fullmatch(plain):
        return f"{plain[0]}{_HIDDEN}" if len(plain) > 1 else _HIDDEN
    surname = 2 if len(plain) > 2 and plain[:2] in _COMPOUND else 1
    given = plain[surname:]
    return f"{plain[:surname]}*{given[-1:] if len(given) > 1 else ''}" if given else "*"


def _email(text: str) -> str:
    local, _, domain = text.strip().rpartition("@")
    if not local or not domain:
        return _HIDDEN
    return f"{local[0] if len(local) > 1 else ''}{_HIDDEN}@{domain}"


def _id(text: str) -> str:
    return f"******{text[-6:]}" if len(text) >= 12 else "******"


def _address(text: str) -> str:
    known = _ADDRESS.match(text.strip())
    return f"{known[0] if known else ''}****"


def _date(text: str) -> str:
    return text[:4] if _DAY.fullmatch(text) else _HIDDEN


FORMS: dict[str, Callable[[str], str]] = {
    "phone": _phone,
    "name": _name,
    "email": _email,
    "id": _id,
    "address": _address,
    "text": _text,
    "date": _date,
}
"""The forms that fields.toml may name."""
