"""How a draft becomes an entry: checked against the grammar, given its number, written once.

A read waits for this, so it must be cheap (under 10 µs): what entries of one operation or of one caller have in common is checked once
and kept, and only what is an entry's own is looked at each time.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from service.audit import grammar
from service.audit.entry import CANONICAL, Draft, Entry, entry_of
from service.errors import BadInput
from service.values import Actor, ActorKind, Call, utc_text

_KEPT = 4096
moment_text = lru_cache(maxsize=64)(utc_text)
"""A batch has one moment."""


def seal_entry(
    draft: Draft,
    *,
    call: Call,
    policy: str,
    address_mac: str,
    token_mac: str = "",
    writer: str,
    number: int,
    entry_id: str,
    now: datetime,
    nonce: bytes,
) -> Entry:
    """The entry of `draft`, number `number` of `writer`. Raises BadInput naming the key that cannot be written.

    `address_mac` is the caller's address under a key that is thrown away after some months, `token_mac` the token's id under one: what they
    are made of never comes here.
    """
    actor = call.actor
    content = _plan(draft, policy) | _particulars(draft)
    content |= {
        "act": _act(actor.kind, _actor_id(draft, actor), actor.roles, address=address_mac, token=token_mac),
        "id": entry_id,
        "n": sixteen(nonce),
        "req": call.request_id,
        "s": number,
        "ts": moment_text(now),
        "w": writer,
    }
    _check(content, ("req",))
    return entry_of(content, _encoded(content))


def sixteen(noise: bytes) -> str:
    """16 bytes as 22 characters of base64url. Raises ValueError for any other number of bytes."""
    if len(noise) != 16:
        raise ValueError("16 bytes are needed")
    return urlsafe_b64encode(noise)[:22].decode()


def _plan(draft: Draft, policy: str) -> dict[str, Any]:
    """What entries of one operation have in common. The next one finds it checked."""
    codes = (draft.typ, draft.operation, _purpose(draft), draft.basis, draft.decision, draft.reason)
    try:
        return _checked_plan(codes, policy, fields=tuple(draft.fields), withheld=tuple(draft.withheld))
    except TypeError:
        raise BadInput("audit entry: a code is not text") from None


@lru_cache(maxsize=_KEPT)
def _checked_plan(codes: tuple[str, ...], policy: str, *, fields: tuple[str, ...], withheld: tuple[str, ...]) -> dict[str, Any]:
    """Nobody changes what they get from here. A plan that is refused is not kept."""
    some: dict[str, Any] = dict(zip(("typ", "op", "pur", "bas", "dec", "rsn"), codes, strict=True))
    some |= {"fld": list(fields), "wth": list(withheld), "pol": policy, "v": 1}
    plan = {key: value for key, value in some.items() if value or key in grammar.REQUIRED}
    _check(plan, plan)
    return plan


def _particulars(draft: Draft) -> dict[str, Any]:
    """What is this entry's own, and stands only when there is something to say."""
    content: dict[str, Any] = {}
    if subjects := draft.subjects:
        content["sub"] = subjects if len(subjects) == 1 else _each_once(subjects)
    if draft.count is not None:
        content["cnt"] = draft.count
    if draft.consent:
        content["con"] = draft.consent
    if draft.ref:
        content["ref"] = draft.ref
    if draft.extra:
        content["x"] = draft.extra
    _check(content, content)
    if "con" in content and len(content.get("sub", ())) != 1:
        raise BadInput("audit entry: con without its one subject")
    return content


def _each_once(subjects: list[str]) -> list[str]:
    try:
        return list(dict.fromkeys(subjects))
    except TypeError:
        raise BadInput("audit entry: sub") from None


def _purpose(draft: Draft) -> str:
    """A refused caller may have named any text as its purpose, a phone number too; that it was none of ours, the reason says."""
    return draft.purpose if draft.decision == "allow" or grammar.is_code(draft.purpose) else ""


def _actor_id(draft: Draft, actor: Actor) -> str:
    """A member is named by a pseudonym, so that erasing them takes them out of the log, too; everybody else by their account."""
    if actor.kind is not ActorKind.MEMBER:
        return actor.name
    return draft.actor or (draft.subjects[0] if len(draft.subjects) == 1 else "")


@lru_cache(maxsize=_KEPT)
def _act(kind: ActorKind, name: str, roles: frozenset[str], *, address: str, token: str) -> dict[str, Any]:
    """`act`, shared by all entries of one caller, and changed by nobody."""
    act: dict[str, Any] = {"k": kind.value, "role": sorted(roles)}
    if name or kind is not ActorKind.MEMBER:
        act["id"] = name
    if address:
        act["ip"] = address
    if token:
        act["tok"] = token
    _check({"act": act}, ("act",))
    return act


def _encoded(content: dict[str, Any]) -> bytes:
    try:
        raw = orjson.dumps(content, option=CANONICAL)
    except TypeError:
        raise BadInput("audit entry: a text is not Unicode") from None
    if len(raw) > grammar.MOST_BYTES:
        raise BadInput("audit entry: longer than 32 KiB")
    return raw


def _check(content: dict[str, Any], keys: Iterable[str]) -> None:
    if key := grammar.broken(content, keys):
        raise BadInput(f"audit entry: {key}")
