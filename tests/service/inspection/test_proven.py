"""PROVEN is said of an entry only for what was signed, and cosigned where the settings name witnesses: never for what a row says."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.merkle import leaf_hash
from menshen_verifier.note import Key, Kind, cosigned
from service.app import Parts
from service.audit.climbing import Remembered
from service.audit.store import head
from service.checkpoints.notes import cosigned_note, note_of
from service.checkpoints.trust import Trust
from service.inspection.model import Filter, Status
from tests.api.front_end import entries
from tests.counted import Counted
from tests.factories import a_call, a_member
from tests.service.archive.logs import Signer
from tests.service.audit.logs import Administrator
from tests.service.inspection.records import OFFICER, read, signed, stilled
from tests.service.inspection.test_authority import BEGIN, END, copied
from tests.service.inspection.test_own import own

ADD = "INSERT INTO audit_checkpoint (size, root, note, signed_at, witnessed_at) VALUES (?, ?, ?, ?, ?)"
MOMENT = "2026-11-22T02:00:00.000000Z"


class Other(Signer):
    """A witness, or a thief without our key."""

    def line(self, note: str, time: int = 1) -> str:
        """Its cosignature."""
        text = (note.rpartition("\n\n")[0] + "\n").encode()
        key = Key(self.key.name, Kind.COSIGNATURE_V1, self.key.public)
        return key.line(time.to_bytes(8, "big") + self._secret.sign(cosigned(text, time)))

    @property
    def cosigner(self) -> Key:
        return Key(self.key.name, Kind.COSIGNATURE_V1, self.key.public)


async def statuses(running: Parts) -> dict[int, Status]:
    page = await running.operations.audit_entries(a_call("auditor"), Filter(), member_id=None, first=1000, after=None)
    assert page is not None
    return {line.index: line.status for line in page.lines}


async def proven(running: Parts) -> list[int]:
    return [index for index, status in sorted((await statuses(running)).items()) if status is Status.PROVEN]


@pytest.fixture
async def still(running: Parts) -> Any:
    """A log that is signed so far, and that nobody signs any further."""
    for _ in range(3):
        await read(running, await a_member(running))
    keys = await signed(running)
    await stilled(running)
    return running, keys


@pytest.mark.obligation("AL-03")
async def test_a_forged_checkpoint_row_proves_nothing(still: Any, database_url: str) -> None:
    running, _ = still
    administrator, origin = Administrator(database_url), running.vault.origin
    administrator.run("DELETE FROM audit_checkpoint")
    now = await head(running.database.read, origin)
    for size, note in ((now.size, ""), (now.size - 1, Other(origin).note(now.size, now.root)), (now.size + 50, "x")):
        administrator.run(ADD, given=(size, now.root, note, MOMENT, MOMENT))
    assert await proven(running) == []


@pytest.mark.obligation("AL-03")
async def test_a_true_note_proves_only_what_is_under_its_root(still: Any, database_url: str) -> None:
    running, _ = still
    before = await proven(running)
    assert before == list(range(len(before))) and len(before) > 3
    # Whole in itself: bytes, leaf hash and columns fit one another. It is not what was signed.
    administrator = Administrator(database_url)
    ((raw, leaf),) = administrator.run("SELECT entry, leaf FROM audit_entry WHERE idx = 2")
    administrator.run("UPDATE audit_entry SET entry = ?, leaf = ? WHERE idx = 1", given=(raw, leaf))
    assert await proven(running) == [index for index in before if index != 1], "what came to the root before is remembered"
    running.units.trust.remembered = Remembered()
    assert await proven(running) == [], "nothing that is stored comes to it any more"


@pytest.mark.obligation("AL-03")
async def test_a_true_note_in_the_row_of_a_later_size_proves_nothing_of_what_came_after_it(still: Any, database_url: str) -> None:
    running, _ = still
    before = await proven(running)
    await read(running, await a_member(running))
    administrator, now = Administrator(database_url), await head(running.database.read, running.vault.origin)
    ((note,),) = administrator.run("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    administrator.run(ADD, given=(now.size, now.root, note, MOMENT, MOMENT))
    assert await proven(running) == before


async def test_a_row_that_was_put_right_again_is_believed_again(still: Any, database_url: str) -> None:
    """What was refused is remembered, and a true note must not be refused with what stood beside it for a moment."""
    running, _ = still
    before, administrator = await proven(running), Administrator(database_url)
    ((size, root),) = administrator.run("SELECT size, root FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    running.units.trust._best.clear()  # an instance that has just begun
    administrator.run("UPDATE audit_checkpoint SET root = ? WHERE size = ?", given=(bytes(32), size))
    assert len(await proven(running)) < len(before)
    administrator.run("UPDATE audit_checkpoint SET root = ? WHERE size = ?", given=(bytes(root), size))
    assert await proven(running) == before


@pytest.mark.obligation("AL-03")
async def test_where_the_settings_name_witnesses_only_their_quorum_proves(still: Any, database_url: str) -> None:
    running, keys = still
    witnesses = [Other("witness.example.cn/w1"), Other("witness.example.cn/w2")]
    parties = [[one.cosigner] for one in witnesses]
    running.units.trust = Trust(running.vault.origin, lambda: keys, parties=parties, quorum=2)
    administrator = Administrator(database_url)
    administrator.run("UPDATE audit_checkpoint SET witnessed_at = ?", given=(MOMENT,))
    assert await proven(running) == [], "a row says so, and no witness"
    ((size, note),) = administrator.run("SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    thief = Other("witness.example.cn/w2")
    for lines in ([witnesses[0].line(note)], [witnesses[0].line(note), thief.line(note)]):
        administrator.run("UPDATE audit_checkpoint SET note = ? WHERE size = ?", given=(cosigned_note(note, lines), size))
        assert await proven(running) == []
    whole = cosigned_note(note, [one.line(note) for one in witnesses])
    administrator.run("UPDATE audit_checkpoint SET note = ? WHERE size = ?", given=(whole, size))
    assert await proven(running) == list(range(size))


async def test_a_proof_and_an_authoritys_copy_are_against_the_newest_that_an_auditor_takes(still: Any, database_url: str) -> None:
    running, keys = still
    witness = Other("witness.example.cn/w1")
    trust = Trust(running.vault.origin, lambda: keys, parties=[[witness.cosigner]], quorum=1)
    running.units.trust = trust
    authority = running.journal.authority
    text = await running.operations.proof(OFFICER, authority, 0)
    assert trust.lacks(text.partition("\n\n")[2]), "nothing is cosigned yet: the newest that was signed, and it is told"
    administrator = Administrator(database_url)
    found = administrator.run("SELECT size, note FROM audit_checkpoint ORDER BY size")
    size, note = found[0]
    whole = cosigned_note(note, [witness.line(note)])
    administrator.run("UPDATE audit_checkpoint SET note = ?, witnessed_at = ? WHERE size = ?", given=(whole, MOMENT, size))
    text = await running.operations.proof(OFFICER, authority, 0)
    assert text.endswith(f"\n\n{whole}") and not trust.lacks(whole)
    if len(found) > 1:
        later = await running.operations.proof(OFFICER, authority, size)
        assert trust.lacks(later.partition("\n\n")[2])


@pytest.mark.obligation("AL-08")
async def test_an_authority_gets_no_entry_that_the_witnesses_have_not_seen(running: Parts, database_url: str) -> None:
    member = await a_member(running)
    await read(running, member)
    keys, witness = await signed(running), Other("witness.example.cn/w1")
    administrator = Administrator(database_url)
    ((size, note),) = administrator.run("SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    whole = cosigned_note(note, [witness.line(note)])
    administrator.run("UPDATE audit_checkpoint SET note = ?, witnessed_at = ? WHERE size = ?", given=(whole, MOMENT, size))
    running.units.trust = Trust(running.vault.origin, lambda: keys, parties=[[witness.cosigner]], quorum=1)
    await read(running, member)
    await signed(running)
    head, *rows = await copied(running, Filter(purpose="customer_service", since=BEGIN, until=END), member)
    assert (head["checkpoint"], len(rows)) == (whole, 1) and rows[0]["proof"].endswith(whole)


async def test_a_page_costs_the_same_few_statements_however_long_it_is(still: Any) -> None:
    """The log, the rows, the checkpoint; and once for each checkpoint the edge of its tree."""
    running, _ = still
    real, asked = running.units.database, []
    for first in (1, 1, 10):
        counted = running.units.database = Counted(real)
        await running.operations.audit_entries(a_call("auditor"), Filter(), member_id=None, first=first, after="8")
        asked.append(counted.statements)
    running.units.database = real
    assert asked == [4, 3, 3]
    assert len(await entries(running, "auditEntries")) == 3


async def test_a_members_page_costs_the_same_few_statements_however_many_proofs_are_on_it(running: Parts) -> None:
    """The member, the log, where they are named, the rows, the checkpoint; and once for each checkpoint the edge of its tree."""
    member = await a_member(running)
    for _ in range(6):
        await read(running, member)
    await signed(running)
    await stilled(running)
    real, asked, end = running.units.database, [], str(running.publisher.state.signed)
    for first in (1, 1, 6):
        counted = running.units.database = Counted(real)
        found = await running.operations.my_access_log(
            a_call("member", member_id=member), first=first, after=end, since=None, until=None, field=""
        )
        assert found is not None and [item.proof is not None for item in found.items] == [True] * first
        asked.append(counted.statements)
    running.units.database = real
    assert asked == [6, 5, 5]


def test_whose_keys_are_not_known_is_not_believed() -> None:
    note = note_of(Checkpoint("log.example.cn/audit", 1, b"r" * 32), [Other("log.example.cn/audit").line("x\n\n")])
    assert Trust("log.example.cn/audit", tuple).lacks(note)


@pytest.mark.obligation("AL-03")
async def test_however_many_rows_are_forged_above_it_the_true_checkpoint_proves(still: Any, database_url: str) -> None:
    running, keys = still
    origin, witness = running.vault.origin, Other("witness.example.cn/w1")
    running.units.trust = Trust(origin, lambda: keys, parties=[[witness.cosigner]], quorum=1)
    administrator = Administrator(database_url)
    ((size, note),) = administrator.run("SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    whole = cosigned_note(note, [witness.line(note)])
    administrator.run("UPDATE audit_checkpoint SET note = ?, witnessed_at = ? WHERE size = ?", given=(whole, MOMENT, size))
    for _ in range(40):
        await read(running, await a_member(running))
    now = await head(running.database.read, origin)
    for above in range(size + 1, now.size + 1):
        forged = note_of(Checkpoint(origin, above, now.root), note.rpartition("\n\n")[2].splitlines())
        administrator.run(ADD, given=(above, now.root, forged, MOMENT, MOMENT))
    assert now.size - size >= 40
    assert await proven(running) == list(range(size))
    looked = Looked(running.units.trust)
    assert await proven(running) == list(range(size)) and looked.notes <= 1, "what was looked into once is known"


async def test_what_had_been_cosigned_by_then_is_what_the_witnesses_say_and_no_row(still: Any, database_url: str) -> None:
    running, keys = still
    administrator, witness = Administrator(database_url), Other("witness.example.cn/w1")
    found = Trust(running.vault.origin, lambda: keys, parties=[[witness.cosigner]], quorum=1)
    then = datetime(2026, 11, 22, 3, tzinfo=UTC)
    ((size, note),) = administrator.run("SELECT size, note FROM audit_checkpoint ORDER BY size LIMIT 1")
    for time, before in ((None, 0), (int(then.timestamp()) + 1, 0), (int(then.timestamp()), size)):
        whole = note if time is None else cosigned_note(note, [witness.line(note, time)])
        administrator.run("UPDATE audit_checkpoint SET note = ?, witnessed_at = ? WHERE size = ?", given=(whole, MOMENT, size))
        assert await found.before(running.database.read, then) == before


class Looked:
    """How many notes a trust looks into from now on."""

    def __init__(self, trust: Trust) -> None:
        self.notes = 0
        believes = trust.believes

        def counted(one: Any, *, cosigned: bool) -> bool:
            self.notes += 1
            return believes(one, cosigned=cosigned)

        trust.believes = counted  # type: ignore[method-assign]


@pytest.mark.obligation("AL-03")
async def test_an_entry_that_fits_its_own_hash_and_not_the_signed_one_is_broken(still: Any, database_url: str) -> None:
    """It is refuted, and does not wait for a checkpoint: else whoever edits rows shows members for ever what was never written."""
    running, _ = still
    before = await statuses(running)
    assert before[1] is Status.PROVEN
    administrator = Administrator(database_url)
    ((raw,),) = administrator.run("SELECT entry FROM audit_entry WHERE idx = 1")
    entry = json.loads(raw) | {"n": "A" * 22}
    forged = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    administrator.run("UPDATE audit_entry SET entry = ?, leaf = ? WHERE idx = 1", given=(forged, leaf_hash(forged)))
    assert (await statuses(running)).items() >= (before | {1: Status.BROKEN}).items()


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("ts", ["2026-02-30T02:00:00.000000Z", "0000-11-22T02:00:00.000000Z", "9999-12-31T23:59:59.000000Z"])
async def test_an_entry_of_a_day_that_no_calendar_has_is_broken_and_stops_nobody(
    running: Parts, database_url: str, ts: str
) -> None:
    member = await a_member(running)
    await read(running, member)
    await stilled(running)
    administrator = Administrator(database_url)
    ((at, raw),) = administrator.run("SELECT idx, entry FROM audit_entry WHERE typ = 'access' ORDER BY idx LIMIT 1")
    was = json.loads(raw)["ts"].encode()
    forged = bytes(raw).replace(was, ts.encode())
    given = (forged, leaf_hash(forged), ts, at)
    administrator.run("UPDATE audit_entry SET entry = ?, leaf = ?, ts = ? WHERE idx = ?", given=given)
    assert {item.index: item.status for item in (await own(running, member)).items}[at] is Status.BROKEN
    assert (await statuses(running))[at] is Status.BROKEN
