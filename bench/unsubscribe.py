"""What saying no costs: `python -m bench.unsubscribe [--members N] [--quick]`.

effect   One-click POSTs of members who had said yes, eight at a time: from the POST to its answer, which comes when the suppression, the
         withdrawal and their entry are durable. Whoever asks afterwards, on any instance, is told SUPPRESSED.
repeats  The same links again and again from 64 connections: requests a second, and a second of the server's processor.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop

from bench.cluster import open_cluster
from bench.machine import SERVER_CORE, cpu_seconds, other_cores
from bench.shop import Server, Shop, consenting, open_shop
from service import app
from service.subscriptions import links
from service.subscriptions.links import Link

_BODY = b"List-Unsubscribe=One-Click"
_CHANNEL = "sms"


class Clicker:
    """One keep-alive connection that posts one-click bodies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> "Clicker":
        """A new connection."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def click(self, token: str) -> None:
        """Raises RuntimeError for any answer but 200."""
        head = f"POST /u/{token} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        self._writer.write(f"{head}content-length: {len(_BODY)}\r\n\r\n".encode() + _BODY)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await self._reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"not unsubscribed: {answer[:40]!r}")


async def tokens(shop: Shop, ids: Sequence[str]) -> list[str]:
    """A link for each of these members, as a message would carry it."""
    async with app.parts(shop.site.config()) as parts:
        now = app.now()
        return [links.make(parts.vault, Link(member_id, _CHANNEL, "", "", "", now)) for member_id in ids]


async def clicks(server: Server, made: Sequence[str], *, connections: int, seconds: float | None) -> list[float]:
    """How long each click took, in milliseconds: each link once, or over and over for so many seconds."""
    waits: list[float] = []
    end = time.perf_counter() + (seconds or 3600)

    async def share(number: int) -> None:
        clicker = await Clicker.to(server.port)
        mine = made[number::connections]
        turn = 0
        while time.perf_counter() < end and (seconds is not None or turn < len(mine)):
            begun = time.perf_counter()
            await clicker.click(mine[turn % len(mine)])
            waits.append((time.perf_counter() - begun) * 1e3)
            turn += 1

    await asyncio.gather(*(share(number) for number in range(connections)))
    return sorted(waits)


def measure(shop: Shop, *, members: int, seconds: float) -> None:
    """Both questions, over one server on its own core."""
    made = asyncio.run(tokens(shop, consenting(shop.site.size)[:members]))
    with shop.open(SERVER_CORE) as (server,):
        first = uvloop.run(clicks(server, made, connections=8, seconds=None))
        print(
            f"effect, {len(first):,} members: p50 {statistics.median(first):.1f} ms, {_p99(first):.1f} ms at p99, target < 50 ms"
        )
        before = cpu_seconds(server.process.pids)
        again = uvloop.run(clicks(server, made, connections=64, seconds=seconds))
        spent = cpu_seconds(server.process.pids) - before
    print(f"repeats: {len(again) / seconds:,.0f}/s, {len(again) / spent:,.0f} a second of processor, target ≥ 1,000")


def _p99(waits: Sequence[float]) -> float:
    return waits[len(waits) * 99 // 100]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=2_000)
    parser.add_argument("--quick", action="store_true", help="fewer members, for a shorter time")
    wanted = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menshen-bench-unsubscribe-")))
        cluster = open_cluster()
        stack.callback(cluster.close)
        members = 300 if wanted.quick else wanted.members
        shop = open_shop(cluster, folder, 2 * members)
        os.sched_setaffinity(0, other_cores())
        cluster.settle()
        measure(shop, members=members, seconds=3.0 if wanted.quick else 10.0)


if __name__ == "__main__":
    main()
