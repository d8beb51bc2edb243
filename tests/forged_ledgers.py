"""Ledgers as they may be found: honest ones, and what accidents and attackers make of them. Rows as the database holds them.

The records are written here and not by the product: a second hand that knows the format only from docs/formats/consent-event.md.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.naive_law import Shop
from tests.policy_folder import publish, set_key, shipped

Row = dict[str, Any]
NO_PAPER = "0" * 64
STATES = ("REQUESTED", "DEFERRED", "REFUSED", "GIVEN", "RENEWED", "WITHDRAWN", "REVOKED", "EXPIRED", "INVALIDATED", "UNKNOWN")
LIKELY = ("GIVEN", "GIVEN", "RENEWED", "WITHDRAWN", "REFUSED", *STATES)
STRANGE = ("given", "GIVEN ", "YES", "", "0", "*", "NEVER_ASKED")
JUNK = st.none() | st.booleans() | st.integers(-3, 10**6) | st.sampled_from(["", "1", "GIVEN", "guardian", "∞"]) | st.just([])


def asked_for_more(into: Path) -> Path:
    """The policy of a shop that has asked for more twice (birthday_gift), and once for the same in another way (analytics)."""
    made = shipped(into)
    set_key(made, "purposes.toml", "purposes.birthday_gift.fields.region", "plain")
    set_key(made, "purposes.toml", "purposes.birthday_gift.version", 2)
    set_key(made, "purposes.toml", "purposes.analytics.version", 2)
    set_key(made, "purposes.toml", "purposes.analytics.method.zh", "交由模型预测会员的消费能力")
    publish(made, "2026-11", effective_at="2026-11-01T00:00:00+08:00")
    set_key(made, "purposes.toml", "purposes.birthday_gift.fields.gender", "plain")
    set_key(made, "purposes.toml", "purposes.birthday_gift.version", 3)
    publish(made, "2026-12", effective_at="2026-11-02T00:00:00+08:00", supersedes="2026-11")
    return made


def sealed(said: dict[str, Any]) -> tuple[str, bytes]:
    """A record's text, and what it hashes to."""
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text, hashlib.sha256(b"menshen/consent-event/v1\0" + text.encode()).digest()


def stamp(moment: datetime) -> str:
    """A moment as records write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def paper(
    shop: Shop, member_id: str, number: int, *, purpose: str, state: str, moment: datetime, before: str, **more: Any
) -> Row:
    """One honest row. `more` goes into the record as it is."""
    version = more.get("purposeVersion", shop.purposes.get(purpose, {}).get("version", 1))
    told = (
        shop.published.get((purpose, version), {"fields": ["tier"], "months": 12}) if isinstance(version, int) else {"fields": []}
    )
    said = {
        "schemaVersion": "menshen/consent-event/v1",
        "recordId": f"019a0000-0000-7000-8000-{number:012x}",
        "piiPrincipalId": member_id,
        "purpose": purpose,
        "purposeVersion": version,
        "piiInformation": sorted(told["fields"]),
        "eventTime": stamp(moment),
        "validityMonths": told.get("months", 12),
        "entityRole": "self",
        "eventState": state,
        "previousEventHash": before,
    }
    return covered(said | more)


def covered(said: dict[str, Any], **cover: Any) -> Row:
    """The row about a record, its columns drawn from it; `cover` puts others there."""
    text, digest = sealed(said)
    row = {
        "member_id": said["piiPrincipalId"],
        "event_id": said["recordId"],
        "purpose": said["purpose"],
        "state": said["eventState"],
        "recorded_at": datetime.strptime(said["eventTime"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC),
        "expires_at": _ends(said),
        "notice_version": said.get("privacyNotice"),
        "evidence": text,
        "previous_hash": bytes.fromhex(said["previousEventHash"]),
        "hash": digest,
    }
    return row | cover


def _ends(said: dict[str, Any]) -> datetime | None:
    """The end as an honest instance writes it: after the last day of so many months, in Beijing."""
    months = said["validityMonths"]
    if said["eventState"] not in ("GIVEN", "RENEWED") or not isinstance(months, int) or months <= 0:
        return None
    given = datetime.strptime(said["eventTime"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) + timedelta(hours=8)
    count = given.year * 12 + given.month - 1 + months
    if count // 12 >= 9999:
        return datetime(9999, 1, 1, tzinfo=UTC)
    first = datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)
    following = (first + timedelta(days=31)).replace(day=1)
    day = min(given.day, (following - timedelta(days=1)).day)
    return first.replace(day=day) + timedelta(days=1) - timedelta(hours=8)


@st.composite
def honest(draw: st.DrawFn, shop: Shop, member_id: str, now: datetime, purposes: tuple[str, ...]) -> list[Row]:
    """What the instances of a shop may have written: each event after its forerunner, clocks ahead by seconds at most."""
    rows: list[Row] = []
    last = dict.fromkeys(purposes, NO_PAPER)
    moment = now - timedelta(days=draw(st.integers(0, 900)))
    for number in range(draw(st.integers(0, 6))):
        purpose = draw(st.sampled_from(purposes))
        state = draw(st.sampled_from(LIKELY))
        more: dict[str, Any] = {"entityRole": draw(st.sampled_from(["self", "self", "guardian", "assisted", "system"]))}
        known = shop.purposes.get(purpose, {}).get("version", 1)
        more["purposeVersion"] = draw(st.integers(1, known))
        row = paper(shop, member_id, number, purpose=purpose, state=state, moment=moment, before=last[purpose], **more)
        last[purpose] = row["hash"].hex()
        rows.append(row)
        later = timedelta(days=draw(st.integers(0, 300)), microseconds=draw(st.integers(1, 10**9)))
        moment = min(moment + later, now + timedelta(seconds=draw(st.integers(1, 60)), microseconds=number))
    return rows


@st.composite
def wrecked(draw: st.DrawFn, rows: list[Row], now: datetime) -> list[Row]:
    """The same ledger after some mischief: rows gone, doubled, out of order, contradicting, in the wrong words."""
    rows = [dict(row) for row in rows]
    for _ in range(draw(st.integers(1, 3))):
        if rows:
            draw(st.sampled_from(_MISCHIEF))(draw, rows, now)
    return draw(st.permutations(rows))


def _gone(draw: st.DrawFn, rows: list[Row], _: datetime) -> None:
    del rows[draw(st.integers(0, len(rows) - 1))]


def _doubled(draw: st.DrawFn, rows: list[Row], now: datetime) -> None:
    """The same once more, under another id and another date, with or without a record that fits."""
    row = dict(draw(st.sampled_from(rows)))
    row["event_id"] = f"019a0000-0000-7000-9000-{draw(st.integers(0, 2**40)):012x}"
    if draw(st.booleans()):
        row["recorded_at"] = now - timedelta(seconds=draw(st.integers(0, 3600)))
    if draw(st.booleans()):
        _written_anew(row, recordId=row["event_id"], eventTime=stamp(row["recorded_at"]))
    rows.append(row)


def _exchanged(draw: st.DrawFn, rows: list[Row], _: datetime) -> None:
    """Two rows change places in time."""
    one, other = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
    one["recorded_at"], other["recorded_at"] = other["recorded_at"], one["recorded_at"]


def _column(draw: st.DrawFn, rows: list[Row], now: datetime) -> None:
    """One column says something else than the record."""
    row = draw(st.sampled_from(rows))
    name, values = draw(st.sampled_from(sorted(_columns(now).items(), key=lambda item: item[0])))
    row[name] = draw(values)


def _columns(now: datetime) -> dict[str, st.SearchStrategy[Any]]:
    moments = st.integers(-900, 900).map(lambda days: now + timedelta(days=days))
    return {
        "state": st.sampled_from(("GIVEN", "RENEWED", "REFUSED", *STRANGE)),
        "purpose": st.sampled_from(("birthday_gift", "skin_profile", "analytics", "nonsense")),
        "recorded_at": moments,
        "expires_at": st.none() | moments,
        "notice_version": st.none() | st.sampled_from(("2026-10", "1999-01")),
        "previous_hash": st.binary(min_size=0, max_size=32),
        "hash": st.binary(min_size=0, max_size=32),
        "evidence": st.sampled_from(("", "{}", "null", "[]", "[" * 5000, '{"schemaVersion":"menshen/consent-event/v1"}', "\x00")),
    }


def _record(draw: st.DrawFn, rows: list[Row], now: datetime) -> None:
    """The record itself says something else, and hashes to what it says: whoever has the database can do that."""
    row = draw(st.sampled_from(rows))
    key, values = draw(st.sampled_from(sorted(_said(now).items(), key=lambda item: item[0])))
    _written_anew(row, **{key: draw(values)})
    if draw(st.booleans()):
        _cover_anew(row)


def _said(now: datetime) -> dict[str, st.SearchStrategy[Any]]:
    moments = st.integers(-900, 900).map(lambda days: stamp(now + timedelta(days=days)))
    return {
        "eventState": st.sampled_from(("GIVEN", "RENEWED", *STRANGE)) | JUNK,
        "purpose": st.sampled_from(("birthday_gift", "skin_profile", "analytics", "nonsense")) | JUNK,
        "purposeVersion": st.integers(-1, 9) | JUNK,
        "validityMonths": st.integers(0, 10**9) | JUNK,
        "piiInformation": st.sampled_from(([], ["tier"], ["birthday"], "birthday", ["*"])) | JUNK,
        "eventTime": moments | JUNK,
        "entityRole": st.sampled_from(("guardian", "Guardian", "system")) | JUNK,
        "piiPrincipalId": st.sampled_from(("019a0000-0000-7000-8000-00000000ffff",)) | JUNK,
        "previousEventHash": st.just(NO_PAPER) | JUNK,
        "schemaVersion": st.sampled_from(("menshen/consent-event/v2",)) | JUNK,
        "privacyNotice": st.sampled_from(("2026-10", "1999-01")) | JUNK,
        "source": st.sampled_from(
            ({"claimedAt": "2020-01-01T00:00:00+00:00"}, {"claimedAt": "never"}, {"claimedAt": "2099-01-01"})
        )
        | JUNK,
    }


def _written_anew(row: Row, **said: Any) -> None:
    try:
        record = json.loads(row["evidence"])
    except (ValueError, RecursionError):
        return
    if isinstance(record, dict):
        row["evidence"], row["hash"] = sealed({**record, **said})


def _cover_anew(row: Row) -> None:
    """The columns follow the record, as far as it makes sense."""
    try:
        anew = {key: value for key, value in covered(json.loads(row["evidence"])).items() if key != "member_id"}
        row |= {key: str(value) if key in _TEXTS else value for key, value in anew.items()}
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return


_TEXTS = {"event_id", "purpose", "state"}
_MISCHIEF = (_gone, _gone, _doubled, _exchanged, _column, _column, _record, _record)
