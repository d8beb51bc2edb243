"""Invented members, answers and evidence for tests. Every personal value is a canary (tests/plugins/canary.py)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from policies.decide import kind_of_notice
from policies.terms import Catalogue
from service.consent.model import CaptureChannel, Decision, Evidence, Expression
from service.members.model import Joined
from service.values import Actor, ActorKind, Call
from tests.plugins import canary


def a_call(
    role: str = "mini_program", *, member_id: str | None = None, purposes: Sequence[str] | None = None, request: str = "req-1"
) -> Call:
    """A request by somebody in a role of the shipped catalogue."""
    kinds = {"member": ActorKind.MEMBER, "mini_program": ActorKind.SERVICE}
    kind = kinds.get(role, ActorKind.STAFF)
    narrowed = frozenset(purposes) if purposes is not None else None
    return Call(Actor(kind, f"{role}-1", frozenset({role}), narrowed, member_id), request, "192.0.2.7")


def a_profile(**more: object) -> dict[str, object]:
    """What somebody tells the shop who joins it; nothing but the phone is needed."""
    fields: dict[str, object] = {
        "name": canary.value("name"),
        "phone": canary.value("phone"),
        "email": canary.value("email"),
    }
    return fields | more


def words_digest(catalogue: Catalogue, purpose: str, language: str = "zh-CN") -> str:
    """What a front end sends that put the published question to the member: SHA-256 of its words, in hex."""
    declared = catalogue.purposes[purpose]
    return hashlib.sha256(declared.scopes[declared.version].words[language].encode()).hexdigest()


def evidence(catalogue: Catalogue, now: datetime, *, purpose: str = "", **more: object) -> Evidence:
    """The notice in force was shown half a minute ago, and a button was pressed. `purpose`: it was asked for alone, in its own words."""
    notice = catalogue.notice_in_force(now, kind_of_notice(None, *([catalogue.purposes[purpose]] if purpose else [])))
    assert notice is not None
    if purpose:
        digest = words_digest(catalogue, purpose, str(more.get("language", "zh-CN")))
        alone = {"purposes_on_screen": 1, "words_digest": digest, "notice_version": notice.version}
        return evidence(catalogue, now, **(alone | more))
    given: dict[str, object] = {
        "notice_version": notice.version,
        "language": "zh-CN",
        "presented_at": now - timedelta(seconds=30),
        "expression": Expression.BUTTON,
        "screen": "mini/consent",
        "channel": CaptureChannel.MINI_PROGRAM,
    }
    return Evidence(**(given | more))  # type: ignore[arg-type]


async def a_member(parts, fields: dict[str, object] | None = None, *, yes: Sequence[str] = (), no: Sequence[str] = ()) -> str:
    """Join through the real door; the id."""
    decisions = [Decision(key, True) for key in yes] + [Decision(key, False) for key in no]
    joined = await parts.operations.join(
        a_call(),
        purpose="account_service",
        fields=a_profile() if fields is None else fields,
        evidence=evidence(parts.catalogue, parts.clock()),
        decisions=decisions,
    )
    assert isinstance(joined, Joined), joined
    return joined.member_id
