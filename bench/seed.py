"""Members in bulk: sealed by the real vault into the product's tables, and once more in the clear for those that protect nothing.

Rows go in by COPY from as many processes as there are cores. What the questions do not touch is not made: no lookups, no consent
ledger; standings are made for the one purpose that is asked about.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import psycopg
from sqlalchemy import URL

from bench.cluster import info
from bench.people import BORN, FIELDS, PURPOSE, Person, person
from policies.terms import ConsentState, MemberStatus
from service import app
from service.config import Config
from service.db import migrate
from service.db.engine import connect
from service.values import new_id
from service.vault.vault import Vault

_BATCH = 5000
_COLUMNS = {"birthday": "date", "interests": "text[]"}
_PLAIN = f"""
CREATE SCHEMA bench;
CREATE TABLE bench.profile (
  member_id text COLLATE "C" PRIMARY KEY,
  {", ".join(f"{key} {_COLUMNS.get(key, 'text')} NOT NULL" for key in FIELDS)}
);
"""
_COPIES = {
    "member": "member_id text, status text, generation int4, sealed bytea, tier text, points int8, joined_on text, tags text, "
    "minor int2, sensitive int2, created_at timestamptz, updated_at timestamptz, version int4",
    "member_secret": "member_id text, generation int4, wrapped bytea, created_at timestamptz",
    "consent_standing": "member_id text, purpose text, state text, permits int2, since timestamptz, expires_at timestamptz, "
    "event_id text, notice_version text, hash bytea",
    "bench.profile": "member_id text, " + ", ".join(f"{key} {_COLUMNS.get(key, 'text')}" for key in FIELDS),
}
_GIVEN_FOR = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Site:
    """A seeded database, and the state folder of the Menshen that serves it."""

    url: URL
    home: Path
    policies: Path
    size: int

    def config(self, **more: object) -> Config:
        """Menshen's configuration for it."""
        url = self.url.render_as_string(hide_password=False)
        return Config(home=self.home, database_url=url, policies=self.policies, **more)  # type: ignore[arg-type]


def seed(site: Site) -> None:
    """Migrate an empty database and fill it with `site.size` members."""
    site.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrate.upgrade(site.config().database)
    with psycopg.connect(info(site.url), autocommit=True) as connection:
        connection.execute(_PLAIN.encode())
    unlock(site)  # makes the keyring, before two processes want to
    starts = range(0, site.size, _BATCH)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as workers:
        shares = [(site, starts[worker :: os.cpu_count() or 1]) for worker in range(os.cpu_count() or 1)]
        list(workers.map(_fill, *zip(*shares, strict=True)))
    with psycopg.connect(info(site.url), autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE, ANALYZE)")


def unlock(site: Site) -> Vault:
    """The site's vault. It keeps its keys in memory, so the database may be closed behind it."""
    return asyncio.run(_unlock(site.config()))


async def _unlock(config: Config) -> Vault:
    database = connect(config.database, pool_size=1)
    await database.start()
    try:
        return await app.open_vault(config, app.catalogue_of(config), database, clock=app.now, chance=os.urandom)
    finally:
        await database.close()


def _fill(site: Site, starts: Sequence[int]) -> None:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    vault = unlock(site)
    with psycopg.connect(info(site.url)) as connection:
        for start in starts:
            people = [person(number) for number in range(start, min(start + _BATCH, site.size))]
            for table, rows in _rows(vault, people).items():
                _copy(connection, table, rows)
            connection.commit()


def _copy(connection: psycopg.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    names, types = zip(*(column.split(" ") for column in _COPIES[table].split(", ")), strict=True)
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _rows(vault: Vault, people: Sequence[Person]) -> dict[str, list[tuple[object, ...]]]:
    found: dict[str, list[tuple[object, ...]]] = {table: [] for table in _COPIES}
    for one in people:
        at = BORN + timedelta(seconds=one.number)
        keys, wrapped = vault.new_member(one.member_id)
        sealed = vault.seal(keys, one.values)
        plain = ("金卡", one.number % 20000, at.date().isoformat(), None, 0, 0)
        found["member"].append((one.member_id, MemberStatus.ACTIVE.value, keys.generation, sealed, *plain, at, at, 1))
        found["member_secret"].append((one.member_id, keys.generation, wrapped, at))
        found["consent_standing"].append((one.member_id, *_standing(one, at)))
        found["bench.profile"].append((one.member_id, *(_listed(one.values[key]) for key in FIELDS)))
    return found


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _standing(one: Person, at: datetime) -> Iterator[object]:
    state = ConsentState.GIVEN if one.consents else ConsentState.REFUSED
    event_id = new_id(at, os.urandom)
    yield from (PURPOSE, state.value, int(one.consents), at, at + _GIVEN_FOR if one.consents else None)
    yield from (event_id, "bench", sha256(event_id.encode()).digest())
