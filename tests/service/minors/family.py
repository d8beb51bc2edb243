"""A child, a guardian and what they do, each through GraphQL; and what the log says of it."""

from datetime import datetime, timedelta

from tests.api.front_end import entries
from tests.factories import a_member, a_profile

GIFT, CARE = "birthday_gift", "customer_service"
CHILD, YOUTH, ADULT = "2015-05-05", "2010-05-05", "1988-05-05"
"""Birthdays of an eleven-year-old, a sixteen-year-old and a parent, on the day of the tests."""

LINK = """mutation ($child: ID!) { requestGuardianLink(memberId: $child) {
  __typename ... on GuardianLink { state } ... on Refusal { code } } }"""
VERIFY = """mutation ($child: ID!, $guardian: ID!) {
  verifyGuardian(memberId: $child, guardianId: $guardian, method: MOBILE_CODE) {
  __typename ... on GuardianLink { state method } ... on Refusal { code } } }"""
END = """mutation ($child: ID!, $guardian: ID) { endGuardianLink(memberId: $child, guardianId: $guardian) {
  __typename ... on GuardianLink { state } ... on Refusal { code } } }"""
RECORD = """mutation ($member: ID, $decisions: [DecisionInput!]!, $evidence: EvidenceInput) {
  recordConsents(memberId: $member, decisions: $decisions, evidence: $evidence) {
  __typename ... on ConsentsRecorded { standings { state eventId } } ... on Refusal { code } } }"""
WITHDRAW = """mutation ($member: ID) { withdrawConsent(memberId: $member, purpose: "birthday_gift", channel: MINI_PROGRAM) {
  __typename ... on ConsentsRecorded { standings { state } } ... on Refusal { code } } }"""
UPDATE = """mutation ($member: ID, $changes: MemberFieldsInput!) {
  updateMember(memberId: $member, purpose: "self_access", changes: $changes) { __typename ... on Refusal { code } } }"""
WARD = "query ($child: ID!) { ward(memberId: $child) { id name phone birthday withheld { reason } } }"
READ = """query ($id: ID!, $purpose: PurposeKey!) { member(id: $id, purpose: $purpose) {
  name phone tier withheld { field reason } masked } }"""


async def someone(running, birthday=None, **fields):
    """A member born on that day; the id."""
    return await a_member(running, a_profile(**({"birthday": birthday} if birthday else {}), **fields))


def shown(running, kind="CHILD", **more):
    """The evidence of a front end that showed the notice in force of that kind."""
    now: datetime = running.clock()
    notice = running.catalogue.notice_in_force(now, kind)
    assert notice is not None
    return {
        "noticeVersion": notice.version,
        "language": "zh-CN",
        "presentedAt": (now - timedelta(seconds=30)).isoformat(),
        "expression": "BUTTON",
        "screen": "mini/guardian",
        "channel": "MINI_PROGRAM",
    } | more


async def family(running, ask, birthday=CHILD):
    """A child with a verified guardian, who has not answered yet: their ids."""
    child, guardian = await someone(running, birthday), await someone(running, ADULT)
    assert (await link(ask, child, guardian))["state"] == "PENDING"
    assert (await verify(ask, child, guardian))["state"] == "VERIFIED"
    return child, guardian


async def link(ask, child, guardian):
    return (await ask(LINK, role="member", member_id=guardian, variables={"child": child}))["data"]["requestGuardianLink"]


async def verify(ask, child, guardian):
    given = {"child": child, "guardian": guardian}
    return (await ask(VERIFY, role="mini_program", variables=given))["data"]["verifyGuardian"]


async def end(ask, child, guardian):
    return (await ask(END, role="member", member_id=guardian, variables={"child": child}))["data"]["endGuardianLink"]


async def answer(running, ask, who, *, of=None, granted=True, purpose=GIFT, kind="CHILD", role="member"):
    """What `who` is told when they answer for themselves or for a ward."""
    given = {"member": of, "decisions": [{"purpose": purpose, "granted": granted}], "evidence": shown(running, kind)}
    member_id = who if role == "member" else None
    told = await ask(RECORD, role=role, member_id=member_id, variables=given)
    return told["data"]["recordConsents"] or told["errors"][0]["extensions"]["code"]


async def read(ask, member_id, purpose, role):
    """One member: what left, and why the rest of what the purpose covers did not."""
    found = (await ask(READ, role=role, variables={"id": member_id, "purpose": purpose}))["data"]["member"]
    return found, {item["reason"] for item in found["withheld"]} - {"FIELD_NOT_IN_PURPOSE"}


def code_of(told):
    """The code of an answer's only error."""
    (error,) = told["errors"]
    return error["extensions"]["code"]


async def last(running, operation):
    """The newest entry of an operation."""
    return (await entries(running, operation))[-1]
