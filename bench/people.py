"""The members of the bench: invented, the same in every contender, and each made from its number alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

from service.values import new_id

PURPOSE = "bench_profile"
ROLE = "recommender"
FIELDS = (
    "name",
    "phone",
    "email",
    "wechat_openid",
    "birthday",
    "gender",
    "region",
    "address",
    "occupation",
    "interests",
)
"""The ten fields of every question: all sealed, all of the catalogue."""

BORN = datetime(2025, 1, 1, tzinfo=UTC)
"""When the first of them joined; the others follow, one a second, so that ids sort by number."""

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = (
    "伟",
    "芳",
    "秀英",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "杰",
    "娟",
    "涛",
    "超",
    "明",
    "桂英",
    "颖",
    "子涵",
    "建国",
)
_REGIONS = ("广东省深圳市", "浙江省杭州市", "四川省成都市", "江苏省南京市", "湖北省武汉市", "上海市", "北京市", "重庆市")
_STREETS = ("人民路", "解放大道", "中山北路", "科技园南区", "学府街", "滨江东路", "新华街道")
_OCCUPATIONS = ("教师", "工程师", "护士", "公务员", "自由职业", "个体经营", "学生", "退休")
_INTERESTS = ("美食", "旅行", "母婴", "阅读", "家居", "运动", "户外", "美妆", "数码", "园艺")
_REFUSES = 3


@dataclass(frozen=True, slots=True)
class Person:
    """One member: the id, the ten fields, and whether they said yes to the bench's purpose."""

    number: int
    member_id: str
    values: Mapping[str, str | date | tuple[str, ...]]
    consents: bool

    def answer(self) -> dict[str, object]:
        """What any contender must say about this member, in GraphQL's names."""
        said: dict[str, object] = {"id": self.member_id}
        for key, value in self.values.items():
            said[camel(key)] = (
                value.isoformat() if isinstance(value, date) else list(value) if isinstance(value, tuple) else value
            )
        return said


def person(number: int) -> Person:
    """The n-th. Two in three have consented."""
    joined = BORN + timedelta(seconds=number)
    digits = int.from_bytes(blake2b(number.to_bytes(8, "big"), digest_size=8).digest(), "big")
    member_id = new_id(joined, lambda size: blake2b(number.to_bytes(8, "big"), digest_size=size).digest())
    return Person(number, member_id, _values(number, digits), number % _REFUSES != 0)


def camel(key: str) -> str:
    """A field's key in the spelling of a GraphQL schema."""
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _values(number: int, digits: int) -> dict[str, str | date | tuple[str, ...]]:
    region = _of(_REGIONS, digits >> 8)
    return {
        "name": _of(_SURNAMES, digits) + _of(_GIVEN, digits >> 4),
        "phone": f"+86199{number:08d}",
        "email": f"member{number}@example.com",
        "wechat_openid": f"o{digits:020d}{number:07d}",
        "birthday": date(1955 + digits % 50, 1 + digits % 12, 1 + digits % 28),
        "gender": ("女", "男")[digits & 1],
        "region": region,
        "address": f"{region}{_of(_STREETS, digits >> 16)}{digits % 998 + 1}号{digits % 31 + 1}栋{digits % 3000 + 101}室",
        "occupation": _of(_OCCUPATIONS, digits >> 24),
        "interests": tuple(dict.fromkeys(_of(_INTERESTS, digits >> shift) for shift in (3, 11, 19))),
    }


def _of(choices: str | tuple[str, ...], digits: int) -> str:
    return choices[digits % len(choices)]
