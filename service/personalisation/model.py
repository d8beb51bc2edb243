"""What a member is shown of personalisation, and what may come of recording tags."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from policies.naming import Title
from policies.terms import TAGS, Catalogue, ConsentState, Purpose, Reason, Tag
from service.members.tags.model import HeldTag, Source
from service.values import MemberId


@dataclass(frozen=True, slots=True)
class ExplainedPurpose:
    """One purpose that decides automatically: how it works, and whether it uses this member's data at this moment.

    `state` is None for a purpose that does not rest on consent, `reason` None for one that may use the data.
    """

    key: str
    title: Title
    logic: Title | None
    state: ConsentState | None
    used: bool
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Personalisation:
    """Where the switch stands. `on` is None while it was never touched; `since` is told where a consent turned it."""

    on: bool | None
    since: datetime | None
    purposes: tuple[ExplainedPurpose, ...]


@dataclass(frozen=True, slots=True)
class MyTag:
    """One tag as its member sees it, once for each source. `used_for` are the purposes that read tags."""

    tag: str
    title: Title
    meaning: Title
    source: Source | None
    recorded_at: datetime | None
    used_for: tuple[Purpose, ...]


@dataclass(frozen=True, slots=True)
class DerivedTag:
    """One tag that a service found to fit. `digest` is the SHA-256 of the data that it follows from."""

    tag: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class TagsRecorded:
    """The source's tags stand anew. `blocked` are those that the member deleted while the data was the same."""

    member_id: MemberId
    tags: tuple[str, ...]
    blocked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagsDeleted:
    """The tags that are gone; none where there was nothing to delete."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagUnknown:
    """A word that is not in the vocabulary, told by its place in the list (from 1) and not repeated: it may say anything (AD-06)."""

    position: int


@dataclass(frozen=True, slots=True)
class PersonalisationOff:
    """Nothing of this member is for automated decisions: it was switched off, or they are a minor. Nothing was stored."""

    purpose: str
    reason: Reason


UNWANTED = frozenset({Reason.PERSONALISATION_OFF, Reason.MINOR_ADM_MARKETING_FORBIDDEN})
"""Why no machine may decide, whatever was consented."""


def switch_of(catalogue: Catalogue) -> Purpose:
    """The one purpose that the switch stands for; the loader lets no policy in without it."""
    return next(purpose for purpose in catalogue.purposes.values() if purpose.personalisation)


def automated(catalogue: Catalogue) -> tuple[Purpose, ...]:
    """Every purpose that decides automatically."""
    return tuple(purpose for purpose in catalogue.purposes.values() if purpose.automated_decision)


def unknown_tag(catalogue: Catalogue, found: Iterable[DerivedTag]) -> TagUnknown | None:
    """The first word that is not in the vocabulary."""
    places = (place for place, given in enumerate(found, 1) if given.tag not in catalogue.tags)
    return next((TagUnknown(place) for place in places), None)


def shown(catalogue: Catalogue, codes: Sequence[str], held: Sequence[HeldTag]) -> tuple[MyTag, ...]:
    """A member's tags with where they came from. One that the policy has struck out since is shown by its code alone."""
    readers = tuple(p for p in catalogue.purposes.values() if TAGS in p.fields and not p.self_service)
    found = []
    for code in codes:
        tag = catalogue.tags.get(code) or _struck_out(code)
        sources = [known for known in held if known.tag == code]
        found += [MyTag(code, tag.title, tag.meaning, known.source, known.recorded_at, readers) for known in sources]
        if not sources:
            found.append(MyTag(code, tag.title, tag.meaning, None, None, readers))
    return tuple(found)


def _struck_out(code: str) -> Tag:
    return Tag(code, Title(code, code), Title("已不在词表之内", "No longer in the vocabulary"), "")
