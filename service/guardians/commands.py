"""The verbs of minors' protection: let staff look, ask for a minor, answer a guardian."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from policies.clock import add_working_days, day_in_shanghai
from policies.text import tells_of_somebody
from service.deletion.commands import erase
from service.errors import Forbidden
from service.guardians import store
from service.members import store as members
from service.members.model import MemberNotFound, Row
from service.minors.acting import minor_of
from service.minors.commands import named, rejected
from service.minors.model import Approval, MinorsRejected, Request, RequestKind, RequestState
from service.unit import Unit
from service.values import MemberId

MOST_DAYS = 30
"""So long an approval may hold: the least that is needed, and then somebody looks again (MIN 36)."""

ANSWER_DAYS = 15
"""Working days in which a guardian is answered."""

MOST_REASON = 500
_ACCOUNT = re.compile(r"[!-~]{1,64}", re.ASCII)


async def approve(
    unit: Unit, *, staff: str, member_id: MemberId, reason: str, expires_at: datetime
) -> Approval | MinorsRejected | MemberNotFound:
    """Let one member of staff see one minor, for a reason, until a moment. Nobody approves themselves."""
    approver = unit.call.actor.name
    code = reason_code(reason) or _unfit(unit, staff=staff, expires_at=expires_at)
    if code:
        return rejected(unit, code)
    row = await members.row(unit.session, member_id)
    if row is None or row.wrapped is None:
        unit.draft.deny("MEMBER_NOT_FOUND")
        return MemberNotFound()
    minority = named(unit, row)
    if minority is None or (minority.told and not (minority.band and minority.band.staff_approval)):
        return rejected(unit, "NOT_A_MINOR")
    approval = Approval(unit.new_id(), member_id, staff, approver, reason.strip(), unit.now, expires_at)
    await store.add_approval(unit.session, approval)
    unit.draft.extra |= {"approval": approval.approval_id, "staff": staff}
    return approval


def reason_code(reason: str) -> str:
    """What is wrong with a reason that is kept as it is: it says nothing, or something of a person."""
    if not reason.strip():
        return "REASON_REQUIRED"
    return "REASON_PERSONAL" if tells_of_somebody(reason) or len(reason) > MOST_REASON else ""


def _unfit(unit: Unit, *, staff: str, expires_at: datetime) -> str:
    if staff == unit.call.actor.name:
        return "OWN_APPROVAL"
    if not _ACCOUNT.fullmatch(staff):
        return "STAFF_UNKNOWN"
    return "" if unit.now < expires_at <= unit.now + timedelta(days=MOST_DAYS) else "EXPIRY_OUT_OF_RANGE"


async def ask(unit: Unit, *, member_id: MemberId, kind: RequestKind) -> Request:
    """The minor's verified guardian asks for something. Asked twice, it is one request. Raises Forbidden for everybody else, and once
    they are grown up.
    """
    child, minority = await minor_of(unit, member_id)
    if minority is None or minority.grown:
        raise Forbidden
    locked = await members.row(unit.session, child.member_id, lock=True)
    named(unit, locked or child)
    guardian_id = unit.call.actor.member_id or ""
    waiting = [held for held in await store.requests_for(unit.session, member_id) if held.state is RequestState.OPEN]
    same = next((held for held in waiting if (held.guardian_id, held.kind) == (guardian_id, kind)), None)
    unit.draft.extra["kind"] = kind.value
    if same is not None:
        unit.draft.extra["again"] = True
        return same
    due = add_working_days(day_in_shanghai(unit.now), ANSWER_DAYS)
    made = Request(unit.new_id(), member_id, guardian_id, kind, RequestState.OPEN, unit.now, due.day)
    await store.add_request(unit.session, made)
    unit.draft.extra["request"] = made.request_id
    return made


async def decide(unit: Unit, *, member_id: MemberId, request_id: str, accept: bool, reason: str) -> Request | MinorsRejected:
    """Answer a guardian. A refusal is in writing and says why (MIN 34); an accepted deletion is done at once."""
    row = await members.row(unit.session, member_id, lock=True)
    found = next((held for held in await store.requests_for(unit.session, member_id) if held.request_id == request_id), None)
    if row is not None:
        named(unit, row)
    code = _undecidable(found, accept=accept, reason=reason)
    if code or found is None:
        return rejected(unit, code)
    decided = replace(
        found,
        state=RequestState.ACCEPTED if accept else RequestState.REFUSED,
        reason=reason.strip() or None,
        decided_at=unit.now,
        decided_by=unit.call.actor.name,
    )
    await store.decide(unit.session, decided)
    unit.draft.extra |= {"kind": found.kind.value, "request": request_id, "accepted": accept}
    if accept and found.kind is RequestKind.DELETE and _there(row):
        await erase(unit, member_id=member_id)
    return decided


def _there(row: Row | None) -> bool:
    return row is not None and row.wrapped is not None


def _undecidable(found: Request | None, *, accept: bool, reason: str) -> str:
    if found is None:
        return "REQUEST_NOT_FOUND"
    if found.state is not RequestState.OPEN:
        return "REQUEST_DECIDED"
    wrong = reason_code(reason)
    return "" if accept and wrong == "REASON_REQUIRED" else wrong
