"""A log of millions of entries, put straight into PostgreSQL: `python -m bench big-log [--entries N] [--url URL --home DIR]`.

Valid to the last byte: entries sealed by the service's own scribe, pseudonyms of real members under their own keys, leaves, tiles, search
columns, subjects' rows, and a head with its MAC. Three years of a shop's life: most entries are reads of one member, some members have
many, pages of twenty, changes, consents, exports, refusals. It is made segment by segment (65,536 entries, one tile of the second
level) by as many processes as there are cores, each segment one transaction; what is there already is not made again.

With `--url` (an empty database or one that was begun) and `--home` it can be interrupted and goes on; without, it only tells how long
it took.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import psycopg
import uvloop
from sqlalchemy import make_url

from bench.cluster import info, open_cluster
from bench.policy import write_policy
from bench.seed import Site, seed, unlock
from menshen_verifier import merkle
from service import app
from service.audit.entry import Draft, Entry
from service.audit.findings import Verdict
from service.audit.head import Authority, Seen
from service.audit.lanes import Lane, Scribe
from service.audit.remembered import RememberedHead
from service.audit.tree import Tree, on_edge
from service.audit.verify import verify
from service.db.engine import connect
from service.values import Actor, ActorKind, Call
from service.vault.vault import Vault

SEGMENT = merkle.TILE_WIDTH**2
MEMBERS = 100_000
BEGIN, LASTS = datetime(2023, 11, 23, tzinfo=UTC), timedelta(days=3 * 365)
_AT_ONCE = 8
_ENTRY = "idx int8, entry_id text, entry bytea, leaf bytea, ts text, typ text, dec text, actor text, pur text, req text"
_SUBJECT = "sub text, idx int8"
_TILE = "level int2, n int8, hashes bytea, root bytea"
_READS = (
    ("order_fulfilment", "CONTRACT", ("name", "phone", "address")),
    ("customer_service", "CONTRACT", ("name", "phone", "tier", "points")),
    ("marketing_sms", "CONSENT", ("phone",)),
    ("birthday_gift", "CONSENT", ("name", "phone", "birthday")),
    ("account_service", "CONTRACT", ("phone", "tier", "points")),
)


def fill(site: Site, entries: int, told: Callable[[str], None] = print) -> None:
    """Make the site's members, if they are not there, and so many entries about them."""
    if not (site.home / "development.key").exists():
        begun = time.monotonic()
        seed(site)
        told(f"{site.size:,} members sealed and stored in {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()
    with psycopg.connect(info(site.url), autocommit=True) as connection:
        _divided(connection, entries)
        later = _without_indices(connection)
        missing = _missing(connection, entries)
        workers = os.cpu_count() or 1
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(_make, *zip(*[(site, missing[one::workers], entries) for one in range(workers)], strict=True)))
        told(f"{len(missing)} segments of {SEGMENT:,} entries in {time.monotonic() - begun:.0f} s")
        _finish(site, connection, entries)
        for statement in later:
            connection.execute(statement.encode())
            connection.execute("DELETE FROM bench_later WHERE statement = %s", [statement])
        connection.execute("VACUUM (FREEZE, ANALYZE)")
    told(f"{entries:,} entries after {time.monotonic() - begun:.0f} s, with indices and statistics")


def authority(site: Site, vault: Vault) -> Authority:
    """What makes the log's head."""
    config = site.config()
    return Authority(app.origin_of(config, app.catalogue_of(config)), lambda message: vault.mac("head", message))


def _divided(connection: psycopg.Connection, entries: int) -> None:
    """The partitions for so many entries, by the service's own function: it looks at the head, which there is not yet."""
    with connection.transaction():
        connection.execute("INSERT INTO audit_head VALUES ('bench', %s, '', '', '')", [entries])
        connection.execute("SELECT audit_partitions_ahead()")
        connection.execute("DELETE FROM audit_head WHERE log_id = 'bench'")


def _without_indices(connection: psycopg.Connection) -> list[str]:
    """Take the search indices away while the rows come in; the statements that make them again, kept in the database until they have."""
    connection.execute("CREATE TABLE IF NOT EXISTS bench_later (statement text PRIMARY KEY, place serial)")
    connection.execute("CREATE TABLE IF NOT EXISTS bench_segment (n int8 PRIMARY KEY)")
    indices = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('audit_entry', 'audit_subject') "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    ).fetchall()
    keys = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'audit_subject'::regclass AND contype = 'p'"
    ).fetchall()
    # PostgreSQL tells a divided table's index as one of the parent ONLY; made so, it would be on no row.
    again = [(f"DROP INDEX {name}", definition.replace(" ON ONLY ", " ON ")) for name, definition in indices]
    again += [
        (f"ALTER TABLE audit_subject DROP CONSTRAINT {name}", f"ALTER TABLE audit_subject ADD CONSTRAINT {name} {key}")
        for name, key in keys
    ]
    for drop, make in again:
        connection.execute("INSERT INTO bench_later (statement) VALUES (%s) ON CONFLICT DO NOTHING", [make])
        connection.execute(drop.encode())
    return [statement for (statement,) in connection.execute("SELECT statement FROM bench_later ORDER BY place").fetchall()]


def _missing(connection: psycopg.Connection, entries: int) -> list[int]:
    there = {n for (n,) in connection.execute("SELECT n FROM bench_segment").fetchall()}
    return [n for n in range(-(-entries // SEGMENT)) if n not in there]


def _make(site: Site, segments: Sequence[int], entries: int) -> None:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    shop = _Shop(site, unlock(site), entries)
    with psycopg.connect(info(site.url)) as connection:
        connection.execute("SET synchronous_commit = off")
        for n in segments:
            first = n * SEGMENT
            made = shop.entries(first, min(first + SEGMENT, entries))
            _, tiles = Tree().grown([entry.leaf for entry in made])
            numbered = list(enumerate(made, start=first))
            _copy(connection, "audit_entry", _ENTRY, [(index, one.id, one.raw, *one[2:9]) for index, one in numbered])
            _copy(
                connection, "audit_subject", _SUBJECT, [(subject, index) for index, one in numbered for subject in one.subjects]
            )
            rows = [(one.level, one.n + (n * merkle.TILE_WIDTH >> 8 * one.level), one.hashes, one.root) for one in tiles]
            _copy(connection, "audit_tile", _TILE, rows)
            connection.execute("INSERT INTO bench_segment VALUES (%s)", [n])
            connection.commit()


def _copy(connection: psycopg.Connection, table: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    names, types = zip(*(column.split(" ") for column in columns.split(", ")), strict=True)
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _finish(site: Site, connection: psycopg.Connection, entries: int) -> None:
    """The tiles above the second level, and the head."""
    levels = [_hashes(connection, f"SELECT leaf FROM audit_entry WHERE idx >= {entries - entries % 256} ORDER BY idx")]
    level = 0
    while level < 2 or len(levels[-1]) >= merkle.TILE_WIDTH:
        whole = _hashes(connection, f"SELECT root FROM audit_tile WHERE level = {level} ORDER BY n")
        full = len(whole) - len(whole) % merkle.TILE_WIDTH
        if level > 0:
            rows = [(n, whole[n * 256 : n * 256 + 256]) for n in range(full // merkle.TILE_WIDTH)]
            tiles = [(level + 1, n, b"".join(hashes), merkle.tile_root(hashes)) for n, hashes in rows]
            connection.execute("DELETE FROM audit_tile WHERE level = %s", [level + 1]) if tiles else None
            _copy(connection, "audit_tile", _TILE, tiles)
        levels.append(whole[full:])
        level += 1
    while not levels[-1]:
        levels.pop()
    vault = unlock(site)
    head = authority(site, vault).head(on_edge(entries, tuple(map(tuple, levels))))
    origin = authority(site, vault).origin
    connection.execute("DELETE FROM audit_head")
    connection.execute(
        "INSERT INTO audit_head VALUES (%s, %s, %s, %s, %s)", [origin, head.size, head.frontier, head.root, head.mac]
    )
    remembered = RememberedHead(site.home / "audit-head")
    remembered.write(authority(site, vault), Seen(head.size, head.root))
    remembered.close()


def _hashes(connection: psycopg.Connection, question: str) -> list[bytes]:
    return [one for (one,) in connection.execute(question.encode()).fetchall()]


class _Shop:
    """Who did what. Everything of a segment comes from its number, but the entries' nonces and ids are chance."""

    def __init__(self, site: Site, vault: Vault, entries: int) -> None:
        self._vault = vault
        self._step = LASTS / max(entries, 1)
        self._months: dict[str, list[str]] = {}
        with psycopg.connect(info(site.url)) as connection:
            rows = connection.execute("SELECT member_id, generation, wrapped FROM member_secret ORDER BY member_id").fetchall()
        self._keys = [vault.member_keys(*row) for row in rows]
        digest = app.catalogue_of(site.config()).digest
        self._scribe = Scribe(policy=digest, chance=os.urandom, address_mac=lambda _address, _month: "00112233445566778899aabb")
        clerks = [Actor(ActorKind.STAFF, f"clerk-{n:04}", frozenset({"customer_service_agent"})) for n in range(300)]
        services = [
            Actor(ActorKind.SERVICE, name, frozenset({name.replace("-", "_")})) for name in ("order-service", "mini-program")
        ]
        self._callers = [*clerks, *services * 100]

    def entries(self, first: int, last: int) -> list[Entry]:
        """One segment's: two lanes, of reads and of changes."""
        dice = random.Random(first)
        lanes, made = {"read": self._scribe.lane("read"), "change": self._scribe.lane("change")}, []
        for index in range(first, last):
            now = BEGIN + index // _AT_ONCE * _AT_ONCE * self._step
            draft = self._draft(dice, self._pseudonyms(now))
            lane = lanes["read" if draft.typ in {"access", "audit"} else "change"]
            made.append(self._write(lane, draft, dice, now))
        return made

    def _write(self, lane: Lane, draft: Draft, dice: random.Random, now: datetime) -> Entry:
        opening = self._scribe.opening(lane, now)
        call = Call(dice.choice(self._callers), f"{dice.getrandbits(128):032x}", "192.0.2.7")
        entry = opening[0] if opening else self._scribe.write(lane, lane.next, draft, call, now=now)
        lane.next += 1
        return entry

    def _draft(self, dice: random.Random, people: "_People") -> Draft:
        chosen = dice.random()
        if chosen < 0.80:
            purpose, basis, fields = dice.choice(_READS)
            draft = Draft(typ="access", operation="member", purpose=purpose, basis=basis, fields=fields, count=1)
        elif chosen < 0.92:
            draft = Draft(typ="change", operation="updateMember", purpose="account_service", fields=("address",), count=1)
        elif chosen < 0.97:
            draft = Draft(typ="consent", operation="recordConsents", purpose="account_service", count=1)
        elif chosen < 0.99:
            named = [people(dice) for _ in range(20)]
            return Draft(
                typ="access",
                operation="members",
                purpose="marketing_sms",
                basis="CONSENT",
                subjects=named,
                fields=("phone",),
                count=20,
            )
        else:
            return Draft(typ="audit", operation="search", count=dice.randrange(100))
        draft.subjects = [people(dice)]
        if dice.random() < 0.06:
            draft.deny("NOT_PERMITTED")
        return draft

    def _pseudonyms(self, now: datetime) -> "_People":
        month = f"{now:%Y-%m}"
        if month not in self._months:
            self._months = {month: [self._vault.pseudonym_at(keys, month) for keys in self._keys]}
        known = self._months[month]
        return lambda dice: known[int(len(known) * dice.random() ** 1.5)]


_People = Callable[[random.Random], str]
"""Somebody's pseudonym of the month: the first ones come up the most."""


async def checked(site: Site) -> None:
    """`menshen audit verify`'s replay of it; how fast. Raises SystemExit when it is not whole."""
    database, vault = connect(site.config().database, pool_size=4), await asyncio.to_thread(unlock, site)
    await database.start()
    made = authority(site, vault)
    begun = time.perf_counter()
    report = await verify(database, made, RememberedHead(site.home / "audit-head").read(made))
    await database.close()
    print(f"{report.verdict}: {report.entries / (time.perf_counter() - begun):,.0f} entries/s verified")
    if report.verdict is not Verdict.OK:
        raise SystemExit(f"what was just made is found {report.findings[:3]}")


def main() -> None:
    """Make one, verify it, and say how long both took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--url", help="a database to fill, or to go on with; by default one of the bench's own, gone afterwards")
    parser.add_argument("--home", type=Path, help="the folder of its development key; with --url")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder, closing(open_cluster()) as cluster:
        home = asked.home or Path(folder) / "home"
        site = a_site(asked.url or cluster.make("big").render_as_string(hide_password=False), home, asked.members)
        fill(site, asked.entries)
        uvloop.run(checked(site))


def a_site(url: str, home: Path, members: int) -> Site:
    """A shop with the bench's policy beside its home."""
    policies = home.parent / f"{home.name}-policies"
    if not policies.exists():
        policies.mkdir(parents=True)
        write_policy(policies)
    return Site(make_url(url), home, policies, members)


if __name__ == "__main__":
    main()
