"""The witness over HTTP (C2SP tlog-witness): whatever comes is answered with a code, within bounds of size and time.

POST /add-checkpoint               cosignatures, or why not
GET  /<SHA-256 of the origin>/checkpoint   what was cosigned last: a log asks at its start, an auditor compares
GET  /mirror/<the same>/checkpoint, /tile/…   the copy of the log, where one is kept
GET  /livez /readyz /metrics       for whoever runs it
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from hashlib import sha256

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from service.checkpoints.submission import MOST_BYTES
from service.errors import StoreUnavailable
from service.hazmat import mac
from service.witness.judging import Witness
from service.witness.mirror import Mirror, State, served
from service.witness.model import NOTHING, STATUS, Answer, Code

BODY_SECONDS = 10.0
"""For a body to arrive: a client that sends a byte a second holds nothing up for long."""


class Counts:
    """What has been answered, and how far each log is known."""

    def __init__(self, registry: CollectorRegistry, *, mirrors: Mapping[str, State]) -> None:
        self.registry = registry
        self.copies = Gauge("menshen_mirror_size", "Entries of each log in its copy.", ["origin"], registry=registry)
        self.problems = Gauge("menshen_mirror_problem", "1 while a copy cannot catch up.", ["origin"], registry=registry)
        for origin, state in mirrors.items():
            self.copies.labels(origin).set_function(partial(getattr, state, "size"))
            self.problems.labels(origin).set_function(partial(_problem, state))
        self.answers = Counter("menshen_witness_answers", "Submissions by what came of them.", ["code"], registry=registry)
        self.sizes = Gauge(
            "menshen_witness_size", "Entries of each log at its newest cosigned checkpoint.", ["origin"], registry=registry
        )
        self.full = Gauge(
            "menshen_witness_evidence_full",
            "1 where there was more evidence than is kept: look at it, and move it away.",
            ["origin", "suspicion"],
            registry=registry,
        )


def _problem(state: State) -> int:
    return int(bool(state.problem))


def application(
    witness: Witness, *, origins: Mapping[str, object], counts: Counts, more: list[BaseRoute], body_seconds: float = BODY_SECONDS
) -> Starlette:
    """The application. `more` are routes beside these, such as a mirror's."""
    by_hash = {sha256(origin.encode()).hexdigest(): origin for origin in origins}

    async def add(request: Request) -> Response:
        answer = await _judged(witness, request, body_seconds)
        counts.answers.labels(answer.code).inc()
        return _said(answer)

    async def checkpoint(request: Request) -> Response:
        origin = by_hash.get(request.path_params["hash"])
        standing = NOTHING if origin is None else await asyncio.to_thread(witness.newest, origin)
        return PlainTextResponse(standing.note) if standing.note else PlainTextResponse("NOT_FOUND\n", 404)

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        for origin in origins:
            counts.sizes.labels(origin).set((await asyncio.to_thread(witness.newest, origin)).size)
        return PlainTextResponse("ok\n")

    async def metrics(request: Request) -> Response:
        await ready(request)
        counts.full.clear()
        for one in await asyncio.to_thread(witness.full):
            counts.full.labels(one.origin, one.suspicion).set(1)
        return Response(generate_latest(counts.registry), media_type=CONTENT_TYPE_LATEST)

    routes = [
        Route("/add-checkpoint", add, methods=["POST"]),
        *more,
        Route("/{hash}/checkpoint", checkpoint),
        Route("/livez", live),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused, StoreUnavailable: _unavailable})


def mirrored(mirrors: Mapping[str, Mirror], token: str) -> list[BaseRoute]:
    """The copies over HTTP (C2SP tlog-mirror, tlog-tiles): hashes are anybody's, entries are for who has the token."""
    bearer = f"Bearer {token}".encode()

    async def file(request: Request) -> Response:
        path = request.path_params["path"]
        known = token and mac.equal(request.headers.get("authorization", "").encode(), bearer)
        if path.startswith("tile/entries/") and not known:
            return PlainTextResponse("NOT_ALLOWED\n", 401)
        found = await asyncio.to_thread(served, mirrors, request.path_params["hash"], path)
        kind = "text/plain; charset=utf-8" if path == "checkpoint" else "application/octet-stream"
        return Response(found, headers={"content-type": kind}) if found is not None else PlainTextResponse("NOT_FOUND\n", 404)

    return [Route("/mirror/{hash}/{path:path}", file)] if mirrors else []


async def _judged(witness: Witness, request: Request, seconds: float) -> Answer:
    try:
        async with asyncio.timeout(seconds):
            raw = await _body(request)
    except TimeoutError:
        return Answer(Code.TOO_SLOW)
    except ClientDisconnect:
        return Answer(Code.MALFORMED)
    if raw is None:
        return Answer(Code.TOO_LONG)
    try:
        return await asyncio.to_thread(witness.submit, raw)
    except StoreUnavailable:
        return Answer(Code.STORE_UNAVAILABLE)


async def _body(request: Request) -> bytes | None:
    """All of it; None for more than a submission can have, of which the rest is not read."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            return None
    return b"".join(parts)


def _said(answer: Answer) -> Response:
    if answer.code is Code.COSIGNED:
        return PlainTextResponse("".join(f"{line}\n" for line in answer.lines))
    if answer.code is Code.NOT_FROM_HERE:
        # As the specification has it: with a charset behind it, clients do not know it.
        return Response(f"{answer.size}\n", STATUS[answer.code], headers={"content-type": "text/x.tlog.size"})
    # What is left unread of a body that is refused would be taken for the next request.
    headers = {"connection": "close"} if answer.code in {Code.TOO_LONG, Code.TOO_SLOW} else {}
    return PlainTextResponse(f"{answer.code}\n", STATUS[answer.code], headers=headers)


async def _refused(_: Request, problem: Exception) -> Response:
    """What no route is for: the status, and nothing of what was asked."""
    status = problem.status_code if isinstance(problem, HTTPException) else 400
    return PlainTextResponse("NOT_FOUND\n" if status == 404 else "REFUSED\n", status)


async def _unavailable(_: Request, __: Exception) -> Response:
    return PlainTextResponse(f"{Code.STORE_UNAVAILABLE}\n", STATUS[Code.STORE_UNAVAILABLE])
