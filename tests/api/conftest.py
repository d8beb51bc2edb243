"""The endpoint by itself, with operations that record what reaches them: for questions of protocol, where no data is at stake."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.registry import CollectorRegistry

from policies.terms import Catalogue, Reason
from schema.http.endpoint import Endpoint
from schema.http.limits import Limits
from schema.http.meter import Meter
from service.disclosure.model import Page, Profile, Withheld
from service.identity.claims import Expected
from service.identity.development import ISSUER, DevelopmentIssuer, open_issuer
from service.identity.keys import FixedKeys
from service.identity.verifier import Verifier
from service.values import Call
from tests.conftest import StillClock

MEMBER = "019a0000-0000-7000-8000-000000000001"
JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"


class Recorder:
    """Stands where `Operations` stands. What reaches it would have reached the database."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Call, dict[str, Any]]] = []
        self.values: dict[str, Any] = {}
        self.withheld: tuple[Withheld, ...] = ()
        self.masked: frozenset[str] = frozenset()
        self.failure: Exception | None = None

    def _note(self, name: str, call: Call, given: dict[str, Any]) -> None:
        self.calls.append((name, call, given))
        if self.failure is not None:
            raise self.failure

    def _profile(self, member_id: str) -> Profile:
        return Profile(member_id, dict(self.values), self.masked, self.withheld)

    async def member(self, call: Call, **given: Any) -> Profile | None:
        self._note("member", call, given)
        return self._profile(given["member_id"])

    async def by_contact(self, call: Call, **given: Any) -> Profile | None:
        self._note("by_contact", call, given)
        return self._profile(MEMBER)

    async def me(self, call: Call, **given: Any) -> Profile | None:
        self._note("me", call, given)
        return self._profile(MEMBER)

    async def page(self, call: Call, **given: Any) -> Page:
        self._note("page", call, given)
        profiles = tuple(self._profile(MEMBER) for _ in range(3))
        return Page(profiles, ("a", "b", "c") if given["edge_cursors"] else (), "a", "c", has_next=True)

    async def withdraw(self, call: Call, **given: Any) -> Any:
        self._note("withdraw", call, given)
        raise AssertionError("not asked for here")

    @property
    def fields(self) -> Sequence[str]:
        """The fields that the last call was asked for."""
        return self.calls[-1][2]["fields"]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def issuer(tmp_path: Path) -> DevelopmentIssuer:
    return open_issuer(tmp_path / "issuer", production=False, audience="menshen", chance=os.urandom)


@pytest.fixture
def make_endpoint(
    recorder: Recorder, issuer: DevelopmentIssuer, catalogue: Catalogue, clock: StillClock
) -> Callable[..., Endpoint]:
    """`make_endpoint(production=True, limits=…)`."""

    def make(*, production: bool = False, origins: Sequence[str] = (), limits: Limits | None = None) -> Endpoint:
        expected = Expected(ISSUER, "menshen")
        return Endpoint(
            operations=recorder,  # type: ignore[arg-type]
            verifier=Verifier(source=FixedKeys(issuer.keys), expected=expected, roles=catalogue.roles, clock=clock),
            catalogue=catalogue,
            clock=clock,
            chance=os.urandom,
            meter=Meter(CollectorRegistry()),
            production=production,
            origins=origins,
            limits=limits,
        )

    return make


@pytest.fixture
def endpoint(make_endpoint: Callable[..., Endpoint]) -> Endpoint:
    return make_endpoint()


def http_to(endpoint: Endpoint) -> httpx2.AsyncClient:
    """A client of one endpoint. What the endpoint throws comes through: nothing may."""
    transport = httpx2.ASGITransport(app=endpoint, raise_app_exceptions=True)
    return httpx2.AsyncClient(transport=transport, base_url="http://menshen.test")


@pytest.fixture
async def http(endpoint: Endpoint) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the endpoint in development mode."""
    async with http_to(endpoint) as client:
        yield client


@pytest.fixture
def signed(issuer: DevelopmentIssuer, clock: StillClock) -> Callable[..., dict[str, str]]:
    """`signed("store_clerk")`: the headers of somebody in that role."""

    def headers(role: str = "store_clerk", **more: Any) -> dict[str, str]:
        token = issuer.issue(roles=[role], now=clock(), lasts=timedelta(hours=1), **more)
        return {"authorization": f"Bearer {token}"}

    return headers


def withheld(field: str, reason: Reason = Reason.FIELD_NOT_IN_PURPOSE) -> Withheld:
    """One withheld field."""
    return Withheld(field, reason, "order_fulfilment", None)


def code(answer: httpx2.Response) -> str:
    """The code of an answer's only error, after checking that it has everything that an error must have."""
    body = answer.json()
    (error,) = body["errors"]
    extensions = error["extensions"]
    assert error["message"]
    assert extensions["zh"]
    assert extensions["requestId"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"].split(";")[0] in {JSON, GRAPHQL_JSON}
    return str(extensions["code"])
