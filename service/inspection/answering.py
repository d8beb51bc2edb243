"""Who has seen this, and is that all: the answer in one file, with the log itself in it (docs/formats/audit-answer.md).

Completeness cannot be shown by rows: only by everything among which they stand. So the whole log since the time in question goes along,
as it is exported to auditors: pseudonyms that change every month, fields' names, no value. What tells the member apart from the others in
it are the names of the months, which are disclosed for this answer alone.
"""

import asyncio
import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from menshen_verifier.answer import FILE, FOLDER, FORMAT
from service.approvals import exports
from service.approvals.exports import Export
from service.archive import exporting, files
from service.archive import queries as archive
from service.archive.proofs import covering
from service.archive.queries import Asked
from service.archive.store import entries
from service.audit import store as log
from service.audit.entry import named_in
from service.checkpoints.model import Noted
from service.checkpoints.trust import Trust
from service.db.engine import Database, Session
from service.errors import BadInput, LogBroken, RecordUnavailable
from service.files import put_whole, whole
from service.inspection import people, searching
from service.inspection.model import Filter, Status
from service.inspection.proving import in_parts, proofs
from service.unit import Unit
from service.values import MemberId, Progress, utc_text

_MARGIN = timedelta(hours=1)
"""The export begins so much earlier, so that it is seen that the log had not yet come to the time in question."""

_README = """这是“谁看过某会员的某项信息、是否全部”的答复。核对方法（无需联网，也无需本服务）：
This answers who has seen something of one member, and whether that is all. To check it, offline and without us:

    menshen-verify answer THIS-FILE --policy POLICY

POLICY 为信任策略（C2SP tlog-policy），须经其他途径取得 · the trust policy, which must reach you on another way.

answer.json  问题、该会员各月的假名、条目及其证明 · the question, the member's names by month, the entries with their proofs
export/      该期间的完整日志导出 · the whole log of that time, exported

能证明：所附日志未被改动，符合问题的条目仅为所列各条。
不能证明：假名确属该会员（只有其密钥能算出）；从未写入日志的行为。
It proves that the log in it is the one that was signed, and that no other entry of it answers the question.
It does not prove that the names are this member's (only the member's key makes them), nor tell of what was never written into the log.
"""


@dataclass(frozen=True, slots=True)
class Asking:
    """The question, with the names under which the member stands in the log, and how long the log was when it was asked."""

    names: Mapping[str, str]
    field: str
    since: datetime
    until: datetime
    size: int

    @property
    def filter(self) -> Filter:
        """The same as a search."""
        return Filter(subjects=tuple(self.names.values()), field=self.field, since=self.since, until=self.until)


@dataclass(frozen=True, slots=True)
class Answered:
    """What was written: so many rows, of a log of so many entries, of which so many went along. `doubtful`: without its cosignatures."""

    rows: int
    size: int
    entries: int
    doubtful: bool = False


def leaving(recipient: str, *, since: datetime, until: datetime | None) -> Export:
    """What goes out with an answer, for another person to allow: the log of that time. The question is about one member and is not said."""
    return Export("whoSaw", recipient, f"{utc_text(since)}/{utc_text(until) if until else '-'}")


async def asked(
    unit: Unit,
    trust: Trust,
    *,
    member_id: MemberId,
    field: str,
    since: datetime,
    until: datetime | None,
    recipient: str = "",
) -> Asking:
    """The question. Raises BadInput for nobody, for somebody erased, and for a field that no catalogue has; Refused as `exports.admit`."""
    if field and field not in unit.catalogue.fields:
        raise BadInput("field: no such field", code="FIELD_UNKNOWN")
    end = min(until or unit.now, unit.now)
    if end <= since:
        raise BadInput("--until: after --since")
    keys = await people.keys_of(unit, member_id)
    if keys is None:
        raise BadInput("--member: there is no such member, or it was erased and can no longer be found in the log")
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.extra |= {"from": utc_text(since), "to": utc_text(end)}
    unit.draft.fields = (field,) if field else ()
    head = await log.head(unit.session, unit.vault.origin)
    found = Asking(people.names(unit, keys, since, end), field, since, end, head.size if head else 0)
    newest = await covering(unit.session, trust, found.size)
    unit.draft.count = len(await _rows(unit.session, trust, found, newest)) if newest else 0
    first, _ = await archive.range_of(unit.session, Asked(first=since - _MARGIN))
    along = max(found.size - first, 0)
    unit.draft.extra["along"] = along
    if not await exports.admit(unit, leaving(recipient, since=since, until=until), rows=along):
        unit.draft.shown = named_in(await entries(unit.session, first, found.size))
    return found


async def write(database: Database, trust: Trust, asking: Asking, output: Path, *, progress: Progress) -> Answered:
    """Make the file.

    Raises BadInput where the disk fails us, RecordUnavailable without a checkpoint, LogBroken for a log that is not whole.
    """
    origin, newest = trust.origin, await covering(database.read, trust, asking.size)
    if newest is None:
        raise RecordUnavailable("no signed checkpoint covers the question yet")
    first = await _first(database.read, trust, asking.since - _MARGIN)
    plan = exporting.planned(origin, newest, "who-saw", first=min(first, newest.size - 1), end=None)
    rows = await _rows(database.read, trust, asking, newest)
    folder = output.with_name(f"{output.name}.parts")
    with files.told():
        _not_there(output, folder)
        try:
            files.own_folder(folder / FOLDER)
            done = await exporting.export(database, plan, folder / FOLDER, progress=progress)
            put_whole(folder / FILE, _said(asking, newest, rows))
            put_whole(folder / "README.txt", _README.encode())
            await asyncio.to_thread(_packed, folder, output)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return Answered(len(rows), newest.size, done.count, doubtful=trust.lacks(newest.note))


async def _first(session: Session, trust: Trust, since: datetime) -> int:
    """Where the export begins: before every entry of the time, and not behind what witnesses had seen by then: only that proves it."""
    first, _ = await archive.range_of(session, Asked(first=since))
    here, _ = await archive.range_of(session, Asked())
    return max(here, min(first, await trust.before(session, since))) if trust.witnessed else first


def _not_there(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise BadInput(f"-o: {path.name} is there already; nothing is written over")


async def _rows(session: Session, trust: Trust, asking: Asking, newest: Noted) -> dict[int, str]:
    """Every entry of the signed log that answers, with its proof. Raises LogBroken where one is not whole: nobody can say what is all."""
    found = {}
    there = await searching.look(session, trust.origin)
    lines = [line async for line in searching.find(session, there, asking.filter, before=newest.size)]
    for some in in_parts(lines):
        shown = await proofs(session, trust, newest, [line.index for line in some])
        for line in some:
            proof = shown.of(line.index, bytes.fromhex(line.leaf), extra=line.raw)
            if line.status is Status.BROKEN or proof is None:
                raise LogBroken(f"entry {line.index} is not whole, or archived and not here")
            found[line.index] = proof
    return found


def _said(asking: Asking, newest: Noted, rows: Mapping[int, str]) -> bytes:
    said = {
        "format": FORMAT,
        "question": {"field": asking.field, "since": utc_text(asking.since), "until": utc_text(asking.until)},
        "names": dict(asking.names),
        "checkpoint": newest.note,
        "rows": [{"index": index, "proof": rows[index]} for index in sorted(rows)],
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode()


def _packed(folder: Path, output: Path) -> None:
    """One file of its owner alone, always the same for the same content."""
    with whole(output) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for one in files.listed(folder, but=frozenset()):
            info = zipfile.ZipInfo(one.path)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            with (folder / one.path).open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
