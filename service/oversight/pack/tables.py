"""The data files of a pack as columns and rows of text, whatever they come from: the database, the log, the register."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.clock import day_in_shanghai
from policies.terms import Catalogue
from service.audit.entry import parse_entry
from service.db.engine import Database
from service.errors import Malformed
from service.oversight.pack import store
from service.values import utc_text

_DAYS = {"decided_at": "decided_on", "done_at": "done_on"}
"""Moments that are held against a last day: the day of them in Shanghai stands beside."""

_LOG = ("index", "at", "typ", "operation", "decision", "reason", "purpose", "basis", "actor", "count", "subjects", "leaf")
_PURPOSES = (
    "digest",
    "since",
    "purpose",
    "basis",
    "class",
    "automated",
    "separate",
    "sensitive",
    "children",
    "retention_months",
    "assessment",
)
_RECIPIENTS = ("digest", "since", "purpose", "recipient", "role", "region", "contract")
_NOTICES = ("version", "kind", "effective_at", "supersedes", "language", "sha256")


@dataclass(frozen=True, slots=True)
class Table:
    """One data file to be."""

    name: str
    columns: tuple[str, ...]
    rows: AsyncIterator[list[str]]


async def tables(database: Database, catalogue: Catalogue, since: datetime, until: datetime) -> AsyncIterator[Table]:
    """Every data file of a period, in the order of the archive."""
    registers = list(_active(await store.registers(database, until), since))
    yield Table("data/purposes.csv", _PURPOSES, _listed(_purposes(registers)))
    yield Table("data/recipients.csv", _RECIPIENTS, _listed(_recipients(registers)))
    yield Table("data/notices.csv", _NOTICES, _listed(_notices(catalogue, until)))
    for source in store.SOURCES:
        days = [(index, _DAYS[name]) for index, name in enumerate(source.columns) if name in _DAYS]
        columns = (*source.columns, *(name for _, name in days))
        yield Table(source.name, columns, _with_days(store.rows(database, source, since, until), [index for index, _ in days]))
    yield Table("data/log.csv", _LOG, _log(database, since, until))


def _active(served: list[tuple[datetime, str, str]], since: datetime) -> Iterator[tuple[datetime, str, Mapping[str, Any]]]:
    """What was served under at any time of the period: all that began in it, and the one that it began with."""
    for place, (at, digest, body) in enumerate(served):
        followed = served[place + 1][0] if place + 1 < len(served) else None
        if followed is None or followed > since:
            yield at, digest, json.loads(body)["activities"]


def _purposes(registers: list[tuple[datetime, str, Mapping[str, Any]]]) -> Iterator[list[str]]:
    for at, digest, activities in registers:
        for key, one in activities.items():
            flags = (one["automatedDecision"], one["separateConsent"], len(one["sensitiveFields"]), one["ofChildren"])
            counts = [str(int(flag)) for flag in flags]
            yield [digest, utc_text(at), key, one["basis"], one["class"], *counts, str(one["retentionMonths"]), one["assessment"]]


def _recipients(registers: list[tuple[datetime, str, Mapping[str, Any]]]) -> Iterator[list[str]]:
    for at, digest, activities in registers:
        for key, one in activities.items():
            for told in one["recipients"]:
                yield [digest, utc_text(at), key, told["key"], told["role"], told["region"], told["contract"]]


def _notices(catalogue: Catalogue, until: datetime) -> Iterator[list[str]]:
    for version, notice in sorted(catalogue.notices.items()):
        if notice.effective_at < until:
            for language, digest in sorted(notice.digests.items()):
                yield [version, notice.kind, utc_text(notice.effective_at), notice.supersedes or "", language, digest]


async def _listed(found: Iterator[list[str]]) -> AsyncIterator[list[str]]:
    for row in found:
        yield row


async def _with_days(rows: AsyncIterator[list[str]], moments: list[int]) -> AsyncIterator[list[str]]:
    async for row in rows:
        yield row + [day_in_shanghai(datetime.fromisoformat(row[index])).isoformat() if row[index] else "" for index in moments]


async def _log(database: Database, since: datetime, until: datetime) -> AsyncIterator[list[str]]:
    """The log without who: by its leaf hash every row is found again in an export of the log, and proven there."""
    async for index, raw, leaf in store.entries(database, since, until):
        try:
            entry = parse_entry(raw)
        except Malformed:
            yield [str(index), *[""] * (len(_LOG) - 2), bytes(leaf).hex()]
            continue
        said = [str(entry.get(key, "")) for key in ("ts", "typ", "op", "dec", "rsn", "pur", "bas")]
        yield [str(index), *said, entry["act"]["k"], str(entry.get("cnt", "")), str(len(entry.get("sub", ()))), bytes(leaf).hex()]
