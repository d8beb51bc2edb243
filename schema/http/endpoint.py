"""The GraphQL endpoint: who calls, what is asked, may it be executed, what came of it. Every answer is JSON with a code.

Strawberry's view is subclassed for its place in the house and overridden where it counts: its own way runs request and response
objects, extension hooks and a JSON encoder that together take longer than the work (docs/decisions/0011).
"""

from collections.abc import Collection
from typing import NamedTuple

import structlog
from graphql import ExecutionResult
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL

from policies.terms import Catalogue
from schema.context import Context
from schema.engine.documents import Document, Documents, Mistake, Operation
from schema.engine.execution import VariablesInvalid, execute
from schema.errors import SERVER_FAULT, WORDS, Rejected, code_of, fault, field_fault, record_errors
from schema.http import wire
from schema.http.limits import Limits
from schema.http.meter import Meter
from schema.http.request import Asked, from_body, from_query
from schema.root import schema, served
from service.errors import AccountDisabled, ServiceError, StoreUnavailable, Unauthenticated
from service.identity.verifier import Verifier
from service.operations import Operations
from service.values import Actor, Call, Chance, Clock, new_id

_log = structlog.get_logger("menshen.graphql")
_ALLOW = ((b"allow", b"GET, POST, OPTIONS"),)
_CHALLENGE = ((b"www-authenticate", b"Bearer"),)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"authorization, content-type, x-request-id"),
    (b"access-control-max-age", b"600"),
)


class Reply(NamedTuple):
    """An answer, not yet sent."""

    status: int
    body: bytes
    headers: tuple[wire.Header, ...] = ()
    type: bytes = wire.JSON
    codes: tuple[str, ...] = ()


class Asking(NamedTuple):
    """One request on its way through: what it came with, and under which id it is recorded."""

    scope: Scope
    headers: dict[bytes, bytes]
    id: str
    type: bytes


class Endpoint(GraphQL[Context, None]):
    """An ASGI application for one path. Built once, in `service/app.py`."""

    def __init__(
        self,
        *,
        operations: Operations,
        verifier: Verifier,
        catalogue: Catalogue,
        clock: Clock,
        chance: Chance,
        meter: Meter,
        production: bool,
        origins: Collection[str] = (),
        limits: Limits | None = None,
        public_url: str = "",
    ) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=(), multipart_uploads_enabled=False)
        self._operations = operations
        self._verifier = verifier
        self._catalogue = catalogue
        self._public_url = public_url
        self._clock = clock
        self._chance = chance
        self._limits = limits or Limits()
        self._documents = Documents(served, self._limits, production=production)
        self._origins = frozenset(origin.encode() for origin in origins)
        self._meter = meter
        self._production = production

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Nothing that is thrown gets past here with its message."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        started = self._meter.start()
        headers = dict(scope["headers"])
        request_id = wire.request_id(headers) or new_id(self._clock(), self._chance)
        media = wire.answer_type(headers.get(b"accept", b""))
        try:
            reply = await self._reply(
                Asking(scope, headers, request_id, media or wire.JSON), receive, acceptable=media is not None
            )
        except wire.Gone:
            return
        own = ((b"content-type", reply.type + b"; charset=utf-8"), (b"x-request-id", request_id.encode()))
        self._meter.done(started, reply.status)
        for code in reply.codes:
            self._meter.error(code)
        await wire.answer(send, reply.status, (*own, *reply.headers, *self._cors(headers)), reply.body)

    async def _reply(self, asking: Asking, receive: Receive, *, acceptable: bool) -> Reply:
        try:
            if not acceptable:
                raise Rejected("NOT_ACCEPTABLE")
            wire.refuse_ambiguity(asking.scope["headers"], asking.headers)
            if asking.scope["method"] == "OPTIONS":
                return Reply(204, b"", _ALLOW + _PREFLIGHT)
            if not self._production and _is_browser(asking):
                return Reply(303, b"", ((b"location", b"graphiql/"),))
            actor = self._actor(asking)
            return await self._answer(asking, actor, await self._asked(asking, receive))
        except Rejected as refusal:
            return _refuse(asking, refusal.code, refusal.detail, refusal.headers)
        except (Unauthenticated, AccountDisabled, StoreUnavailable) as shut:
            return _refuse(asking, shut.code, headers=_CHALLENGE if isinstance(shut, Unauthenticated) else ())
        except wire.Gone:
            raise
        except Exception as error:  # noqa: BLE001 - the last wall: what nobody foresaw leaves as a code, and is logged as a type
            _log.error("unexpected", type=type(error).__name__, request_id=asking.id)
            return _refuse(asking, ServiceError.code)

    def _actor(self, asking: Asking) -> Actor | None:
        """Who calls; None without a token. A token that does not hold is refused even where none is needed."""
        authorization = asking.headers.get(b"authorization")
        return None if authorization is None else self._verifier.actor(authorization)

    async def _asked(self, asking: Asking, receive: Receive) -> Asked:
        method = asking.scope["method"]
        if method == "POST":
            if not wire.takes_body(asking.headers.get(b"content-type", b"")) or b"content-encoding" in asking.headers:
                raise Rejected("UNSUPPORTED_MEDIA_TYPE")
            return from_body(await wire.read_body(asking.headers, receive, self._limits.body), self._limits)
        if method == "GET":
            return from_query(asking.scope["query_string"], self._limits)
        raise Rejected("METHOD_NOT_ALLOWED", headers=_ALLOW)

    async def _answer(self, asking: Asking, actor: Actor | None, asked: Asked) -> Reply:
        document: Document = self._documents.read(asked.text)
        operation = document.operation(asked.name)
        if operation is None:
            return _mistaken(asking, document.mistakes or (Mistake("OPERATION_NOT_FOUND", ""),))
        try:
            context = self._context(asking, actor, operation)
            return _result(asking, await execute(served, operation, asked.variables, context))
        except VariablesInvalid as invalid:
            return _mistaken(asking, invalid.mistakes)

    def _context(self, asking: Asking, actor: Actor | None, operation: Operation) -> Context:
        """What resolvers may reach. Raises Rejected for a mutation by GET, Unauthenticated for private fields without a token."""
        if operation.mutates and asking.scope["method"] != "POST":
            raise Rejected("METHOD_NOT_ALLOWED", headers=((b"allow", b"POST"),))
        if actor is None and not operation.public:
            raise Unauthenticated
        client = asking.scope.get("client")
        call = None if actor is None else Call(actor, asking.id, client[0] if client else "")
        return Context(call, self._operations, self._catalogue, asking.id, self._clock(), operation, self._public_url)

    def _cors(self, headers: dict[bytes, bytes]) -> tuple[wire.Header, ...]:
        """Leave for a page of another origin to read the answer, where the allow-list has it. Cookies play no part here."""
        if not self._origins:
            return ()
        origin = headers.get(b"origin")
        vary = (b"vary", b"origin")
        if origin is None or origin not in self._origins:
            return (vary,)
        return (b"access-control-allow-origin", origin), (b"access-control-expose-headers", b"x-request-id"), vary


def _refuse(asking: Asking, code: str, detail: str = "", headers: tuple[wire.Header, ...] = ()) -> Reply:
    body = wire.encode({"errors": [fault(code, asking.id, detail)]})
    return Reply(WORDS[code].status, body, headers, asking.type, (code,))


def _mistaken(asking: Asking, mistakes: tuple[Mistake, ...]) -> Reply:
    """A request error: 400 in GraphQL's own media type, and 200 in application/json, as the specification has it."""
    faults = []
    for mistake in mistakes:
        told = fault(mistake.code, asking.id, mistake.message)
        if mistake.line:
            told["locations"] = [{"line": mistake.line, "column": mistake.column}]
        faults.append(told)
    status = WORDS[mistakes[0].code].status if asking.type == wire.GRAPHQL_JSON else 200
    return Reply(status, wire.encode({"errors": faults}), (), asking.type, tuple(mistake.code for mistake in mistakes))


def _result(asking: Asking, result: ExecutionResult) -> Reply:
    """What came of it. Where the service itself failed and nothing was answered, the status says so in either media type."""
    if not result.errors:
        return Reply(200, wire.encode({"data": result.data}), (), asking.type)
    record_errors(result.errors, asking.id)
    faults = [field_fault(error, asking.id) for error in result.errors]
    codes = tuple(code_of(error) for error in result.errors)
    worst = max(WORDS[code].status for code in codes)
    nothing = not any(value is not None for value in (result.data or {}).values())
    if worst >= SERVER_FAULT and nothing:
        return Reply(worst, wire.encode({"errors": faults, "data": None}), (), asking.type, codes)
    return Reply(200, wire.encode({"errors": faults, "data": result.data}), (), asking.type, codes)


def _is_browser(asking: Asking) -> bool:
    """Somebody has typed the address into a browser: they want to see something, and have asked nothing."""
    page = asking.scope["method"] == "GET" and b"text/html" in asking.headers.get(b"accept", b"")
    return page and b"query=" not in asking.scope["query_string"]
