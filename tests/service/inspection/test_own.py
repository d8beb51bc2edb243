"""A member's own view: everything about them, in plain words, with a proof for each line that tells of nobody else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from menshen_verifier import merkle
from menshen_verifier.base64 import decoded
from menshen_verifier.checkpoint import open_checkpoint
from service.app import Parts
from service.errors import BadInput, Forbidden
from service.inspection.model import Status
from service.inspection.own import AccessLog
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.service.audit.logs import Administrator
from tests.service.inspection.records import read, signed

QUERY = """{ myAccessLog(first: 20) { nodes { index at kind said { zh en } who { zh en } fields { key title { zh en } }
  withheld { key } purpose { zh } basis { zh } decision reason status archived leafHash proof }
  pageInfo { endCursor hasNextPage } } }"""


async def own(running: Parts, member: str, **more: Any) -> AccessLog:
    given: dict[str, Any] = {"first": 20, "after": None, "since": None, "until": None, "field": ""} | more
    found = await running.operations.my_access_log(a_call("member", member_id=member), **given)
    assert found is not None
    return found


@pytest.mark.obligation("AL-04")
async def test_a_member_reads_in_plain_words_who_looked_and_no_account(running: Parts, ask: Callable[..., Any]) -> None:
    member = await a_member(running, yes=["birthday_gift"])
    await read(running, member)
    answer = await ask(QUERY, role="member", member_id=member)
    nodes = answer["data"]["myAccessLog"]["nodes"]
    (look,) = [node for node in nodes if node["kind"] == "access"]
    assert (
        look["said"]["zh"]
        == "2026年11月22日 10:00，客服专员为“客户服务”查看了您的信息；涉及：姓名、手机号码；依据：订立、履行合同所必需。"
    )
    assert look["said"]["en"].startswith("2026-11-22 10:00 (China): Customer service agent, for ")
    assert (look["decision"], look["reason"]) == ("allow", None)
    assert (look["status"], look["proof"] is None) in {("PENDING", True), ("PROVEN", False)}
    assert {node["kind"] for node in nodes} >= {"access", "consent"} or {node["kind"] for node in nodes} >= {"access", "change"}
    assert "customer_service_agent-1" not in json.dumps(answer)


async def test_refusals_and_own_looks_are_seen_too(running: Parts) -> None:
    member = await a_member(running)
    await running.operations.member(a_call("marketer"), member_id=member, purpose="marketing_sms", fields=("phone",))
    await running.operations.me(a_call("member", member_id=member), fields=("name",))
    said = [item.said.zh for item in (await own(running, member)).items if item.said]
    assert any("营销专员" in text and "未予提供" in text for text in said)
    assert any("您本人" in text for text in said)


async def test_fields_times_and_pages_narrow(running: Parts, clock: Any) -> None:
    member = await a_member(running)
    for _ in range(3):
        await read(running, member)
        clock.advance(days=40)
    assert [item.kind for item in (await own(running, member, field="phone")).items if item.kind == "access"] == ["access"] * 3
    assert (await own(running, member, field="skin_type")).items == ()
    first = await own(running, member, field="phone", first=2)
    rest = await own(running, member, field="phone", first=2, after=first.end)
    seen = [item.index for item in (*first.items, *rest.items)]
    assert len(set(seen)) == len(seen) == 4
    assert first.has_next
    assert not rest.has_next


async def test_the_look_is_recorded_under_ones_own_name(running: Parts) -> None:
    member = await a_member(running)
    await own(running, member)
    last = (await entries(running, "myAccessLog"))[-1]
    assert (last["typ"], last["act"]["k"], last["sub"]) == ("audit", "member", [last["act"]["id"]])


@pytest.mark.obligation("AL-04")
async def test_the_proof_holds_and_tells_of_no_other_member(running: Parts) -> None:
    """A page of several members is one entry: its bytes name the others, so the member gets its hash, its place and the way up."""
    members = [await a_member(running) for _ in range(3)]
    await running.operations.page(
        a_call("order_service"),
        purpose="order_fulfilment",
        fields=("phone",),
        first=10,
        after=None,
        edge_cursors=False,
    )
    page = (await entries(running, "members"))[-1]
    assert len(page["sub"]) == 3
    keys = await signed(running)
    found = next(item for item in (await own(running, members[1])).items if item.entry.get("op") == "members")
    assert found.status is Status.PROVEN
    assert found.proof is not None
    head, _, note = found.proof.partition("\n\n")
    label, index, *path = head.split("\n")
    assert (label, index) == ("c2sp.org/tlog-proof@v1", f"index {found.index}")
    point = open_checkpoint(note.encode(), keys).checkpoint
    hashes = tuple(decoded(line) for line in path)
    assert merkle.climbed(found.index, point.size, bytes.fromhex(found.leaf), hashes) == point.root
    told = f"{found}"
    assert [subject for subject in page["sub"] if subject in told] == []
    assert page["act"]["id"] not in told


async def test_a_broken_entry_shows_nothing_of_what_stands_there_now(running: Parts, database_url: str) -> None:
    member = await a_member(running)
    await read(running, member)
    await signed(running)
    index = next(item.index for item in (await own(running, member)).items if item.kind == "access")
    Administrator(database_url).run("UPDATE audit_entry SET actor = 'staff:nobody' WHERE idx = ?", given=(index,))
    found = next(item for item in (await own(running, member)).items if item.index == index)
    assert (found.status, found.said, found.proof, found.entry) == (Status.BROKEN, None, None, {})


@pytest.mark.parametrize("role", ["auditor", "compliance_officer", "mini_program"])
async def test_it_is_the_members_alone(running: Parts, role: str) -> None:
    with pytest.raises(Forbidden):
        await running.operations.my_access_log(a_call(role), first=5, after=None, since=None, until=None, field="")


async def test_one_member_sees_nothing_of_another(running: Parts) -> None:
    one, other = await a_member(running), await a_member(running)
    await read(running, one)
    assert [item for item in (await own(running, other)).items if item.kind == "access"] == []


@pytest.mark.parametrize("first", [0, 51])
async def test_a_page_has_its_limits(running: Parts, first: int) -> None:
    member = await a_member(running)
    with pytest.raises(BadInput):
        await own(running, member, first=first)
