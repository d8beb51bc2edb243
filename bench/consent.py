"""What consent costs: `python -m bench.consent [--only QUESTION]… [--members N] [--quick]`.

withdrawal  Two `menshen serve` on one PostgreSQL. A member withdraws through the one; from the moment the answer is there, the other is
            asked for the member's data, with nobody else there and then under a load of other reads on both. How long until the first
            refusal, and was any read that began after the answer still allowed?
rate        Grants and withdrawals a second through GraphQL, 64 connections, each with its entry in the tree of the log.
ledger      A member with 1,000 consent events against one with 5: `member`, `me`, `consents`, in turns; and the statements of a read.
stale       A notice that asks for more, before N members who had consented: what its publication writes, and what pages cost before it
            and after.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench import people
from bench.cluster import open_cluster
from bench.machine import SERVER_CORE, cpu_seconds, other_cores
from bench.policy import NOTICE, widen, write_policy
from bench.shop import Server, Shop, consenting, open_shop
from bench.wire import Json, Wire

_OF = f'purpose: "{people.PURPOSE}"'
_READ = f"query R($id: ID!) {{ member(id: $id, {_OF}) {{ id name phone withheld {{ field reason }} }} }}"
_PAGE = (
    f"query P($after: String) {{ members({_OF}, first: 100, after: $after) "
    "{ nodes { id name phone region } pageInfo { endCursor hasNextPage } } }"
)
_WITHDRAW = (
    f"mutation W($id: ID!) {{ withdrawConsent(memberId: $id, {_OF}, channel: MINI_PROGRAM) "
    "{ __typename ... on ConsentsRecorded { standings { state } } } }"
)
_GRANT = (
    "mutation G($id: ID!, $evidence: EvidenceInput) { recordConsents(memberId: $id, evidence: $evidence, "
    f"decisions: [{{{_OF}, granted: true}}]) "
    "{ __typename ... on ConsentsRecorded { standings { state } } ... on Refusal { code } } }"
)
_ME = "{ me { id name phone region } }"
_WRITTEN = (
    "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables "
    "WHERE relname IN ('member', 'consent_standing', 'consent_event', 'consent_ask', 'notice_told', 'job')"
)
_CONSENTS = "{ consents { purpose state since expiresAt } }"


_LATE_SECONDS = 3
"""PostgreSQL's counters of rows come in late."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much to measure."""

    withdrawals: int = 500
    rounds: int = 5
    seconds: float = 4.0


# --- withdrawal ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refused:
    """One withdrawal: from its answer to the first refusal elsewhere, and how many reads that began after the answer were allowed."""

    seconds: float
    allowed_after: int
    withdrawing: float


async def withdrawals(
    shop: Shop, servers: Sequence[Server], ids: Sequence[str], background: Sequence[str], *, readers: int
) -> list[Refused]:
    """Withdraw one after the other through the first server, and read through the second, while so many others read."""
    writer, reader = servers
    async with _load(shop, servers, background, readers):
        take_back = await Wire.to(writer.port, shop.token("mini_program"))
        look = await Wire.to(reader.port, shop.token(people.ROLE))
        return [await _withdrawn(take_back, look, member_id) for member_id in ids]


async def _withdrawn(take_back: Wire, look: Wire, member_id: str) -> Refused:
    if not _allowed(await look.ask(_READ, {"id": member_id})):
        raise RuntimeError("it was not allowed before, so the refusal proves nothing")
    answered: list[float] = []

    async def poll() -> tuple[float, int]:
        """Read without a pause, across the withdrawal, until a read that began after its answer is refused."""
        late = 0
        while True:
            begun = time.perf_counter()
            allowed = _allowed(await look.ask(_READ, {"id": member_id}))
            if answered and begun >= answered[0]:
                if not allowed:
                    return time.perf_counter(), late
                late += 1

    polling = asyncio.create_task(poll())
    begun = time.perf_counter()
    found = await take_back.ask(_WITHDRAW, {"id": member_id})
    answered.append(time.perf_counter())
    if found["withdrawConsent"]["standings"][0]["state"] != "WITHDRAWN":
        raise RuntimeError("it was not withdrawn")
    ended, late = await polling
    return Refused(ended - answered[0], late, answered[0] - begun)


def _allowed(data: Json) -> bool:
    return data["member"]["phone"] is not None


@asynccontextmanager
async def _load(shop: Shop, servers: Sequence[Server], ids: Sequence[str], readers: int) -> AsyncIterator[None]:
    """So many connections to each server that read other members, with a pause of 20 ms between two reads."""

    async def read(server: Server, number: int) -> None:
        chance = random.Random(number)
        wire = await Wire.to(server.port, shop.token(people.ROLE))
        while True:
            await wire.ask(_READ, {"id": chance.choice(ids)})
            await asyncio.sleep(0.02)

    tasks = [asyncio.create_task(read(server, number)) for server in servers for number in range(readers)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        broken = [each for each in ended if not isinstance(each, asyncio.CancelledError)]
        if broken:
            raise RuntimeError(f"the load broke: {broken[0]!r}")


# --- rate ------------------------------------------------------------------------------------------------------------------------


async def rate(shop: Shop, servers: Sequence[Server], ids: Sequence[str], seconds: float) -> tuple[float, list[float]]:
    """Grants and withdrawals a second from 64 connections, and how long each took, in milliseconds."""
    waits: list[float] = []
    shares = [ids[number::64] for number in range(64)]
    wires = [await Wire.to(servers[number % len(servers)].port, shop.token("mini_program")) for number in range(64)]
    begun = time.perf_counter()
    end = begun + seconds

    async def change(wire: Wire, mine: Sequence[str]) -> None:
        number = 0
        while (at := time.perf_counter()) < end:
            query, member_id = (_WITHDRAW, _GRANT)[number // len(mine) % 2], mine[number % len(mine)]
            await _changed(wire, query, member_id)
            waits.append((time.perf_counter() - at) * 1e3)
            number += 1

    await asyncio.gather(*(change(wire, share) for wire, share in zip(wires, shares, strict=True)))
    for wire in wires:
        wire.close()
    return len(waits) / (time.perf_counter() - begun), sorted(waits)


async def _changed(wire: Wire, query: str, member_id: str) -> None:
    """One answer or withdrawal. Raises RuntimeError when it was not recorded."""
    found = await wire.ask(query, {"id": member_id} if query is _WITHDRAW else {"id": member_id, "evidence": _shown()})
    if next(iter(found.values()))["__typename"] != "ConsentsRecorded":
        raise RuntimeError(f"it was not recorded: {found}")


def _shown() -> Json:
    return {
        "noticeVersion": NOTICE,
        "language": "zh-CN",
        "presentedAt": datetime.now(UTC).isoformat(),
        "expression": "BUTTON",
        "screen": "bench",
        "channel": "MINI_PROGRAM",
    }


# --- ledger ----------------------------------------------------------------------------------------------------------------------


async def lengthen(shop: Shop, server: Server, member_id: str, events: int) -> None:
    """Let a member change their mind until the ledger has so many events and the consent stands."""
    wire = await Wire.to(server.port, shop.token("mini_program"))
    for number in range(events):
        query = _WITHDRAW if number % 2 != events % 2 else _GRANT
        await _changed(wire, query, member_id)
    wire.close()


async def reads(shop: Shop, server: Server, ids: Sequence[str], count: int) -> dict[str, list[float]]:
    """Milliseconds of `member`, `me` and `consents` of each of these members, the median of so many; they are asked about in turns."""
    found: dict[str, list[float]] = {}
    for name, query in (("member", _READ), ("me", _ME), ("consents", _CONSENTS)):
        tokens = [shop.token(people.ROLE) if name == "member" else shop.token("member", member_id) for member_id in ids]
        wires = [await Wire.to(server.port, token) for token in tokens]
        waits: list[list[float]] = [[] for _ in ids]
        for turn in range(count):
            for place in (range(len(ids)), reversed(range(len(ids))))[turn % 2]:
                begun = time.perf_counter()
                await wires[place].ask(query, {"id": ids[place]} if name == "member" else {})
                waits[place].append((time.perf_counter() - begun) * 1e3)
        found[name] = [statistics.median(each) for each in waits]
        for wire in wires:
            wire.close()
    return found


async def pages(shop: Shop, server: Server, count: int) -> tuple[float, int]:
    """Milliseconds of a page of 100, the median of so many that follow each other; and how many members the pages had."""
    wire = await Wire.to(server.port, shop.token(people.ROLE))
    waits, after, members = [], None, 0
    for _ in range(count):
        begun = time.perf_counter()
        found = (await wire.ask(_PAGE, {"after": after}))["members"]
        waits.append(time.perf_counter() - begun)
        members += len(found["nodes"])
        after = found["pageInfo"]["endCursor"] if found["pageInfo"]["hasNextPage"] else None
    wire.close()
    return statistics.median(waits) * 1e3, members


# --- the questions ---------------------------------------------------------------------------------------------------------------


def ask_withdrawal(shop: Shop, pace: Pace) -> None:
    """(a), alone and under a load that leaves neither core idle."""
    ids = consenting(shop.site.size)
    with shop.open(SERVER_CORE, min(other_cores())) as servers:
        for turn, readers in enumerate((0, 8)):
            mine = ids[turn * pace.withdrawals : (turn + 1) * pace.withdrawals]
            found = uvloop.run(withdrawals(shop, servers, mine, ids[2 * pace.withdrawals :], readers=readers))
            _tell_withdrawals(found, f"{readers} others reading on each")


def _tell_withdrawals(found: Sequence[Refused], load: str) -> None:
    waits = sorted(each.seconds * 1e3 for each in found)
    took = sorted(each.withdrawing * 1e3 for each in found)
    late = sum(each.allowed_after for each in found)
    print(f"withdrawal → refusal on another instance, {len(found)} times, {load}: {_spread(waits)}; target p99 < 50 ms")
    print(f"    reads that began after the answer and were allowed: {late}; the withdrawal itself: {_spread(took)}")
    if late:
        raise SystemExit("a read that began after a withdrawal was answered was still allowed")


def ask_rate(shop: Shop, pace: Pace) -> None:
    """(b)"""
    ids = consenting(shop.site.size)[-6402:-2]
    for cores in ((SERVER_CORE,), (SERVER_CORE, min(other_cores()))):
        with shop.open(*cores) as servers:
            uvloop.run(rate(shop, servers, ids, 2.0))
            pids = [pid for server in servers for pid in server.process.pids]
            used = cpu_seconds(pids)
            rounds = [uvloop.run(rate(shop, servers, ids, pace.seconds)) for _ in range(pace.rounds)]
            used = cpu_seconds(pids) - used
        rates = sorted(each for each, _ in rounds)
        waits = sorted(wait for _, each in rounds for wait in each)
        print(
            f"grants and withdrawals, 64 connections, {len(cores)} instance(s): {statistics.median(rates):,.0f} a second ", end=""
        )
        print(f"({rates[0]:,.0f}–{rates[-1]:,.0f}), target 500; {used / len(waits) * 1e6:,.0f} µs of CPU each; {_spread(waits)}")


def ask_ledger(shop: Shop, pace: Pace) -> None:
    """(c), (d)"""
    few, many = consenting(shop.site.size)[-2:]
    with shop.open(SERVER_CORE) as (server,):
        uvloop.run(lengthen(shop, server, few, 5))
        uvloop.run(lengthen(shop, server, many, 1000))
        length = shop.count(f"SELECT count(*) FROM consent_event WHERE member_id = '{many}'")
        rounds = [uvloop.run(reads(shop, server, (few, many), 200)) for _ in range(pace.rounds + 1)][1:]
    for name in ("member", "me", "consents"):
        usual = statistics.median(each[name][0] for each in rounds)
        ratios = [each[name][1] / each[name][0] for each in rounds]
        print(f"{name}, {length:,} events over 5: {_ratio(ratios)}, target ≤ 1.2×; {usual:.2f} ms with 5")


def ask_stale(shop: Shop, pace: Pace) -> None:
    """(e)"""
    wider = shop.folder / "widened"
    wider.mkdir()
    widen(write_policy(wider))
    time.sleep(_LATE_SECONDS)
    before = shop.count(_WRITTEN)
    figures: dict[str, list[float]] = {"before": [], "after": []}
    members = {}
    with shop.open(SERVER_CORE) as (old,):
        uvloop.run(pages(shop, old, 5))
        begun = time.perf_counter()
        with shop.open(SERVER_CORE, policies=wider) as (new,):
            restarted = time.perf_counter() - begun
            uvloop.run(pages(shop, new, 5))
            for turn in range(pace.rounds):
                asked = [("before", old), ("after", new)]
                for name, server in asked if turn % 2 else reversed(asked):
                    cost, members[name] = uvloop.run(pages(shop, server, 20))
                    figures[name].append(cost)
    time.sleep(_LATE_SECONDS)
    rows = shop.count(_WRITTEN) - before
    ratios = [after / first for first, after in zip(figures["before"], figures["after"], strict=True)]
    print(f"a wider notice before {shop.site.size:,} members: {rows} rows written; serving again after {restarted:.1f} s")
    print(
        f"    a page of 100 under it over one before: {_ratio(ratios)}; {members['after']:,} of {members['before']:,} still there"
    )


def _ratio(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f}× ({min(ratios):.2f}–{max(ratios):.2f})"


def _spread(sorted_waits: Sequence[float]) -> str:
    at = {share: sorted_waits[min(len(sorted_waits) - 1, len(sorted_waits) * share // 100)] for share in (50, 99)}
    return f"p50 {at[50]:.1f} ms, p99 {at[99]:.1f} ms, most {sorted_waits[-1]:.1f} ms"


_QUESTIONS = {"withdrawal": ask_withdrawal, "rate": ask_rate, "ledger": ask_ledger, "stale": ask_stale}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=_QUESTIONS, action="append")
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="fewer members, withdrawals and rounds")
    wanted = parser.parse_args()
    pace = Pace(100, 3, 3.0) if wanted.quick else Pace()
    size = min(wanted.members, 20_000) if wanted.quick else wanted.members
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menshen-bench-consent-")))
        cluster = open_cluster()
        stack.callback(cluster.close)
        shop = open_shop(cluster, folder, size)
        os.sched_setaffinity(0, other_cores())
        for name in wanted.only or _QUESTIONS:
            cluster.settle()
            _QUESTIONS[name](shop, pace)


if __name__ == "__main__":
    main()
