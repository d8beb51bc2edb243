"""The shop in the stories: what its mini-program, its systems, its staff and its members do, each step through GraphQL and nothing else.

Nobody here looks into the policy or the database: what a screen has to show is asked for, as a front end asks for it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.plugins import canary

Json = dict[str, Any]
Ask = Callable[..., Any]
OPTIONAL = (
    *("birthday_gift", "marketing_sms", "marketing_email", "marketing_wechat", "marketing_phone", "personalised_recommendation"),
    *("analytics", "skin_profile", "baby_care", "partner_sharing"),
)
"""Everything that a member may say no to."""

_NOTICE = "query N($kind: String!) { notice(kind: $kind) { version digest permalink } }"
_JOIN = """mutation J($fields: MemberFieldsInput!, $decisions: [DecisionInput!], $evidence: EvidenceInput, $proof: ContactProofInput) {
  joinMember(purpose: "account_service", fields: $fields, decisions: $decisions, evidence: $evidence, contactProof: $proof) {
    __typename ... on MemberJoined { memberId status } ... on Refusal { code } } }"""
_ASK = """mutation A($of: [PurposeKey!]!, $by: Initiator!, $member: ID) {
  consentsToAsk(purposes: $of, channel: MINI_PROGRAM, initiator: $by, memberId: $member) { __typename
    ... on ConsentQuestions { notNow { purpose reason until } questions { purpose version separate noticeVersion endsAt
      words { language text digest } necessity { zh } impact { zh } fields { key } recipients { name { zh } } } } ... on Refusal { code } } }"""
_RECORD = """mutation R($said: [DecisionInput!]!, $evidence: EvidenceInput, $member: ID) {
  recordConsents(decisions: $said, evidence: $evidence, memberId: $member) { __typename
    ... on ConsentsRecorded { standings { purpose state since eventId } } ... on Refusal { code } } }"""
_WITHDRAW = """mutation W($of: PurposeKey!, $member: ID) { withdrawConsent(purpose: $of, channel: MINI_PROGRAM, memberId: $member) {
    __typename ... on ConsentsRecorded { standings { purpose state eventId propagation } } ... on Refusal { code } } }"""
_MEMBER = """query M($id: ID!, $of: PurposeKey!) { member(id: $id, purpose: $of) { name phone email birthday gender region tier points
  interests: attribute(key: "interests") { texts } skinType: attribute(key: "skin_type") { text }
  babyBirthday: attribute(key: "baby_birthday") { text } masked withheld { field reason remedy { operation ask notice purpose } } } }"""
_ME = "{ me { name phone birthday tier points joinedOn } }"
_CONSENTS = """query C($at: DateTime, $member: ID) { consents(at: $at, memberId: $member) {
  purpose state since expiresAt version currentVersion stale byGuardian noticeVersion propagation } }"""
_UPDATE = """mutation U($id: ID!, $of: PurposeKey!, $changes: MemberFieldsInput!) {
  updateMember(memberId: $id, purpose: $of, changes: $changes) { __typename ... on Refusal { code } } }"""
_LIST = "query L($of: PurposeKey!) { members(purpose: $of, first: 100) { nodes { id } } }"
_RECEIPT = "query Q($event: ID!) { consentReceipt(eventId: $event) { textZh textEn jws } }"
_ATTRIBUTES = {"interests": "interests", "skin_type": "skinType", "baby_birthday": "babyBirthday"}


class Shop:
    """See above. Whoever acts is a role, or a member by id."""

    def __init__(self, ask: Ask, clock: Callable[[], datetime]) -> None:
        self._ask = ask
        self._clock = clock

    def now(self) -> datetime:
        """What its clocks show."""
        return self._clock()

    async def does(self, query: str, *, role: str = "member", who: str | None = None, **variables: Any) -> Json:
        """One request that goes through. `who`: the member who makes it."""
        answer = await self._ask(query, role=role, member_id=who, variables=variables)
        assert "errors" not in answer, answer
        data: Json = answer["data"]
        return data

    # --- joining and asking ---

    async def shown(self, kind: str = "GENERAL", **more: object) -> Json:
        """What a screen sends along that has just shown the notice in force."""
        notice = (await self.does(_NOTICE, role="mini_program", kind=kind))["notice"]
        shown = {"noticeVersion": notice["version"], "presentedAt": (self._clock() - timedelta(seconds=20)).isoformat()}
        told = {"language": "zh-CN", "expression": "TAP_UNTICKED_BOX", "box": "UNTICKED", "screen": "mini/consent"}
        return {**shown, **told, "channel": "MINI_PROGRAM", **more}

    async def join(self, *, refusing: tuple[str, ...] = (), proof: str = "", phone: str = "", **fields: Any) -> str:
        """Somebody joins with a phone number; the id. `proof`: how they proved that the number is theirs."""
        at = self._clock().isoformat()
        proven: dict[str, Any] | None = {"field": "phone", "method": proof, "provenAt": at} if proof else None
        if proven and proof == "WECHAT_PHONE_CODE":
            proven["wechat"] = {"appid": "wx0000000000000a01", "timestamp": at, "code": uuid4().hex}
        said = [{"purpose": purpose, "granted": False} for purpose in refusing]
        given = {"phone": phone or canary.value("phone"), **fields}
        joined = (
            await self.does(_JOIN, role="mini_program", fields=given, decisions=said, evidence=await self.shown(), proof=proven)
        )["joinMember"]
        assert joined["__typename"] == "MemberJoined", joined
        return str(joined["memberId"])

    async def may_ask(self, member: str, purpose: str, *, by: str = "MEMBER") -> Json:
        """The question, or why it is not put now (`reason`)."""
        found = (await self.does(_ASK, role="mini_program", of=[purpose], by=by, member=member))["consentsToAsk"]
        assert found["__typename"] == "ConsentQuestions", found
        (one,) = (*found["questions"], *found["notNow"])
        return dict(one)

    async def says(self, member: str, purpose: str, *, yes: bool, screen_shows: int = 1) -> Json:
        """The member is asked, on a screen of its own, and answers: the new standing, or the refusal."""
        question = await self.may_ask(member, purpose)
        words = {each["language"]: each["digest"] for each in question["words"]}
        asked = {"screenPurposeCount": screen_shows, "wordsDigest": words["zh-CN"], "noticeVersion": question["noticeVersion"]}
        evidence = await self.shown(**asked)
        return await self.records(member, purpose, yes=yes, evidence=evidence)

    async def records(self, who: str, purpose: str, *, yes: bool, evidence: Json, of: str | None = None) -> Json:
        """An answer, for oneself or for one's child."""
        said = [{"purpose": purpose, "granted": yes}]
        found = (await self.does(_RECORD, who=who, said=said, evidence=evidence, member=of))["recordConsents"]
        return dict(found["standings"][0]) if "standings" in found else dict(found)

    async def withdraws(self, who: str, purpose: str, *, of: str | None = None) -> Json:
        """One call, and nothing but the name of the purpose."""
        found = (await self.does(_WITHDRAW, who=who, of=purpose, member=of))["withdrawConsent"]
        return dict(found["standings"][0])

    # --- looking ---

    async def sees(self, role: str, member: str, purpose: str, field: str) -> object:
        """What somebody gets to see of one field: its value, or the reason why not."""
        found = await self.looks(role, member, purpose)
        reasons = {each["field"]: each["reason"] for each in found["withheld"]}
        if field in reasons:
            return reasons[field]
        value = found[_ATTRIBUTES.get(field, field)]
        return next(iter(value.values())) if isinstance(value, dict) else value

    async def looks(self, role: str, member: str, purpose: str) -> Json:
        """The whole answer."""
        data = await self.does(_MEMBER, role=role, id=member, of=purpose)
        return dict(data["member"])

    async def lists(self, role: str, purpose: str) -> list[str]:
        """Whom a list for a purpose holds."""
        return [node["id"] for node in (await self.does(_LIST, role=role, of=purpose))["members"]["nodes"]]

    async def own_page(self, member: str) -> Json:
        """What the member sees of themselves."""
        return dict((await self.does(_ME, who=member))["me"])

    async def consent(self, member: str, purpose: str, *, at: datetime | None = None) -> Json:
        """One of the member's consents, as their own page shows it."""
        found = await self.does(_CONSENTS, who=member, at=at.isoformat() if at else None)
        return dict(next(each for each in found["consents"] if each["purpose"] == purpose))

    async def tells(self, member: str, purpose: str, **changes: Any) -> str:
        """The member types something in, for a purpose: `MemberUpdated`, or why it was not taken."""
        found = (await self.does(_UPDATE, role="mini_program", id=member, of=purpose, changes=changes))["updateMember"]
        return str(found.get("code") or found["__typename"])

    async def writes_herself(self, member: str, **changes: Any) -> str:
        """The member fills in their own page (PIPL 46)."""
        found = (await self.does(_UPDATE, who=member, id=member, of="self_access", changes=changes))["updateMember"]
        return str(found.get("code") or found["__typename"])

    async def receipt(self, member: str, event: str) -> Json:
        """What the member downloads as a proof."""
        return dict((await self.does(_RECEIPT, who=member, event=event))["consentReceipt"])
