"""What the archive knows without looking: where a tile stands, what a segment is, how long entries are kept. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from menshen_verifier import merkle, tiles
from service.errors import ConfigError, ServiceError

SEGMENT = merkle.TILE_WIDTH**2
"""Entries: one full tile of level 1. Its root is one hash of level 2."""

PARTITION_SEGMENTS = 16
"""Of one partition on PostgreSQL (migrations/partitions.py): pruned together, they leave without a row being touched."""

ENTRIES = "entries"
FEWEST_MONTHS = 6
"""Cybersecurity Law 23(3): network logs are kept for at least six months."""

FEWEST_DAYS = timedelta(days=184)
"""Six months at their longest: from February to July they have 181 days, and nobody has to count which six somebody means."""

_NUMBER = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_LEVEL = re.compile(r"0|[1-9]|[1-5][0-9]|6[0-3]")


@dataclass(frozen=True, slots=True)
class Where:
    """A tile of hashes, or (level None) the bundle of the entries under a tile of level 0. `width` is 256 for a full one."""

    level: int | None
    n: int
    width: int

    def within(self, size: int) -> bool:
        """Whether a tree of `size` has it. What a smaller tree had, this one has too."""
        return self.n * merkle.TILE_WIDTH + self.width <= size >> merkle.TILE_HEIGHT * (self.level or 0)


def where(level: str, number: str) -> Where | None:
    """The tile at `tile/<level>/<number>` of C2SP tlog-tiles, level `entries` for bundles. None for what is no such address."""
    found = _NUMBER.fullmatch(number)
    if found is None or not (level == ENTRIES or _LEVEL.fullmatch(level)):
        return None
    n = int(re.sub(r"[x/]", "", found[1]))
    width = int(found[2] or merkle.TILE_WIDTH)
    # One tile has one address: x000/001 is none.
    canonical = tiles.bundle_path(n, width).removeprefix("tile/entries/") == number
    return Where(None if level == ENTRIES else int(level), n, width) if canonical and 0 < width <= merkle.TILE_WIDTH else None


@dataclass(frozen=True, slots=True)
class Segment:
    """Entries `first` to `last` of the log, which were archived at `uri` under checkpoint `size`; `digest` is that of its manifest."""

    n: int
    root: bytes
    size: int
    first_ts: str
    last_ts: str
    uri: str
    digest: bytes
    archived_at: datetime
    pruned_at: datetime | None = None

    @property
    def first(self) -> int:
        """Its first index."""
        return self.n * SEGMENT

    @property
    def end(self) -> int:
        """One past its last index."""
        return self.first + SEGMENT


def subtree_path(first: int, last: int, size: int) -> list[tuple[int, int]]:
    """For each hash from the subtree over these leaves up to the root of a tree of `size`, the leaves it covers, the nearest first."""
    return [(start, end) for start, end in merkle.path_spans(first, size) if end <= first or start >= last]


def climbed(root: bytes, spans: Sequence[tuple[int, int]], path: Sequence[bytes], first: int) -> bytes:
    """The root that the subtree beginning at `first` comes to with these hashes beside it. Raises ValueError for too many or too few."""
    for (start, _), other in zip(spans, path, strict=True):
        root = merkle.node_hash(root, other) if start > first else merkle.node_hash(other, root)
    return root


def kept_since(now: datetime, months: int) -> datetime:
    """Entries from this moment on are kept. Raises ConfigError for a time that the law does not allow."""
    if months < FEWEST_MONTHS:
        raise ConfigError(f"MENSHEN_AUDIT_MONTHS: network logs are kept for {FEWEST_MONTHS} months at least (CSL 23(3))")
    month = now.year * 12 + now.month - 1 - months
    # The same day of that month or, where it has none, its last hours are kept as well: rather a day more than one less.
    return min(now.replace(year=month // 12, month=month % 12 + 1, day=min(now.day, 28)), now - FEWEST_DAYS)


class TailRefused(ServiceError):
    """Why a folder's entries are not brought back. Nothing was changed."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.zh, self.en = REFUSALS[code]
        super().__init__(f"{self.en} ({detail})" if detail else self.en)


REFUSALS = {
    "TAIL_NOT_A_COPY": (
        "该文件夹不是镜像、导出或归档。",
        "The folder is no mirror's, no export, no archive, or cannot be read.",
    ),
    "TAIL_OF_ANOTHER_LOG": ("检查点属于另一日志。", "The checkpoint is of another log; is MENSHEN_ORIGIN the one it was?"),
    "TAIL_NOT_SIGNED": ("检查点没有本日志密钥的签名。", "The log's own key did not sign the checkpoint."),
    "TAIL_NOT_WITNESSED": (
        "检查点未经足够的见证者会签（MENSHEN_WITNESSES）。",
        "Too few of the witnesses in MENSHEN_WITNESSES have cosigned the checkpoint.",
    ),
    "TAIL_SHORTER": (
        "该副本不比数据库长，其中没有可恢复的条目。",
        "The copy is not longer than the database's log, which has all of it: there is nothing to bring back.",
    ),
    "TAIL_GAP": (
        "副本与数据库之间缺少条目，请换更完整的副本。",
        "Entries are missing between the database's end and where the copy begins; take a fuller copy.",
    ),
    "TAIL_FORKED": (
        "分叉：数据库与已签名的日志在同一位置内容不同。请保全两者、停止写入并交安全人员调查；不得覆盖。",
        "Forked: at one size the database and the signed log differ. Keep both and have them examined; nothing is written over.",
    ),
    "TAIL_DOES_NOT_FIT": (
        "副本中的条目与其检查点不符（损坏或被改），请换另一副本。",
        "The copy's entries do not come to its checkpoint: they rotted or were altered. Take another copy.",
    ),
}


class GenesisRefused(ServiceError):
    """Why the log is not closed. Nothing was changed in the database."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.zh, self.en = CLOSING[code]
        super().__init__(f"{self.en} ({detail})" if detail else self.en)


CLOSING = {
    "GENESIS_NOTE_OF_ANOTHER_LOG": (
        "--last 不是本日志的检查点。",
        "--last is no checkpoint of this log; is MENSHEN_ORIGIN the one it was?",
    ),
    "GENESIS_NOTE_NOT_SIGNED": ("--last 没有本日志密钥的签名。", "The log's own key did not sign --last."),
    "GENESIS_NOTE_OLD": (
        "--last 早于数据库中的检查点，请找出现存最新的检查点。",
        "--last is older than what the database itself has; look for the newest note that anybody has.",
    ),
    "GENESIS_FORKED": (
        "分叉：数据库与已签名的日志在同一位置内容不同。请停止写入，保全两者，交安全人员调查；不得以新日志掩盖。",
        "Forked: at one size the database and what was signed differ. Keep both and have them examined; no new log covers that up.",
    ),
    "GENESIS_NOTHING_LOST": (
        "本机、签名进程、见证者和 --last 均未记录更多条目：日志没有丢失，不得终结。",
        "Nobody remembers more than the database has: nothing was lost, and a whole log is not closed.",
    ),
    "GENESIS_NOTHING_SIGNED": (
        "数据库中没有任何已签名的检查点，无法留存可验证的部分。",
        "No checkpoint in the database is signed: nothing of what is left could be kept so that it verifies.",
    ),
    "GENESIS_NOT_WHOLE": (
        "留存的部分未通过离线验证，日志未终结：请先 `menshen audit verify`，并恢复较旧而完整的备份。",
        "What is left does not verify, so nothing was removed: `menshen audit verify`, and put back an older dump that is whole.",
    ),
    "GENESIS_NAME": (
        "新日志须沿用原名并加更大的编号，如 members.example.cn/audit/2。",
        "The new log has the old one's name and a larger number behind it: members.example.cn/audit/2.",
    ),
    "GENESIS_SAME_PERSON": (
        "终结日志须由两人共同决定：--approver 须为另一人。",
        "To close a log takes two persons: --approver names the other.",
    ),
    "GENESIS_NOT_THE_OWNER": (
        "须以数据表所有者（执行 `menshen migrate` 的账号）连接数据库。",
        "It takes the account that owns the tables, the one of `menshen migrate`: set MENSHEN_DATABASE_URL to it.",
    ),
}
