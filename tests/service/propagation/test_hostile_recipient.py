"""A recipient that means harm: whatever it answers, one try ends in time, keeps nothing, and leaves nothing open behind it."""

import asyncio
import tracemalloc
from contextlib import asynccontextmanager

import pytest

from service.propagation.courier import Courier
from tests.gateway import gateway

SECONDS = 0.5
LATE_SECONDS = 5.0
"""So late a try may end that is measured: a flood of heads is parsed piece by piece, and the clock is looked at in between."""
MOST_BYTES = 2 << 20
"""What one try may hold at its height: the library reads pieces of 64 kB and parses heads of 100 kB."""
PIECE = b"a" * 65_536


async def for_ever(writer, *first, piece):
    for each in first:
        writer.write(each)
    while True:
        writer.write(piece)
        await writer.drain()


ATTACKS = {
    "a body without an end": ((b"HTTP/1.1 200 OK\r\n\r\n",), PIECE, "ACKNOWLEDGED"),
    "a chunk without an end": (
        (b"HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\nffffffffffff\r\n",),
        PIECE,
        "STATUS_500",
    ),
    "a body that is said to be of eight exabytes": (
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9000000000000000000\r\n\r\n",),
        PIECE,
        "ACKNOWLEDGED",
    ),
    "a body that unpacks for ever": (
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",),
        b"\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08\x0a" * 4096,
        "ACKNOWLEDGED",
    ),
    "a status line without an end": ((b"HTTP/1.1 200 ",), PIECE, "UNREACHABLE"),
    "a head without an end": ((b"HTTP/1.1 200 OK\r\n",), b"x: y\r\n" * 8192, "UNREACHABLE"),
    "one header without an end": ((b"HTTP/1.1 200 OK\r\nx: ",), PIECE, "UNREACHABLE"),
    "please go on, for ever": ((), b"HTTP/1.1 100 Continue\r\n\r\n" * 2048, "TIMEOUT"),
    "early hints, for ever": ((), b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 2048, "TIMEOUT"),
}


@asynccontextmanager
async def attacker(first, piece):
    """Sends until it is cut off; `cut` says that it was."""
    cut = asyncio.Event()

    async def serve(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            await for_ever(writer, *first, piece=piece)
        except (ConnectionError, asyncio.IncompleteReadError):
            cut.set()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", cut
    finally:
        server.close()


@pytest.mark.parametrize("name", ATTACKS)
async def test_whatever_it_sends_the_try_ends_in_time_and_in_little_memory_and_the_line_is_cut(name):
    first, piece, code = ATTACKS[name]
    async with attacker(first, piece) as (url, cut), Courier(seconds=SECONDS) as courier:
        tracemalloc.start()
        try:
            begun = asyncio.get_running_loop().time()
            assert await courier.post(url, b"{}", {}) == code
            took = asyncio.get_running_loop().time() - begun
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert took < LATE_SECONDS and most < MOST_BYTES, (took, most)
        async with asyncio.timeout(5):
            await cut.wait()


async def test_a_hundred_and_fifty_such_answers_leave_no_line_open_and_the_next_one_is_heard():
    first, piece, _ = ATTACKS["a body without an end"]
    async with Courier(seconds=10) as courier, gateway() as honest:
        async with attacker(first, piece) as (url, _):
            said = await asyncio.gather(*(courier.post(url, b"{}", {}) for _ in range(150)))
        assert set(said) == {"ACKNOWLEDGED"}
        assert await courier.post(honest.url, b"{}", {}) == "ACKNOWLEDGED"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_to_this_machine(status):
    async with gateway() as inside, gateway() as outside, Courier(seconds=SECONDS) as courier:
        outside.answer = f"HTTP/1.1 {status} Go\r\nlocation: {inside.url}\r\ncontent-length: 0\r\n\r\n".encode()
        assert await courier.post(outside.url, b"{}", {}) == f"STATUS_{status}"
        assert len(outside.requests) == 1 and inside.requests == []
