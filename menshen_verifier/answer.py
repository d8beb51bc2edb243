"""An answer to "who has seen this, and is that all?" in one file (docs/formats/audit-answer.md), checked without whoever gave it.

What must be true, in numbered steps that the code repeats:

 (1) The file is a zip with `answer.json` and an export of the log under `export/`.
 (2) The export is the log that was signed, from its first entry to the checkpoint's size (`verify`).
 (3) It begins before the time that was asked about, and goes on to the end. It begins with the log's very first entry, or the quorum had
     cosigned all that lies before its first one earlier than that by more than clocks may differ; where the policy asks for no quorum, the
     first entry's own word counts, for whoever signs such a log alone can make it say anything. And the log had come to the end of that
     time: its last entry or the quorum's cosignature is not older. An answer from an old export says nothing about what was read since.
 (4) There is one name of the member for every month that was asked about.
 (5) The entries with one of these names and the field, in that time, are the ones that the answer has: none is missing, none is more.
 (6) Each row's own proof holds, so that a row can be shown alone.

What it cannot find out: whether the names are this member's (only the member's own key makes them), and what was never written into
the log.
"""

import json
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, cast

from menshen_verifier.entry import parse_entry
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.export import Export, Manifest
from menshen_verifier.findings import Report, Verdict
from menshen_verifier.merkle import TILE_WIDTH
from menshen_verifier.policy import NONE, Policy
from menshen_verifier.proof import check_proof, parse_proof
from menshen_verifier.report import as_object
from menshen_verifier.tiles import parse_bundle
from menshen_verifier.verify import FRESH, TOLERANCE, verify

FORMAT = "menshen/audit-answer/v1"
FILE, FOLDER = "answer.json", "export"
_MOST_ANSWER = 1 << 28
_MOST_RATIO = 100
_MOST_FILES = 1 << 20
_CHUNK = 1 << 20
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Others unpack into as much memory as they like (LZMA names its own), and fail in ways of their own."""
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII)
_FIELD = re.compile(r"(?:[A-Za-z][A-Za-z0-9_.-]{0,59})?", re.ASCII)
_MOST_MONTHS = 1200
_SUCCESSOR = re.compile(r".+/(?:[2-9]|[1-9][0-9]{1,5})", re.ASCII | re.DOTALL)
"""The names that logs have which go on from others (docs/formats/audit-log.md, "A closed log")."""
_FIRST_YEAR, _YEAR_9999 = 1970, 253402300799
_NAME = re.compile(r"p1:[A-Za-z0-9_-]{21}[AQgw]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Question:
    """Who has seen `field` (any, where it is "") of the member with these names, by month, from one moment until before another."""

    names: Mapping[str, str]
    field: str
    since: str
    until: str

    def takes(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry is part of the answer."""
        return (
            self._named(entry)
            and self.since <= entry["ts"] < self.until
            and (not self.field or self.field in entry.get("fld", ()))
        )

    def _named(self, entry: Mapping[str, Any]) -> bool:
        return not set(self.names.values()).isdisjoint(entry.get("sub", ()))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the file says, before anything of it is believed. `rows` are proofs by index."""

    question: Question
    rows: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is true of it. `missing` are entries that the answer keeps quiet about, `surplus` those that it has without right."""

    report: Report
    question: Question
    rows: tuple[tuple[int, Mapping[str, Any]], ...]
    missing: tuple[int, ...]
    surplus: tuple[int, ...]
    covered: bool
    """Whether the export has the whole time that was asked about."""

    @property
    def complete(self) -> bool:
        """Whether this is all."""
        whole = self.report.verdict is Verdict.OK and self.covered
        return whole and not self.missing and not self.surplus


def check_answer(path: Path, policy: Policy, *, now: int, since: bytes | None = None) -> Checked:
    """Check the file. Raises Malformed, Forged, OSError where it cannot be found out."""
    with tempfile.TemporaryDirectory(prefix="menshen-answer-") as made:
        folder = Path(made)
        _unpack(path, folder)  # (1)
        answer = parse_answer((folder / FILE).read_bytes())
        # How fresh it is, whoever asked decides: an answer stays true.
        report = verify(folder / FOLDER, policy, now=now, since=since, fresh=max(now, FRESH))  # (2)
        export = Export(folder / FOLDER)
        manifest = export.manifest(origin=report.origin, size=report.size)
        _months(answer.question)  # (4)
        found: dict[int, Mapping[str, Any]] = {}
        oldest = ""
        for index, raw in _entries(export, manifest):
            entry = _entry(raw)
            oldest = oldest or str(entry["ts"])
            if answer.question.takes(entry):
                found[index] = parse_entry(raw)
        proven = {index: _row(index, text, policy) for index, text in answer.rows.items()}  # (6)
    missing = sorted(found.keys() - proven.keys())  # (5)
    surplus = sorted(index for index, entry in proven.items() if found.get(index) != entry)
    # A log that goes on from another has a first entry, and is not the first log: its entry says so, or its name, which is in the policy.
    earliest = manifest.first == 0 and report.continues is None and not _SUCCESSOR.fullmatch(report.origin)
    begun = earliest or _begun(report, policy, oldest) < _earlier(answer.question.since)  # (3)
    whole = begun and manifest.end == report.size and _reached(report) >= _earlier(answer.question.until)
    return Checked(report, answer.question, tuple(sorted(found.items())), tuple(missing), tuple(surplus), whole)


def parse_answer(raw: bytes) -> Answer:
    """What `answer.json` says. Raises Malformed."""
    try:
        said = json.loads(raw)
        asked = said["question"]
        question = Question(dict(said["names"]), asked["field"], asked["since"], asked["until"])
        rows = {row["index"]: row["proof"] for row in said["rows"]}
        texts = [question.field, *question.names, *question.names.values(), *rows.values()]
        if said["format"] != FORMAT or not all(isinstance(text, str) for text in texts) or len(rows) != len(said["rows"]):
            raise Malformed("answer: another format")
        if any(type(index) is not int or index < 0 for index in rows):
            raise Malformed("answer: an index that is none")
        if not all(_MOMENT.fullmatch(moment) for moment in (question.since, question.until)) or question.until <= question.since:
            raise Malformed("answer: a moment that is none, or an end before its beginning")
        if not _FIELD.fullmatch(question.field):
            raise Malformed("answer: a field that is none")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Malformed("answer: answer.json is none") from None
    return Answer(question, rows)


def _unpack(path: Path, folder: Path) -> None:
    """Into an empty folder, nothing beside it, and not more than such a file can hold. Raises Malformed."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
            whole = sum(one.file_size for one in found)
            if len(found) > _MOST_FILES or whole > _MOST_RATIO * path.stat().st_size + _CHUNK:
                raise Malformed("answer: more in it than such a file can hold")
            if any(one.compress_type not in _PACKED for one in found):
                raise Malformed("answer: packed in a way that no such file is")
            for one in found:
                _unpack_one(archive, one, folder)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        zlib.error,
        struct.error,
    ):
        raise Malformed("answer: no zip") from None
    if not (folder / FILE).is_file() or (folder / FILE).stat().st_size > _MOST_ANSWER:
        raise Malformed("answer: there is no answer.json")


def _unpack_one(archive: zipfile.ZipFile, one: zipfile.ZipInfo, folder: Path) -> None:
    parts = PurePosixPath(one.filename).parts
    if one.is_dir() or not parts or not all(_PART.fullmatch(part) for part in parts):
        raise Malformed("answer: a name that no such file has")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    left = one.file_size
    with archive.open(one) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise Malformed("answer: a file that is longer than it says")
            file.write(chunk)


def _months(question: Question) -> None:
    """A name for every month, and no month twice. Raises Malformed."""
    first, last = _earlier(question.since)[:7], _before(question.until)[:7]
    wanted: set[str] = set()
    while first <= last:
        wanted.add(first)
        if len(wanted) > _MOST_MONTHS:
            raise Malformed("answer: more months than anybody asks about")
        year, month = int(first[:4]), int(first[5:])
        first = f"{year + month // 12:04d}-{month % 12 + 1:02d}"
    names = question.names
    if not wanted <= names.keys() or len(set(names.values())) != len(names):
        raise Malformed("answer: a month that was asked about has no name of its own")
    if not all(_NAME.fullmatch(name) for name in names.values()):
        raise Malformed("answer: a name that is none")


def _earlier(moment: str) -> str:
    """As much before as clocks may differ."""
    return _text(_moment(moment) - timedelta(seconds=TOLERANCE))


def _begun(report: Report, policy: Policy, oldest: str) -> str:
    """The moment before which everything lies that the export leaves out. One entry's word for it is nothing: its writer chose it."""
    if policy.quorum == NONE:
        return oldest
    return _text(datetime.fromtimestamp(min(_YEAR_9999 if report.begun_at is None else report.begun_at, _YEAR_9999), UTC))


def _reached(report: Report) -> str:
    """How far the log had come: as its last entries say, or as the quorum did."""
    seen = "" if report.cosigned_at is None else _text(datetime.fromtimestamp(min(report.cosigned_at, _YEAR_9999), UTC))
    return max(report.last_ts, seen)


def _before(moment: str) -> str:
    return _text(_moment(moment) - timedelta(microseconds=1))


def _moment(text: str) -> datetime:
    try:
        found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        raise Malformed("answer: a moment that is none") from None
    if found.year < _FIRST_YEAR:
        raise Malformed("answer: a moment before anybody kept logs")
    return found


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _entries(export: Export, manifest: Manifest) -> Iterator[tuple[int, bytes]]:
    """Every entry of the range. Raises Malformed where a bundle is missing or is none."""
    for n in range(manifest.first // TILE_WIDTH, -(-manifest.end // TILE_WIDTH)):
        raw = export.bundle(n, min(TILE_WIDTH, manifest.size - n * TILE_WIDTH))
        if raw is None:
            raise Malformed("answer: entries are missing in the export")
        for index, one in enumerate(parse_bundle(raw), start=n * TILE_WIDTH):
            if manifest.first <= index < manifest.end:
                yield index, one


def _entry(raw: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(raw)
        lists = [entry.get(key, []) for key in ("sub", "fld")]
        texts = [entry["ts"], *(text for one in lists for text in one)]
        if all(isinstance(one, list) for one in lists) and all(isinstance(text, str) for text in texts):
            return cast("dict[str, Any]", entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise Malformed("answer: an entry that is none")


def _row(index: int, text: str, policy: Policy) -> Mapping[str, Any]:
    proven = check_proof(parse_proof(text.encode("utf-8", "surrogateescape")), policy)
    if proven.index != index:
        raise Forged("answer: a proof of another entry")
    return parse_entry(proven.entry)


def as_json(found: Checked, cost: Mapping[str, Any]) -> str:
    """The result as one object: `log` is the export's report, `rows` are the entries that answer. `cost` is what it took."""
    asked = found.question
    told = {
        "complete": found.complete,
        "covered": found.covered,
        "question": {"field": asked.field, "since": asked.since, "until": asked.until},
        "rows": [{"index": index, "entry": entry} for index, entry in found.rows],
        "missing": found.missing,
        "surplus": found.surplus,
        "log": as_object(found.report),
        "cost": dict(cost),
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def page(found: Checked) -> str:
    """The result on one page, 中文 and English."""
    asked, report = found.question, found.report
    result = "完整 COMPLETE" if found.complete else "不完整 NOT COMPLETE"
    lines = [
        f"{result}：{report.origin}，检查点 checkpoint {report.size:,}，日志 log {report.verdict.value}",
        f"问题 question：字段 field {asked.field or '*'}，{asked.since} – {asked.until}",
        f"共 {len(found.rows)} 条 entries in the log that answer it：",
    ]
    lines += [f"  {index:>10}  {_told(entry)}" for index, entry in found.rows]
    if found.missing:
        lines.append(f"  答复遗漏 missing in the answer：{', '.join(map(str, found.missing[:20]))}")
    if found.surplus:
        lines.append(f"  答复多出 not in the log as told：{', '.join(map(str, found.surplus[:20]))}")
    if report.continues is not None:
        lines.append(
            f"  本日志承接已终结的 {report.continues[0]}，此前的条目不在其中 · it goes on from that one; what was before is not here"
        )
    if not found.covered:
        lines.append("  导出范围未覆盖所问期间 the export does not cover the whole time that was asked about")
    lines += [
        "证明了：所附导出就是已签名的日志，其中符合问题的条目仅以上各条。",
        "未证明：这些假名属于该会员（只有其密钥能算出）；从未写入日志的行为。",
        "Proven: the export is the log that was signed, and these are all its entries that answer the question.",
        "Not proven: that the names are this member's (only the member's key makes them), and what was never written into the log.",
    ]
    return "\n".join(lines) + "\n"


def _told(entry: Mapping[str, Any]) -> str:
    act = entry.get("act", {})
    who = f"{act.get('k', '')}:{act.get('id', '')} ({' '.join(act.get('role', ()))})"
    done, why = f"{entry.get('typ', '')} {entry.get('op', '')}", f"{entry.get('pur', '—')} {entry.get('bas', '—')}"
    return f"{entry['ts']}  {done}  {who}  {why}  {entry.get('dec', '')}"
