"""What a standing is to whoever reads it: expired or not at the very moment, of which version, in which words it was asked (NC-18)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policies.terms import PERMITTING, Catalogue, ConsentState, Purpose
from service.consent.model import ConsentEvent, ConsentStanding
from service.propagation.model import Progress


@dataclass(frozen=True, slots=True)
class Shown:
    """How an answer was proven, in short: the record has all of it."""

    language: str
    presented_at: str
    expression: str
    channel: str
    screen: str
    role: str


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One purpose for one member, as it is read.

    `scope` is the version that was answered, None where nothing was; `current` the purpose's own. `stale`: the consent stands and does
    not cover all of it. `words` is the question as it was put, by language tag; empty where no notice was shown.
    """

    purpose: str
    state: ConsentState
    since: datetime | None
    expires_at: datetime | None
    event_id: str | None
    notice_version: str | None
    scope: int | None
    current: int
    stale: bool
    by_guardian: bool
    words: Mapping[str, str]
    shown: Shown | None
    propagation: Progress | None


def view(
    catalogue: Catalogue, purpose: Purpose, standing: ConsentStanding, event: ConsentEvent | None, at: datetime
) -> ConsentView:
    """The standing as it is at a moment. `event` is the one that it rests on."""
    state = state_at(standing, at)
    notice = catalogue.notices.get(standing.notice_version or "")
    asked = notice.scopes.get(purpose.key) if notice else None
    return ConsentView(
        purpose=purpose.key,
        state=state,
        since=standing.since,
        expires_at=standing.expires_at,
        event_id=standing.event_id,
        notice_version=standing.notice_version,
        scope=standing.scope if standing.event_id else None,
        current=purpose.version,
        stale=state in PERMITTING and standing.scope != purpose.version,
        by_guardian=standing.by_guardian,
        words=asked.words if asked else {},
        shown=_shown(event.record) if event else None,
        propagation=standing.propagation,
    )


def state_at(standing: ConsentStanding, at: datetime) -> ConsentState:
    """The state at a moment: a yes is EXPIRED from the very moment at which its period is over, though nobody has written it down."""
    over = standing.expires_at is not None and standing.expires_at <= at
    return ConsentState.EXPIRED if over and standing.state in PERMITTING else standing.state


def _shown(record: Mapping[str, object]) -> Shown | None:
    if "privacyNotice" not in record:
        return None
    language, presented_at, expression, channel, screen, role = (
        str(record.get(key, "")) for key in ("language", "presentedAt", "expression", "channel", "screen", "entityRole")
    )
    return Shown(language, presented_at, expression, channel, screen, role)
