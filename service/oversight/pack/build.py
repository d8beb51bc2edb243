"""Building a pack: each data file is written row by row while its figures are counted, then figures, page and the signed manifest. Memory
does not grow with the rows, and the same state gives the same bytes: no clock, no chance and no machine's order comes in but `now`.
"""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import IO, Any

from menshen_verifier.figures import Tally, Value, parse_definition
from menshen_verifier.note import Key, Kind
from menshen_verifier.pack import FIGURES as FIGURES_FILE
from menshen_verifier.pack import LABEL, MANIFEST
from policies.clock import start_of_day
from policies.terms import Catalogue
from service.db.engine import Database
from service.errors import BadInput
from service.oversight.pack.figures import TOPICS, Figure, figures
from service.oversight.pack.gaps import GAPS
from service.oversight.pack.page import NAME, page
from service.oversight.pack.tables import Table, tables
from service.values import utc_text
from service.vault.vault import Vault

KEY_USE = "pack"
"""The keyring's use whose keys sign packs and nothing else."""

LONGEST_DAYS = 366 * 4
_MADE = (1980, 1, 1, 0, 0, 0)
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Built:
    """A pack that was written: what it comes to, and the manifest with its signature."""

    since: date
    until: date
    values: Mapping[str, Value]
    rows: int
    manifest: str
    vkeys: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Of the manifest: it names every byte of the pack."""
        return sha256(self.manifest.encode()).hexdigest()


class Nowhere(io.RawIOBase):
    """Where a pack goes of which only the figures are wanted."""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, raw: Any, /) -> int:  # noqa: ANN401 - as the base class has it
        """All of it, into nothing."""
        return len(raw)


def keys(vault: Vault, catalogue: Catalogue) -> tuple[Key, ...]:
    """What proves packs, the key that signs now first."""
    name = f"{catalogue.controller.id}/audit-pack"
    return tuple(Key(name, Kind.ED25519, key.raw) for key in vault.public_keys(KEY_USE))


async def build(
    database: Database,
    vault: Vault,
    catalogue: Catalogue,
    *,
    policy: str,
    since: date,
    until: date,
    now: datetime,
    into: IO[bytes],
) -> Built:
    """Write the pack of the days from `since` to `until`, both of them whole. `policy` is whose signatures under checkpoints count.

    Raises BadInput for a period that is none.
    """
    if not since <= until or (until - since).days >= LONGEST_DAYS:
        raise BadInput("since, until: a period of one day to four years")
    told = {"controller": catalogue.controller.id, "from": since.isoformat(), "to": until.isoformat(), "asOf": utc_text(now)}
    first, last = start_of_day(since), start_of_day(until + timedelta(days=1))
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        stated = figures(policy)
        made = _Archive(archive, stated)
        async for table in tables(database, catalogue, first, last):
            await made.table(table)
        values = {figure.key: made.values[figure.key] for figure in stated}
        made.text(FIGURES_FILE, _stated(stated, values))
        made.text(NAME, page(told, stated, values))
        content: dict[str, Any] = {**told, "policy": catalogue.digest, "files": made.files}
        text = f"{LABEL}\n{json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(',', ':'))}\n"
        signing = keys(vault, catalogue)
        note = f"{text}\n{signing[0].line(vault.sign(KEY_USE, text.encode()))}\n"
        made.text(MANIFEST, note)
    rows = sum(file["rows"] for file in made.files)
    return Built(since, until, values, rows, note, tuple(key.vkey for key in signing))


def _stated(stated: Sequence[Figure], values: Mapping[str, Value]) -> str:
    """figures.json."""
    listed = [
        {
            "key": figure.key,
            "topic": figure.topic,
            "zh": figure.title.zh,
            "en": figure.title.en,
            "definition": figure.definition,
            "value": values[figure.key],
        }
        for figure in stated
    ]
    gaps = [{"topic": gap.topic, "zh": gap.title.zh, "en": gap.title.en} for gap in GAPS]
    topics = [{"topic": key, "zh": title.zh, "en": title.en} for key, title in TOPICS.items()]
    return json.dumps({"figures": listed, "gaps": gaps, "topics": topics}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


class _Archive:
    """The archive, with what was written into it so far."""

    def __init__(self, archive: zipfile.ZipFile, stated: Sequence[Figure]) -> None:
        self._archive = archive
        self._stated = stated
        self.files: list[dict[str, Any]] = []
        self.values: dict[str, Value] = {}

    async def table(self, table: Table) -> None:
        """One data file, and the figures over it."""
        mine = [figure for figure in self._stated if figure.definition["file"] == table.name]
        tallies = {figure.key: Tally(parse_definition(dict(figure.definition)), table.columns) for figure in mine}
        with self._archive.open(_info(table.name), "w", force_zip64=True) as file:
            out = _Counted(file.write)
            out.rows([table.columns])
            page: list[list[str]] = []
            async for row in table.rows:
                page.append(row)
                if len(page) == _ROWS_AT_ONCE:
                    # Beside the loop: a signature takes as long as a hundred rows, and others wait for their answers meanwhile.
                    await asyncio.to_thread(_put, page, out, tallies.values())
                    page = []
            await asyncio.to_thread(_put, page, out, tallies.values())
        self.files.append(out.fact(table.name, rows=out.lines - 1))
        self.values |= {key: tally.value for key, tally in tallies.items()}

    def text(self, name: str, text: str) -> None:
        """One file of text."""
        with self._archive.open(_info(name), "w") as file:
            out = _Counted(file.write)
            out.bytes(text.encode())
        if name != MANIFEST:
            self.files.append(out.fact(name, rows=0))


def _put(page: list[list[str]], out: "_Counted", tallies: Iterable[Tally]) -> None:
    for tally in tallies:
        for row in page:
            tally.add(row)
    out.rows(page)


class _Counted:
    """Bytes on their way, counted and hashed."""

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self._write = write
        self._hash = sha256()
        self._size = 0
        self.lines = 0

    def rows(self, rows: list[Any]) -> None:
        """Some lines of CSV (RFC 4180)."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self.lines += len(rows)
        self.bytes(text.getvalue().encode())

    def bytes(self, raw: bytes) -> None:
        """As they are."""
        self._write(raw)
        self._hash.update(raw)
        self._size += len(raw)

    def fact(self, name: str, *, rows: int) -> dict[str, Any]:
        """What the manifest says of the file."""
        return {"name": name, "bytes": self._size, "sha256": self._hash.hexdigest(), "rows": rows}


def _info(name: str) -> zipfile.ZipInfo:
    """Without a moment, a user or a system: these would differ where the state does not."""
    info = zipfile.ZipInfo(name, _MADE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info
