"""Reads: in the tree before anybody is told, many in one commit, numbered without a gap."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from service.audit import store
from service.audit.entry import Draft
from service.audit.findings import Verdict
from service.audit.writer import Writer
from service.db.engine import Database
from service.errors import BadInput, RecordUnavailable
from service.values import Actor, ActorKind, Call
from tests.service.audit import logs
from tests.service.audit.logs import CLERK, Administrator, Begin


def numbers(found: Iterable[dict[str, Any]]) -> dict[str, list[int]]:
    """By lane, in the order of the log."""
    lanes: dict[str, list[int]] = defaultdict(list)
    for entry in found:
        lanes[entry["w"]].append(entry["s"])
    return lanes


@pytest.mark.obligation("AL-02")
async def test_an_entry_says_who_read_what_of_whom_why_and_on_which_basis(database: Database, journal: Writer) -> None:
    receipt = await journal.append(logs.read(subjects=["p1:AAECAwQFBgcICQoLDA0ODw"]), CLERK)
    boot, entry = await logs.entries(database)
    assert (boot["typ"], boot["s"], boot["act"]["k"]) == ("boot", 0, "system")
    assert entry["id"] == receipt.entry_id
    assert receipt.index == 1
    assert entry["act"] == {"k": "staff", "id": "clerk-7", "role": ["customer_service"], "ip": entry["act"]["ip"]}
    assert entry["sub"] == ["p1:AAECAwQFBgcICQoLDA0ODw"]
    assert entry["fld"] == ["name", "phone"]
    assert (entry["op"], entry["pur"], entry["bas"], entry["dec"]) == ("member", "order_shipping", "CONTRACT", "allow")
    assert (entry["req"], entry["pol"], entry["cnt"]) == ("r-4711", logs.POLICY, 1)


async def test_the_receipt_comes_only_when_the_entry_is_in_the_tree(database: Database, journal: Writer) -> None:
    receipt = await journal.append(logs.read(), CLERK)
    head = await store.head(database.read, logs.ORIGIN)
    assert head is not None
    assert head.size >= receipt.size > receipt.index
    assert await store.located(database.read, [receipt.entry_id]) == {receipt.entry_id: receipt.index}


async def test_sixty_four_clients_share_commits_and_numbers_follow_the_queue(
    database: Database, journal: Writer, home: Path
) -> None:
    async def client(name: int) -> list[int]:
        mine = Call(CLERK.actor, f"r-{name}")
        return [(await journal.append(logs.read(), mine)).index for _ in range(10)]

    indices = await asyncio.gather(*map(client, range(64)))
    found = await logs.entries(database)
    assert [numbered["s"] for numbered in found] == list(range(641))
    assert sorted(sum(indices, [])) == list(range(1, 641))
    assert all(own == sorted(own) for own in indices)
    moments = {entry["ts"] for entry in found}
    assert len(moments) <= 200, "a batch has one moment: there were nearly as many commits as entries"
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def test_a_draft_that_no_entry_can_hold_fails_alone_and_uses_no_number(database: Database, journal: Writer) -> None:
    drafts = [logs.read(), logs.read(subjects=["+8613800138000"]), logs.read(fields=("姓名",)), logs.read()]
    results = await asyncio.gather(*(journal.append(draft, CLERK) for draft in drafts), return_exceptions=True)
    assert [isinstance(result, BadInput) for result in results] == [False, True, True, False]
    assert [entry["s"] for entry in await logs.entries(database)] == [0, 1, 2]


async def test_a_caller_that_goes_away_before_its_turn_leaves_no_entry(database: Database, journal: Writer) -> None:
    await journal.append(logs.read(), CLERK)
    tasks = [asyncio.create_task(journal.append(logs.read(operation=name), CLERK)) for name in ("first", "gone", "third")]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert [entry.get("op") for entry in await logs.entries(database)] == [None, "member", "first", "third"]


@pytest.mark.obligation("AL-04")
async def test_a_member_is_named_by_the_pseudonym_and_not_by_the_account(database: Database, journal: Writer) -> None:
    actor = Actor(ActorKind.MEMBER, "019aa8f2-0000-7000-8000-00000000a001", frozenset({"member"}), token="jti-of-a-member")
    me, others = Call(actor, "r-1", "192.0.2.7"), ["p1:AAECAwQFBgcICQoLDA0ODw", "p1:AQECAwQFBgcICQoLDA0ODw"]
    await journal.append(logs.read(subjects=others[:1]), me)
    await journal.append(Draft(typ="access", decision="deny", reason="NOT_FOUND"), me)
    await journal.append(logs.read(subjects=others), me)
    _, own, unknown, several = found = await logs.entries(database)
    assert own["act"]["id"] == others[0]
    assert "id" not in unknown["act"]
    assert "id" not in several["act"], "which of them it was, nobody said"
    assert own["act"]["ip"] == logs.address_mac("192.0.2.7", own["ts"][:7]), "as it is called in this month"
    assert not [told for told in (actor.name, actor.token, me.address) if told in str(found)]


async def test_an_orderly_end_is_in_the_log_and_a_second_life_has_lanes_of_its_own(
    database: Database, home: Path, begin: Begin
) -> None:
    for _ in range(2):
        writer = await begin(home)
        await writer.append(logs.read(), CLERK)
        await writer.close()
    found = await logs.entries(database)
    assert [entry["typ"] for entry in found] == ["boot", "access", "stop"] * 2
    assert list(numbers(found).values()) == [[0, 1, 2], [0, 1, 2]]
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def test_a_writer_that_is_not_at_work_takes_nothing(database: Database, home: Path) -> None:
    writer = logs.writer(database, home)
    assert writer.health() == "unavailable"
    with pytest.raises(RecordUnavailable):
        await writer.append(logs.read(), CLERK)
    await writer.start()
    assert writer.health() == "ok"
    await writer.close()
    with pytest.raises(RecordUnavailable):
        await writer.append(logs.read(), CLERK)
    assert await logs.entries(database) == []


async def test_tiles_are_stored_once_they_are_full_and_a_restart_goes_on_from_the_edge(
    database: Database, home: Path, administrator: Administrator, begin: Begin
) -> None:
    for size in (300, 250, 7):
        writer = await begin(home)
        await asyncio.gather(*(writer.append(logs.read(), CLERK) for _ in range(size)))
        await writer.close()
    assert administrator.run("SELECT level, n, length(hashes) FROM audit_tile ORDER BY level, n") == [(0, 0, 8192), (0, 1, 8192)]
    report = await logs.verified(database, home)
    assert (report.verdict, report.size) == (Verdict.OK, 300 + 250 + 7 + 6)
