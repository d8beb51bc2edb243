"""Tokens at the endpoint: each one that does not hold is a 401 with one message, and reaches nobody."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from service.identity.development import ISSUER, DevelopmentIssuer, open_issuer
from service.values import ActorKind
from tests.api.conftest import MEMBER, Recorder, code
from tests.conftest import StillClock

READ = f'{{ member(id: "{MEMBER}", purpose: "order_fulfilment") {{ name }} }}'
Forge = Callable[[DevelopmentIssuer, StillClock, Path], str]


def claims(clock: StillClock, **changes: Any) -> dict[str, Any]:
    now = int(clock().timestamp())
    return {"iss": ISSUER, "aud": "menshen", "sub": "x", "roles": ["store_clerk"], "iat": now, "exp": now + 600, **changes}


def signed_by(issuer: DevelopmentIssuer, given: dict[str, Any], **headers: Any) -> str:
    return jwt.encode(given, issuer._private, "EdDSA", headers={"kid": issuer.kid, **headers})


def other(path: Path, audience: str = "menshen") -> DevelopmentIssuer:
    return open_issuer(path, production=False, audience=audience, chance=os.urandom)


FORGERIES: dict[str, Forge] = {
    "expired": lambda issuer, clock, _: signed_by(issuer, claims(clock, exp=int(clock().timestamp()) - 61)),
    "not yet": lambda issuer, clock, _: signed_by(issuer, claims(clock, nbf=int(clock().timestamp()) + 61)),
    "unsigned": lambda issuer, clock, _: signed_by(issuer, claims(clock)).rpartition(".")[0] + ".",
    "alg none": lambda issuer, clock, _: jwt.encode(claims(clock), None, "none", headers={"kid": issuer.kid}),
    "HS256 with the public key": lambda issuer, clock, _: jwt.encode(
        claims(clock), issuer.keys[issuer.kid]._jwk_data["x"], "HS256", headers={"kid": issuer.kid}
    ),
    "another audience": lambda issuer, clock, _: signed_by(issuer, claims(clock, aud="other")),
    "another issuer": lambda issuer, clock, _: signed_by(issuer, claims(clock, iss="https://id.example.com")),
    "somebody else's key": lambda issuer, clock, path: signed_by(other(path), claims(clock), kid=issuer.kid),
    "a role that nobody has": lambda issuer, clock, _: signed_by(issuer, claims(clock, roles=["emperor"])),
    "no roles": lambda issuer, clock, _: signed_by(issuer, claims(clock, roles=[])),
    "a member and a clerk": lambda issuer, clock, _: signed_by(
        issuer, claims(clock, roles=["member", "store_clerk"], member_id=MEMBER)
    ),
    "an unknown key": lambda issuer, clock, _: signed_by(issuer, claims(clock), kid="nobody"),
    "nothing": lambda *_: "",
    "no token at all": lambda *_: "门神",
}


@pytest.mark.obligation("SE-05")
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_a_token_that_does_not_hold_is_a_401_and_reaches_nobody(
    http: httpx2.AsyncClient, issuer: DevelopmentIssuer, clock: StillClock, recorder: Recorder, tmp_path: Path, forge: Forge
) -> None:
    headers = {"authorization": f"Bearer {forge(issuer, clock, tmp_path / 'other')}".encode()}
    answer = await http.post("/graphql", json={"query": READ}, headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
    assert answer.json()["errors"][0]["message"] == "A valid bearer token is needed."
    assert answer.headers["www-authenticate"] == "Bearer"
    assert recorder.calls == []


async def test_the_call_says_who_from_where_and_under_which_id(
    http: httpx2.AsyncClient, issuer: DevelopmentIssuer, clock: StillClock, recorder: Recorder
) -> None:
    token = issuer.issue(
        roles=["store_clerk"], purposes=["order_fulfilment"], now=clock(), lasts=timedelta(hours=1), subject="clerk-17"
    )
    answer = await http.post("/graphql", json={"query": READ}, headers={"authorization": f"Bearer {token}"})
    ((_, call, _),) = recorder.calls
    assert (call.actor.kind, call.actor.name, call.actor.roles) == (ActorKind.STAFF, "clerk-17", {"store_clerk"})
    assert call.actor.purposes == {"order_fulfilment"}
    assert (call.request_id, call.address) == (answer.headers["x-request-id"], "127.0.0.1")


async def test_a_token_is_worth_nothing_a_minute_after_it_ends(
    http: httpx2.AsyncClient, signed: Callable[..., dict[str, str]], clock: StillClock
) -> None:
    headers = signed()
    assert (await http.post("/graphql", json={"query": READ}, headers=headers)).status_code == 200
    clock.advance(hours=1, seconds=61)
    assert (await http.post("/graphql", json={"query": READ}, headers=headers)).status_code == 401
