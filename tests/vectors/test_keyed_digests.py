"""The keyed digests that are stored (docs/formats/keyed-digests.md), found in the tables by the doors that put them there."""

import hashlib
import os
from collections.abc import AsyncIterator
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from policies.terms import Catalogue
from service.app import Parts, open_journal, publishing
from service.audit.entry import parse_entry
from service.config import Config
from service.consent.model import CaptureChannel, Decision, Evidence, Expression
from service.db.engine import Database
from service.db.statement import Prepared
from service.db.tables import audit_entry, idempotency, member
from service.identity.closed import Closed
from service.inspection.model import Filter
from service.intake.model import Provenance
from service.members.model import Joined
from service.operations import Operations
from service.oversight import store as overseen
from service.unit import Units
from service.values import Actor, ActorKind, Call, Clock
from tests.service.intake.exports import load
from tests.vectors.reading import Case, cases, mac_of, vault_of


@pytest.fixture(params=cases("keyed-digests"))
def case(request: pytest.FixtureRequest) -> Case:
    """One suite's vectors."""
    found: Case = request.param
    return found


@pytest.fixture
async def fixed(case: Case, config: Config, catalogue: Catalogue, database: Database, clock: Clock) -> AsyncIterator[Parts]:
    """A running Menshen under the keys of the vectors."""
    vault = vault_of(case)
    journal = open_journal(config, catalogue, database, vault, clock=clock, chance=os.urandom)
    units = Units(database=database, vault=vault, journal=journal, catalogue=catalogue, clock=clock, chance=os.urandom)
    async with publishing(config, database, journal, clock=clock, chance=os.urandom) as publisher:
        closed, operations = Closed(partial(overseen.closed, database.read)), Operations(units)
        yield Parts(config, catalogue, database, vault, journal, publisher, units, operations, clock, os.urandom, closed)


async def join(running: Parts, *, key: str, caller: str, address: str) -> None:
    """The join whose JSON is in the vectors."""
    joined = await running.operations.join(
        Call(Actor(ActorKind.SERVICE, caller, frozenset({"mini_program"})), "r-4711", address),
        purpose="account_service",
        fields={"phone": "+8613800138000", "name": "高颖"},
        evidence=Evidence(
            notice_version="2026-10",
            language="zh-CN",
            presented_at=datetime.fromisoformat("2026-11-22T01:59:30+00:00"),
            expression=Expression.BUTTON,
            screen="mini/consent",
            channel=CaptureChannel.MINI_PROGRAM,
        ),
        decisions=[Decision("birthday_gift", True)],
        idempotency_key=key,
    )
    assert isinstance(joined, Joined), joined


async def test_an_idempotency_key_and_its_request_are_kept_as_the_vectors_digests(fixed: Parts, case: Case) -> None:
    said = case["idempotency"]
    await join(fixed, key=said["idempotency_key"], caller=said["caller"], address="192.0.2.7")
    rows = await fixed.database.read.rows(Prepared(select(idempotency.c.key_digest, idempotency.c.request_digest)))
    assert [tuple(bytes(digest).hex() for digest in row) for row in rows] == [(said["key_digest"], said["request_digest"])]


def test_their_digests_are_macs_over_json_under_a_label(case: Case) -> None:
    said = case["idempotency"]
    key = f'["{said["caller"]}","{said["idempotency_key"]}"]'.encode()
    assert mac_of(case, b"menshen/idempotency-key/v1\0" + key).hex() == said["key_digest"]
    assert mac_of(case, b"menshen/idempotent-request/v1\0" + said["request"].encode()).hex() == said["request_digest"]


async def test_a_callers_address_stands_in_the_entry_as_the_vectors_digest(fixed: Parts, case: Case) -> None:
    said = case["address"]
    assert f"{fixed.clock():%Y-%m}" == said["month"]
    await join(fixed, key="k", caller="mini_program-1", address=said["address"])
    rows = await fixed.database.read.rows(Prepared(select(audit_entry.c.entry)))
    actors = [parse_entry(bytes(row[0]))["act"] for row in rows]
    assert {actor["ip"] for actor in actors if actor["k"] == "service"} == {said["digest"]}
    message = b"menshen/audit-address/v1\0" + said["month"].encode() + b"\0" + said["address"].encode()
    assert mac_of(case, message)[:12].hex() == said["digest"]


async def test_a_token_stands_in_the_entry_as_the_vectors_digest(fixed: Parts, case: Case) -> None:
    said = case["token"]
    actor = Actor(ActorKind.STAFF, "clerk-7", frozenset({"compliance_officer"}), token=said["token"])
    await fixed.operations.audit_entries(Call(actor, "r-1"), Filter(), member_id=None, first=1, after=None)
    rows = await fixed.database.read.rows(Prepared(select(audit_entry.c.entry)))
    assert parse_entry(bytes(rows[-1][0]))["act"]["tok"] == said["digest"]
    assert mac_of(case, b"menshen/audit-token/v1\0" + said["token"].encode())[:12].hex() == said["digest"]


async def test_an_import_and_its_members_are_named_as_the_vectors_say(fixed: Parts, case: Case, tmp_path: Path) -> None:
    said = case["import"]
    file, mapping = tmp_path / "members.csv", tmp_path / "mine.toml"
    file.write_bytes(said["file"].encode())
    mapping.write_bytes(said["mapping"].encode())
    provenance = Provenance(said["source"], date.fromisoformat(said["collected_on"]), said["evidence_uri"])
    assert fixed.clock() == datetime.fromisoformat(said["at"])
    outcome = await load(fixed, file, mapped_by=mapping, provenance=provenance)
    members = await fixed.database.read.rows(Prepared(select(member.c.member_id)))
    assert outcome.import_id == said["id"]
    assert {row[0] for row in members} == set(said["members"])


def test_its_id_and_seed_are_macs_under_labels(case: Case) -> None:
    said = case["import"]
    digests = [hashlib.sha256(said[part].encode()).digest() for part in ("file", "mapping")]
    words = f'["{ascii(said["source"])[1:-1]}", "{said["collected_on"]}", "{said["evidence_uri"]}"]'.encode()
    assert mac_of(case, b"\0".join([b"menshen/import/v1", *digests, words])).hex() == said["id"]
    assert mac_of(case, b"menshen/import-member/v1\0" + said["id"].encode()).hex() == said["seed"]
