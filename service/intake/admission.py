"""Rows that became members, written: sealed under their own keys, findable by their lookups, with what they said of consent."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from policies.terms import TAGS, Catalogue, ConsentState, MemberStatus
from service.consent.ledger import GENESIS, Happening, make_event
from service.consent.model import CaptureChannel, ConsentEvent, Evidence
from service.intake import store
from service.intake.batch import SLICE, Batch, Keyed
from service.intake.mapping import Gesture
from service.intake.model import Candidate, Flag
from service.members import store as members
from service.members.model import Row, sensitive
from service.members.tags.model import HeldTag, Source, codes_of
from service.members.tags.store import ADD_TAGS, rows_of
from service.unit import Unit
from service.values import MemberId
from service.vault.vault import MemberKeys, Vault


class Sealed(NamedTuple):
    """A candidate's values under keys of their own: what a row needs besides the moment it is written."""

    keys: MemberKeys
    wrapped: bytes
    values: bytes


async def seal(vault: Vault, batch: Batch, name: Callable[[int], MemberId]) -> dict[int, Sealed]:
    """Seal a batch's values, by the number of the row, before its transaction begins: nobody shall wait for a cipher with a lock held.

    `name` gives the id for a row's number. It makes way every few rows, for the batch before is being stored meanwhile.
    """
    found = {}
    for position, keyed in enumerate(batch.keyed(), 1):
        keys, wrapped = vault.new_member(name(keyed.candidate.row))
        found[keyed.candidate.row] = Sealed(keys, wrapped, vault.seal(keys, keyed.candidate.sealed))
        if position % SLICE == 0:
            await asyncio.sleep(0)
    return found


async def admit(
    unit: Unit, made: Sequence[Keyed], sealed: Mapping[int, Sealed], *, origin: Mapping[str, str], gesture: Gesture | None
) -> None:
    """Write new members. `origin` says in the ledger which import they came with.

    Raises Duplicate when somebody took an identity meanwhile; the unit then starts anew and sees it.
    """
    rows, secrets, lookups, events, tags = [], [], [], [], []
    generation = unit.vault.lookup_generation
    for keyed in made:
        ready = sealed[keyed.candidate.row]
        member_id = ready.keys.member_id
        rows.append(members.values(_row(keyed.candidate, ready, unit.catalogue), now=unit.now))
        secrets.append((member_id, ready.keys.generation, ready.wrapped, unit.now))
        lookups += [members.lookup_row(lookup, member_id, generation=generation) for lookup in keyed.lookups]
        tags += rows_of(member_id, _tags(unit, keyed.candidate, origin))
        for flag in keyed.candidate.flags:
            source = {**origin, **_source(keyed.candidate, flag)}
            events.append((member_id, _event(unit, member_id, flag, source=source, gesture=gesture)))
        unit.draft.subjects.append(unit.vault.pseudonym(ready.keys, unit.now))
    await unit.session.bulk(members.ADD_MEMBERS, rows)
    await unit.session.bulk(members.ADD_SECRETS, secrets)
    await unit.session.bulk(members.ADD_LOOKUPS, lookups)
    await unit.session.bulk(ADD_TAGS, tags)
    await store.add_consents(unit.session, events)
    unit.draft.fields = tuple(sorted(set().union(*[{**keyed.candidate.sealed, **keyed.candidate.plain} for keyed in made])))
    unit.draft.count = len(made)


def _row(candidate: Candidate, ready: Sealed, catalogue: Catalogue) -> Row:
    return Row(
        member_id=ready.keys.member_id,
        status=candidate.status,
        generation=ready.keys.generation,
        sealed=ready.values,
        wrapped=None,
        plain=candidate.plain,
        version=1,
        minor=candidate.minor,
        sensitive=candidate.status is MemberStatus.GUARDIAN_PENDING or sensitive(catalogue, candidate.sealed),
    )


def _tags(unit: Unit, candidate: Candidate, origin: Mapping[str, str]) -> list[HeldTag]:
    """The tags, as following from this very file."""
    codes = codes_of(candidate.plain.get(TAGS))
    return [HeldTag(code, Source.IMPORT, bytes.fromhex(origin["file"]), unit.now) for code in codes]


def _event(unit: Unit, member_id: MemberId, flag: Flag, *, source: Mapping[str, str], gesture: Gesture | None) -> ConsentEvent:
    """The ledger's row for one marketing flag, with where it came from (LB-08). A yes ends when it would have ended there."""
    event = make_event(
        unit.catalogue,
        Happening(
            event_id=unit.new_id(),
            member_id=member_id,
            purpose=unit.catalogue.purposes[flag.purpose],
            state=flag.state,
            at=unit.now,
            actor=unit.call.actor,
            request_id=unit.call.request_id,
            channel=CaptureChannel.IMPORT,
            evidence=_evidence(flag, gesture),
            previous_hash=GENESIS,
            source=source,
        ),
    )
    return replace(event, expires_at=flag.ends) if flag.state is ConsentState.GIVEN else event


def _evidence(flag: Flag, gesture: Gesture | None) -> Evidence | None:
    """What proves a yes. Only a proven one has any (`proof.worth`)."""
    if flag.state is not ConsentState.GIVEN or gesture is None or flag.claimed_at is None:
        return None
    return Evidence(
        notice_version=flag.claimed_notice,
        language=gesture.language,
        presented_at=flag.claimed_at,
        expression=gesture.expression,
        screen=gesture.screen,
        channel=CaptureChannel.IMPORT,
    )


def _source(candidate: Candidate, flag: Flag) -> dict[str, str]:
    """What the file said, kept as said: an unproven claim may be proven yet. Not the row's line, which would lead to a person."""
    found = candidate.provenance
    said = {
        "source": found.source,
        "collectedOn": found.collected_on.isoformat() if found.collected_on else "",
        "evidenceUri": found.evidence_uri,
        "claimedAt": flag.claimed_at.isoformat() if flag.claimed_at else "",
        "claimedNotice": flag.claimed_notice,
    }
    return {key: text for key, text in said.items() if text}
