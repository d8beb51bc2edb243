"""Exports as a shop's system writes them, made of canaries, and the import of one through the real door."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import cycle
from pathlib import Path

import openpyxl

from service.app import Parts
from service.intake.commands import BATCH, Intake, Outcome
from service.intake.job import understand
from service.intake.model import Provenance
from service.intake.report import RejectFile
from tests.factories import a_call
from tests.plugins import canary

HEADER = (
    *("会员编号", "姓名", "手机号", "邮箱", "微信openid", "生日", "性别", "省市", "收货地址", "职业", "兴趣"),
    *("会员等级", "积分", "短信营销", "邮件营销", "同意时间", "隐私政策版本", "入会时间", "备注"),
)
"""The columns of the shipped form."""

Row = Mapping[str, str]
_numbers = iter(range(1, 10**7))


def phone() -> str:
    """A new number as people write it: eleven digits."""
    return canary.value("phone").removeprefix("+86")


def a_row(**more: str) -> dict[str, str]:
    """A member with nothing wrong about them; `more` by header."""
    row = dict.fromkeys(HEADER, "")
    row |= {
        "会员编号": f"N{next(_numbers):07d}",
        "姓名": canary.value("name"),
        "手机号": phone(),
        "邮箱": canary.value("email"),
        "微信openid": canary.value("openid"),
        "生日": "1990-07-14",
        "性别": "女",
        "省市": "广东省深圳市",
        "收货地址": canary.value("address"),
        "职业": "教师",
        "兴趣": "零食、健身",
        "会员等级": "金卡",
        "积分": "775",
        "入会时间": "2025-10-02",
    }
    return row | more


@dataclass
class Dirt:
    """Rows with counted faults among good ones: what was put in, so that a test can say what must come out."""

    rows: list[dict[str, str]] = field(default_factory=list)
    expected: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, *rows: dict[str, str]) -> None:
        """Rows that must be refused for `code`."""
        self.rows += rows
        self.expected[code] = self.expected.get(code, 0) + len(rows)


def dirty(good: int = 60) -> Dirt:
    """An export as dirty as they come; each good row's phone in another of the usual spellings, birthdays in two forms."""
    made = Dirt()
    spellings = cycle((_same, _plus, _zeros, _dashed, _spaced, _wide))
    for number in range(good):
        row = a_row(生日=("1990-07-14", "1990/7/14", "")[number % 3], 短信营销=("是", "否", "")[number % 3])
        made.rows.append(row | {"手机号": next(spellings)(row["手机号"])})
    made.add("PHONE_INVALID", *(a_row(手机号=phone()[:-1]) for _ in range(4)))
    made.add("PHONE_MISSING", *(a_row(手机号="") for _ in range(3)))
    made.add("EMAIL_INVALID", a_row(邮箱="not-an-email"), a_row(邮箱="a@b"))
    made.add("BIRTHDAY_IMPOSSIBLE", a_row(生日="2026-02-30"), a_row(生日="2031-01-01"), a_row(生日="1776-07-04"))
    made.add(
        "IDENTITY_NUMBER",
        a_row(备注="身份证 11010519491231002X"),
        a_row(收货地址="证件 １１０１０５１９４９１２３１００２Ｘ 自取"),
    )
    made.add("FORMULA", a_row(姓名='=HYPERLINK("http://evil.example","x")'), a_row(备注="@SUM(A1:A9)"))
    made.add("NUMBER_INVALID", a_row(积分="一千"))
    made.add("WORD_UNKNOWN", a_row(短信营销="也许"))
    made.add("DATE_INVALID", a_row(入会时间="去年"), a_row(入会时间="2027-01-01"))
    made.add("DUPLICATE", *(a_row(手机号=made.rows[number]["手机号"]) for number in (0, 1, 5)))
    made.add("IDENTITY_CONFLICT", a_row(微信openid=made.rows[2]["微信openid"]))
    made.add("MEMBER_NUMBER_REPEATED", a_row(会员编号=made.rows[3]["会员编号"]))
    return made


def write(
    path: Path, rows: Iterable[Row], *, header: Sequence[str] = HEADER, encoding: str = "utf-8", delimiter: str = ","
) -> Path:
    """A text file."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows([row[name] for name in header] for row in rows)
    return path


def write_workbook(path: Path, rows: Iterable[Row], *, header: Sequence[str] = HEADER) -> Path:
    """An XLSX file: dates as dates and numbers as numbers, as Excel would keep them."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(header))
    for row in rows:
        sheet.append([_cell(name, row[name]) for name in header])
    book.save(path)
    return path


async def load(
    running: Parts,
    path: Path,
    *,
    rejects: Path | None = None,
    provenance: Provenance | None = None,
    mapped_by: Path | None = None,
    dry_run: bool = False,
    role: str = "import_operator",
    ignore_unmapped: bool = False,
    size: int = BATCH,
    progress: Callable[[int], object] = bool,
) -> Outcome:
    """`menshen import`, below its command line. A small `size` makes many batches of few rows."""
    more = {"mapped_by": mapped_by} if mapped_by else {}
    job = understand(path, running.catalogue, now=running.clock(), provenance=provenance, ignore_unmapped=ignore_unmapped, **more)
    with RejectFile(rejects) as listed:
        intake = Intake(running.units, a_call(role), job, rejects=listed, progress=progress, size=size)
        return await (intake.check() if dry_run else intake.load())


def rejects_of(path: Path) -> list[tuple[str, str, str]]:
    """Line, column and code of a reject file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row[0], row[1], row[2]) for row in list(csv.reader(file))[1:]]


def _cell(name: str, text: str) -> object:
    if not text:
        return None
    if name in {"生日", "入会时间"} and len(text) == 10 and text[4] == "-" and text != "2026-02-30":
        return date.fromisoformat(text)
    return int(text) if name in {"手机号", "积分"} and text.isascii() and text.isdecimal() else text


def _same(text: str) -> str:
    return text


def _plus(text: str) -> str:
    return f"+86 {text[:3]} {text[3:7]} {text[7:]}"


def _zeros(text: str) -> str:
    return f"0086{text}"


def _dashed(text: str) -> str:
    return f"{text[:3]}-{text[3:7]}-{text[7:]}"


def _spaced(text: str) -> str:
    return f" {text} "


def _wide(text: str) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) for digit in text)
