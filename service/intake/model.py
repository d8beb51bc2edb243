"""The words of an import: what can be wrong with a file or a row, and what came of it. No word here can hold a member's value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from policies.naming import Title
from policies.terms import ConsentState, LookupKind, MemberStatus
from service.errors import BadInput
from service.vault.vault import Value


class Code(StrEnum):
    """Why a row is not loaded. Part of the public contract: reject files are read by scripts."""

    PHONE_MISSING = "PHONE_MISSING"
    PHONE_INVALID = "PHONE_INVALID"
    EMAIL_INVALID = "EMAIL_INVALID"
    IDENTIFIER_INVALID = "IDENTIFIER_INVALID"
    DATE_INVALID = "DATE_INVALID"
    BIRTHDAY_IMPOSSIBLE = "BIRTHDAY_IMPOSSIBLE"
    NUMBER_INVALID = "NUMBER_INVALID"
    WORD_UNKNOWN = "WORD_UNKNOWN"
    TAG_UNKNOWN = "TAG_UNKNOWN"
    FORMULA = "FORMULA"
    CELL_ERROR = "CELL_ERROR"
    CONTROL_CHARACTER = "CONTROL_CHARACTER"
    TOO_LONG = "TOO_LONG"
    IDENTITY_NUMBER = "IDENTITY_NUMBER"
    CONTACT_UNSEALED = "CONTACT_UNSEALED"
    CELLS_MISSING = "CELLS_MISSING"
    CELLS_EXTRA = "CELLS_EXTRA"
    CELL_WITHOUT_HEADER = "CELL_WITHOUT_HEADER"
    QUOTES = "QUOTES"
    DUPLICATE = "DUPLICATE"
    IDENTITY_CONFLICT = "IDENTITY_CONFLICT"
    MEMBER_NUMBER_REPEATED = "MEMBER_NUMBER_REPEATED"
    LEFT_OUT = "LEFT_OUT"


REASONS: Mapping[Code, Title] = {
    Code.PHONE_MISSING: Title("没有手机号；会员必须有手机号。", "There is no phone number; a member needs one."),
    Code.PHONE_INVALID: Title("不是有效的手机号码。", "This is not a valid mobile number."),
    Code.EMAIL_INVALID: Title("不是可用的邮箱地址。", "This cannot be an e-mail address."),
    Code.IDENTIFIER_INVALID: Title(
        "标识符只能由字母、数字、“_”和“-”组成。", "An identifier is made of letters, digits, '_' and '-'."
    ),
    Code.DATE_INVALID: Title("不是有效的日期，或在今天之后。", "This is no date, or one that is yet to come."),
    Code.BIRTHDAY_IMPOSSIBLE: Title("生日不可能存在。", "Nobody can have this birthday."),
    Code.NUMBER_INVALID: Title("应为不小于零的整数。", "A whole number, zero or more, is needed."),
    Code.WORD_UNKNOWN: Title("不在映射文件列出的取值之内。", "The mapping file does not list this word."),
    Code.TAG_UNKNOWN: Title("标签不在词表（tags.toml）之内。", "A tag is not a word of the vocabulary (tags.toml)."),
    Code.FORMULA: Title("内容是电子表格公式。", "This is a spreadsheet formula."),
    Code.CELL_ERROR: Title("单元格是电子表格的错误值。", "This cell holds a spreadsheet's error."),
    Code.CONTROL_CHARACTER: Title("含有不可见的控制字符。", "There is an invisible control character."),
    Code.TOO_LONG: Title("超过该字段允许的长度。", "This is longer than the field allows."),
    Code.IDENTITY_NUMBER: Title("含有身份证号码，不得收集。", "There is an identity-card number, which must not be collected."),
    Code.CONTACT_UNSEALED: Title(
        "此列以明文保存，不得含有手机号或邮箱。", "This column is kept unsealed; it may hold no phone number and no address."
    ),
    Code.CELLS_MISSING: Title("该行的列数少于表头。", "The row has fewer cells than the header."),
    Code.CELLS_EXTRA: Title("该行的列数多于表头。", "The row has more cells than the header."),
    Code.CELL_WITHOUT_HEADER: Title("该列没有表头，却有内容。", "There is a value in a column without a header."),
    Code.QUOTES: Title("引号不配对。", "The quotation marks do not match."),
    Code.DUPLICATE: Title(
        "该手机号已属于一位会员；导入从不覆盖。", "A member has this phone already; an import never overwrites."
    ),
    Code.IDENTITY_CONFLICT: Title("该标识已属于另一位会员。", "Another member holds this identity."),
    Code.MEMBER_NUMBER_REPEATED: Title("会员编号在本文件中重复。", "This file has the same member number before."),
    Code.LEFT_OUT: Title(
        "先前的运行未导入此行，其原因现已不成立；请另行导入。",
        "An earlier run left this row out for a reason that no longer holds; import it in a file of its own.",
    ),
}


@dataclass(frozen=True, slots=True)
class Reject:
    """One thing wrong with one row: where (`line` is "12", or "12-15" where quotes span lines), in which column, and why.

    `first` is the line of the row that this one repeats, where that row stands in the same file.
    """

    line: str
    column: str
    code: Code
    first: int | None = None


class RawRow(NamedTuple):
    """One row as it stands in the file, from `line` to `last`. `damage` says that its cells cannot be told apart."""

    line: int
    last: int
    cells: Sequence[str]
    damage: Code | None = None

    @property
    def place(self) -> str:
        """The line as a report names it."""
        return str(self.line) if self.last <= self.line else f"{self.line}-{self.last}"


class FileProblem(BadInput):
    """The file or its mapping as a whole cannot be taken, so nothing of it is. `zh` and `en` quote headers, never a cell."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en, code=code)
        self.zh = zh
        self.en = en


class ImportBusy(FileProblem):
    """Another process is loading the same file at this moment."""

    def __init__(self) -> None:
        super().__init__(
            "IMPORT_BUSY",
            "另一个进程正在导入同一文件；请等它结束后再运行。",
            "Another process is loading this very file; run this again when it has ended.",
        )


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a row comes from (LB-08). A yes to marketing counts only when all three are known."""

    source: str = ""
    collected_on: date | None = None
    evidence_uri: str = ""

    @property
    def complete(self) -> bool:
        """Whether there is enough to prove where the row was collected."""
        return bool(self.source and self.collected_on and self.evidence_uri)


@dataclass(frozen=True, slots=True)
class Flag:
    """What the file says about one consent-based purpose, the state that this is worth, and when a proven yes ends."""

    purpose: str
    state: ConsentState
    claimed_at: datetime | None
    claimed_notice: str
    ends: datetime | None


class Candidate(NamedTuple):
    """One row that has passed every rule that needs no database.

    `row` counts the file's rows from 0, `line` is where it stands. `number` is a hash of the shop's member number, good in this
    process only. `sealed` are values that nobody may read, `plain` those kept as they are; `lookups` are the fields a member is
    found by, each with its normalised value.
    """

    row: int
    line: int
    number: bytes | None
    sealed: Mapping[str, Value]
    plain: Mapping[str, Value]
    status: MemberStatus
    lookups: tuple[tuple[str, str, LookupKind], ...]
    flags: tuple[Flag, ...]
    provenance: Provenance
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """How far an import has come, as the database knows it."""

    started_at: datetime
    rows_done: int
    finished_at: datetime | None


@dataclass(slots=True)
class Tally:
    """What came of the rows. It adds up: read = made + duplicates + rejected."""

    read: int = 0
    made: int = 0
    guardian_pending: int = 0
    duplicates: int = 0
    rejected: int = 0
    codes: Counter[Code] = field(default_factory=Counter)
    consents: Counter[tuple[str, ConsentState]] = field(default_factory=Counter)

    def add_made(self, candidate: Candidate) -> None:
        """Count a row that became a member."""
        self.made += 1
        self.guardian_pending += candidate.status is MemberStatus.GUARDIAN_PENDING
        self.consents.update((flag.purpose, flag.state) for flag in candidate.flags)

    def add_refused(self, rejects: tuple[Reject, ...]) -> None:
        """Count a row that did not, once, and each of its reasons."""
        duplicate = any(reject.code is Code.DUPLICATE for reject in rejects)
        self.duplicates += duplicate
        self.rejected += not duplicate
        self.codes.update(reject.code for reject in rejects)
