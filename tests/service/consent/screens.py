"""What front ends say to the consent operations, and what comes back: everything here goes over HTTP and GraphQL."""

import hashlib
from typing import Any

from policies.decide import kind_of_notice
from service.app import Parts
from tests.api.front_end import evidence_of
from tests.plugins import canary

SMS, GIFT, SKIN, PARTNER, MAIL = "marketing_sms", "birthday_gift", "skin_profile", "partner_sharing", "marketing_email"

ASK = """mutation Ask($purposes: [PurposeKey!]!, $channel: CaptureChannel!, $initiator: Initiator!, $member: ID) {
  consentsToAsk(purposes: $purposes, channel: $channel, initiator: $initiator, memberId: $member) { __typename
    ... on ConsentQuestions {
      questions { purpose version separate words { language text digest } necessity { zh } impact { zh } noticeVersion months endsAt
        fields { key sensitivity } recipients { name { zh } } }
      notNow { purpose reason until } }
    ... on Refusal { code } } }"""
RECORD = """mutation Record($decisions: [DecisionInput!]!, $evidence: EvidenceInput, $member: ID, $act: String, $key: String) {
  recordConsents(decisions: $decisions, evidence: $evidence, memberId: $member, memberAct: $act, idempotencyKey: $key) { __typename
    ... on ConsentsRecorded { standings { purpose state since expiresAt } }
    ... on SeparateConsentRequired { code purpose }
    ... on Refusal { code message zh } } }"""
CONFIRM = """mutation Confirm($decisions: [DecisionInput!]!, $evidence: EvidenceInput, $assistant: String!) {
  confirmConsents(decisions: $decisions, evidence: $evidence, assistant: $assistant) { __typename
    ... on MemberAct { token expiresAt } ... on Refusal { code } } }"""
WITHDRAW = """mutation Withdraw($purpose: PurposeKey!, $member: ID) {
  withdrawConsent(purpose: $purpose, channel: MINI_PROGRAM, memberId: $member) { __typename
    ... on ConsentsRecorded { standings { purpose state } } ... on Refusal { code } } }"""
WITHDRAW_ALL = """mutation WithdrawAll($member: ID) { withdrawAll(channel: MINI_PROGRAM, memberId: $member) { __typename
    ... on ConsentsRecorded { standings { purpose state } } ... on Refusal { code } } }"""
CONSENTS = """query Consents($member: ID, $purpose: PurposeKey, $at: DateTime) {
  consents(memberId: $member, purpose: $purpose, at: $at) { purpose state since expiresAt noticeVersion version currentVersion stale
    byGuardian words { language text digest } evidence { language expression channel screen role } } }"""
READ = """query Read($id: ID!, $purpose: PurposeKey!) { member(id: $id, purpose: $purpose) { phone birthday name tier
    withheld { field reason purpose remedy { operation ask notice purpose } } } }"""


async def join(ask: Any, running: Parts, *, proof: dict[str, Any] | None = None, **fields: Any) -> str:
    """A new member's id; with a phone number of their own unless one is given."""
    query = """mutation Join($fields: MemberFieldsInput!, $evidence: EvidenceInput, $proof: ContactProofInput) {
      joinMember(purpose: "account_service", fields: $fields, evidence: $evidence, contactProof: $proof) { __typename
        ... on MemberJoined { memberId } ... on Refusal { code } } }"""
    variables = {"fields": {"phone": canary.value("phone"), **fields}, "evidence": evidence_of(running), "proof": proof}
    answer = await ask(query, role="mini_program", variables=variables)
    joined = answer["data"]["joinMember"]
    return str(joined.get("memberId") or joined["code"])


def alone(running: Parts, purpose: str, **more: Any) -> dict[str, Any]:
    """Evidence that a purpose was asked for alone on its screen, in the published words, after the notice that it takes."""
    declared = running.catalogue.purposes[purpose]
    words = declared.scopes[declared.version].words["zh-CN"]
    notice = running.catalogue.notice_in_force(running.clock(), kind_of_notice(None, declared))
    assert notice is not None
    asked = {"screenPurposeCount": 1, "wordsDigest": hashlib.sha256(words.encode()).hexdigest(), "noticeVersion": notice.version}
    return evidence_of(running, **(asked | more))


async def say(
    ask: Any, running: Parts, member_id: str, *, role: str = "member", evidence: Any = None, **answers: bool | None
) -> Any:
    """`say(ask, running, id, birthday_gift=True)`: what became of it."""
    mine = role == "member"
    variables = {
        "decisions": [{"purpose": key, "granted": granted} for key, granted in answers.items()],
        "evidence": evidence or evidence_of(running),
        "member": None if mine else member_id,
    }
    answer = await ask(RECORD, role=role, member_id=member_id if mine else None, variables=variables)
    return answer["data"]["recordConsents"]


async def questions(
    ask: Any, member_id: str, *purposes: str, channel: str = "MINI_PROGRAM", by: str = "SYSTEM"
) -> tuple[list[str], dict[str, str]]:
    """What a screen may ask now, and why it may not ask the rest."""
    variables = {"purposes": list(purposes), "channel": channel, "initiator": by, "member": member_id}
    answer = await ask(ASK, role="mini_program", variables=variables)
    found = answer["data"]["consentsToAsk"]
    return [each["purpose"] for each in found["questions"]], {each["purpose"]: each["reason"] for each in found["notNow"]}


async def standing(ask: Any, member_id: str, purpose: str, at: str | None = None) -> dict[str, Any]:
    """One consent as the member sees it."""
    answer = await ask(CONSENTS, role="member", member_id=member_id, variables={"at": at})
    return next(each for each in answer["data"]["consents"] if each["purpose"] == purpose)


async def why_withheld(ask: Any, member_id: str, purpose: str, role: str = "marketer") -> dict[str, str]:
    """Field to reason, of a read for a purpose; nothing that the purpose lacks anyway."""
    answer = await ask(READ, role=role, variables={"id": member_id, "purpose": purpose})
    withheld = answer["data"]["member"]["withheld"]
    return {each["field"]: each["reason"] for each in withheld if each["reason"] != "FIELD_NOT_IN_PURPOSE"}
