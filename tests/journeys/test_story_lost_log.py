"""Story: the database comes back from an old dump, and nobody has what was lost. The shop goes on with its members, and says what is missing."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from menshen_verifier.findings import Verdict
from menshen_verifier.merkle import climbed, leaf_hash
from menshen_verifier.policy import parse_policy
from menshen_verifier.proof import Proof, parse_proof
from menshen_verifier.verify import verify
from service.app import parts
from service.archive.proofs import proof_of
from service.config import Config
from service.errors import BadInput, LogBroken
from service.inspection.model import Filter
from tests.factories import a_call
from tests.service.archive import losing
from tests.service.archive.closing import NEW, OLD, REASON, Shop, entries, judged, reads, shop, starts
from tests.service.archive.losing import Databases


@pytest.fixture
def shop_on_monday(config: Config, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A dump of Monday; on Tuesday 320 reads and a member's yes; the auditor keeps Tuesday's checkpoint. Then the disk dies."""
    databases = Databases(lambda: request.getfixturevalue("postgres"))
    yield shop(losing.lived(config, databases, tmp_path), tmp_path)
    databases.drop()


@pytest.mark.obligation("AL-03")
def test_a_shop_that_lost_a_day_of_its_record_for_good_goes_on_and_hides_nothing(shop_on_monday: Shop, tmp_path: Path) -> None:
    it, member = shop_on_monday, shop_on_monday.lost.member
    seen = reads(it.lost.after, member)
    auditors_policy, proof = asyncio.run(_what_the_auditor_has(it.lost.after))

    # Monday's dump is put back. The service does not start: somebody remembers Tuesday.
    with pytest.raises(LogBroken, match="rolled back"):
        starts(it.old)
    # What copies there are do not give it back: this one is as old as the dump.
    copy = asyncio.run(losing.exported(it.old, tmp_path / "monday"))
    given = it.lost.restore(folder=copy)
    assert getattr(given.exception, "code", given.output) == "TAIL_SHORTER"

    # Two persons close the log. What it will say is looked at before.
    assert it.close("--check").exit_code == 1
    result = it.close()
    assert result.exit_code == 0, (result.output, result.exception)
    assert f"MENSHEN_ORIGIN={NEW}" in result.output

    # The service serves again, under the next name, and the member is there.
    policy = starts(it.new)
    assert reads(it.new, member) == seen != {}
    assert it.lost.run("verify", origin=NEW).exit_code == 0

    # The first thing that the new log says is how the old one ended: its last checkpoint, as it was signed, and what is missing.
    first = entries(it.new)[0]
    note = "".join(first["x"]["note"])
    assert (first["typ"], first["x"]["origin"], first["x"]["reason"]) == ("genesis", OLD, REASON)
    old = parse_policy(auditors_policy.encode())
    last = old.open(note.encode()).checkpoint
    assert (last.origin, last.size) == (OLD, first["x"]["size"]) and first["cnt"] >= last.size - first["x"]["left"] > 320
    assert reads_of(it.new) > 0, "and it goes on from there"

    _an_auditor_believes_it(it, auditors_policy, policy, proof, tmp_path)

    # Who searches it, and the member who looks who has seen them, is told since when it is the log.
    assert {page.begun for page in asyncio.run(_looked(it.new, member))} == {datetime.fromisoformat(first["ts"])}

    # An incident of Tuesday is not answered with "nobody": what was read then is not in this log.
    with pytest.raises(BadInput, match="before this log") as refused:
        asyncio.run(_incident(it.new, days=2))
    assert refused.value.code == "BEFORE_THIS_LOG"
    assert asyncio.run(_incident(it.new, days=0)).entries >= 1

    # Whoever sees to alarms is told of it, and closes it with a word of their own.
    (alarm,) = asyncio.run(_alarms(it.new))
    assert (alarm.kind.value, alarm.about, alarm.alarm_id) == ("LOG_CLOSED", NEW, first["x"]["alarm"])
    closing = json.loads((it.kept / "closing.json").read_bytes())
    assert (closing["origin"], closing["continued_by"], closing["approver"]) == (OLD, NEW, "wang.compliance")


def _an_auditor_believes_it(it: Shop, auditors_policy: str, policy: str, proof: Proof, folder: Path) -> None:
    old, note = parse_policy(auditors_policy.encode()), it.note.read_bytes()
    last = old.open(note).checkpoint
    # An auditor who trusts nobody: the new log is whole, and says which one it goes on from.
    report = judged(asyncio.run(losing.exported(it.new, folder / "new")), policy)
    assert (report.verdict, report.origin, report.continues) == (Verdict.OK, NEW, (OLD, last.size))
    # Of the old one, Monday is there as it was signed. Held to Tuesday's checkpoint, it is what it is: rolled back, and how far.
    assert judged(it.kept / "log", auditors_policy).verdict in {Verdict.OK, Verdict.UNSIGNED_TAIL}
    told = verify(it.kept / "log", old, now=0, since=note)
    assert told.verdict is Verdict.ROLLED_BACK and told.findings[0].last == last.size - 1
    # A proof that somebody took home on Tuesday holds: its entry is lost here, and not there.
    point = old.open(proof.checkpoint_note.encode()).checkpoint
    assert climbed(proof.index, point.size, leaf_hash(proof.extra), proof.path) == point.root
    assert proof.index >= entries(it.new)[0]["x"]["left"]


def reads_of(config: Config) -> int:
    """How many reads the log has."""
    return sum(entry["typ"] == "access" for entry in entries(config))


async def _what_the_auditor_has(config: Config):
    async with parts(config) as running:
        point = await running.units.trust.newest(running.database.read, cosigned=False)
        assert point is not None
        text = await proof_of(running.database.read, running.journal.authority, point.size - 9)
        return running.units.trust.policy, parse_proof(text.encode())


async def _looked(config: Config, member: str):
    from tests.service.tally.house import officer

    async with parts(config) as running:
        operations, owner = running.operations, a_call("member", member_id=member)
        return (
            await operations.audit_entries(officer(), Filter(), member_id=None, first=5, after=None),
            await operations.my_access_log(owner, first=5, after=None, since=None, until=None, field=""),
        )


async def _alarms(config: Config):
    from tests.service.tally.house import officer

    async with parts(config) as running:
        return await running.operations.alarms(officer(), live=True, first=10, after=None)


async def _incident(config: Config, *, days: int):
    from service.inspection.incidents import Leak
    from tests.service.tally.house import officer

    first = datetime.fromisoformat(entries(config)[0]["ts"])
    async with parts(config) as running:
        leak = Leak(since=first - timedelta(days=days), until=running.clock() + timedelta(hours=1), account="order_service-1")
        return await running.operations.incident_scope(officer(), leak, names=False, first=10, after=None)
