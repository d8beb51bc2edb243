"""Canaries: invented phones, names, addresses and ids that must never be seen again in the clear, and the search for them.

Factories take every personal value from `value(kind)`. Each value carries one of three markers that occur nowhere else, so a search for
three markers finds any value in whatever form a leak may take: four text encodings, each also as hex, base64 and the escapes of
JSON, URLs and Python. After each test its databases are searched, with what it logged and printed and all that was sent to PostgreSQL;
what is found fails that test, and the last test of the run (`tests/journeys/test_canary.py`). Messages name kind and place, never the value.

Not found: what somebody else compressed or encrypted, and values that no factory made.
"""

import base64
import json
import re
import urllib.parse
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
_SQLITE_MAGIC = b"SQLite format 3\0"
_ROOM = bytes(4)
_EMPTY = re.compile(rb"\0{4,}")
"""Nineteen twentieths of a database file are room for more: seventy needles need not be looked for there, and none has so many zeros in it."""
_SQLITE_SIDES = ("-wal", "-shm", "-journal")


class Kind(NamedTuple):
    """One kind of value: its marker, the pattern of the n-th value, and how many there are."""

    marker: str
    pattern: str
    limit: int = 10**6


_PHONE, _LATIN, _HAN = "199618", "kanaria", "犇骉猋"
KINDS = {
    "phone": Kind(_PHONE, "+86199618{n:05d}", 10**5),
    "name": Kind(_HAN, "犇骉猋{han}", 0x5000),
    "email": Kind(_LATIN, "kanaria.{n:06d}@example.com"),
    "openid": Kind(_LATIN, "oKQ6kanaria{n:017d}"),
    "unionid": Kind(_LATIN, "oU7kanaria{n:018d}"),
    "wecom": Kind(_LATIN, "wm8kanaria{n:022d}"),
    "address": Kind(_HAN, "上海市徐汇区犇骉猋路{n}号"),
    "note": Kind(_HAN, "犇骉猋备注{n}"),
}
_WHOSE = {marker: "/".join(name for name, kind in KINDS.items() if kind.marker == marker) for marker in (_PHONE, _LATIN, _HAN)}


def forms(text: str) -> Iterator[bytes]:
    """Every byte string that betrays `text`."""
    escaped = {json.dumps(text)[1:-1], urllib.parse.quote(text), text.encode("unicode_escape").decode()}
    yield from (either.encode() for form in escaped for either in (form, form.upper(), form.lower()))
    for raw in {text.encode(encoding) for encoding in ENCODINGS}:
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        yield repr(raw)[2:-1].encode()
        yield from base64_forms(raw)


def base64_forms(raw: bytes) -> Iterator[bytes]:
    """The characters that `raw` fixes in a base64 text, for each of the three places in a group of three where it may begin."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw)
        whole = text[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        yield whole
        yield whole.translate(bytes.maketrans(b"+/", b"-_"))


@dataclass
class Canaries:
    """The values of one run, the places that were searched for them, and what was found."""

    issued: dict[str, set[str]] = field(default_factory=dict)
    needles: dict[bytes, str] = field(default_factory=dict)
    searched: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)

    def value(self, kind: str) -> str:
        """A new value of this kind; no two in a run are alike."""
        made = self.issued.setdefault(kind, set())
        number = len(made)
        assert number < KINDS[kind].limit, f"no more invented values of kind {kind}"
        value = KINDS[kind].pattern.format(n=number, han=chr(0x4E00 + number))
        made.add(value)
        if number == 0:
            self.watch(_WHOSE[KINDS[kind].marker], KINDS[kind].marker)
        return value

    def watch(self, kind: str, text: str) -> str:
        """Search for this text, too, and give it back. For the few values that cannot carry a marker: each one slows the search."""
        needles = dict.fromkeys(forms(text), kind)
        assert not any(_ROOM in needle for needle in needles), "it would be searched for where it cannot be"
        self.needles.update(needles)
        return text

    def kinds_in(self, data: bytes) -> set[str]:
        """The kinds of the canaries in `data`."""
        dense = _EMPTY.sub(_ROOM, data)
        return {kind for needle, kind in self.needles.items() if needle in dense and self._is_real(needle, dense)}

    def look(self, place: str, data: bytes) -> None:
        """Search `data`, and remember that `place` was searched. Fails the test, naming kind and place, when a canary is there."""
        if self.needles:
            self.searched[place] += 1
        if kinds := self.kinds_in(data):
            message = f"in the clear: {', '.join(sorted(kinds))}, in {place}"
            self.found.append(message)
            pytest.fail(message, pytrace=False)

    def _is_real(self, needle: bytes, data: bytes) -> bool:
        """Six digits may come up by chance, in the fraction of a second or in an id: then all eleven must be a number we gave out."""
        if needle != _PHONE.encode():
            return True
        numbers = self.issued.get("phone", set())
        return any("+86199618" + part[:5].decode("latin-1") in numbers for part in data.split(needle)[1:])


_run = Canaries()
value = _run.value
watch = _run.watch
kinds_in = _run.kinds_in
look = _run.look


def of_this_run() -> Canaries:
    """For the test that judges the whole run."""
    return _run


def search_folder(folder: Path, canaries: Canaries = _run) -> None:
    """Search every SQLite database under `folder`, byte by byte, with its log and journal: freed pages show, too."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (path.name.endswith(_SQLITE_SIDES) or _starts_as_sqlite(path)):
            canaries.look("an SQLite file", path.read_bytes())


def search_postgresql(connection: "psycopg.Connection[Any]", canaries: Canaries = _run) -> None:
    """Search every row of every table in the server's own binary form: text as UTF-8, bytes as they are."""
    # A partitioned table has no rows of its own: its partitions are tables like others. One without a page never had a row.
    tables = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_)' AND pg_relation_size(c.oid) > 0"
    )
    for schema, table in tables.fetchall():
        copy = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(schema, table))
        with connection.cursor().copy(copy) as rows:
            canaries.look("a PostgreSQL table", b"".join(bytes(row) for row in rows))


async def search_errors(response: Any, canaries: Canaries = _run) -> None:
    """For an HTTP client's `event_hooks`: no error, of GraphQL or of HTTP, quotes a value, not even to the one who sent it."""
    await response.aread()
    said = response.content
    if not response.is_error:
        answer = json.loads(said) if said and "json" in response.headers.get("content-type", "") else None
        said = json.dumps(answer.get("errors") if isinstance(answer, dict) else None, ensure_ascii=False).encode()
    canaries.look("an error answer", said)


def _starts_as_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Once a test is over, search what it logged and printed."""
    report = yield
    if report.when == "teardown" and report.passed:
        written = "\n".join(text for _, text in report.sections)
        try:
            look("a test's log and output", written.encode("utf-8", "backslashreplace"))
        except pytest.fail.Exception as failure:
            report.outcome, report.longrepr = "failed", str(failure)
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what is marked `last` at the end: it judges what all the others left behind."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
