"""What the calls of `recorded_cases.py` are made of: a call, what its entry must say, and what has to have happened before it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from service.app import Parts
from tests.api.front_end import entries, evidence_of
from tests.factories import a_member, a_profile
from tests.plugins import canary
from tests.service.gate import made as sending
from tests.service.minors import family
from tests.service.minors.test_requests import asked
from tests.service.senders.house import working
from tests.service.senders.vendors import refusing, vendor

Ask = Callable[..., Any]
Given = dict[str, Any]
Before = Callable[[Parts, Ask, Given], Awaitable[Given]]

YES = ["birthday_gift", "marketing_sms", "personalised_recommendation"]
_VARIABLE = re.compile(r"\$(\w+):")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call that is answered, and what its entry says of it.

    `before` does what must have happened and gives further variables; the query takes those that it declares. `who` is the variable that
    names the signed-in member. `count` is how many records the entry tells of (None: it tells no number); `subjects` how many members it
    names, where those are not as many. `further` are codes under `x`.
    """

    query: str
    role: str
    typ: str = "access"
    purpose: str = ""
    basis: str = ""
    fields: tuple[str, ...] = ()
    further: Mapping[str, Any] = field(default_factory=dict)
    before: Before | None = None
    who: str = "id"
    count: int | None = 1
    subjects: int | None = None
    outcome: str = ""

    def variables(self, possible: Given) -> Given:
        """Those that the query declares."""
        return {key: possible[key] for key in _VARIABLE.findall(self.query)}


async def possible(running: Parts, ask: Ask, case: Case) -> Given:
    """Everything that a query may name: a member who has said yes to something, one who has not, and what `before` brought about."""
    profile = a_profile()
    given = {
        "id": await a_member(running, profile, yes=YES),
        "phone": profile["phone"],
        "new": canary.value("phone"),
        "evidence": evidence_of(running),
        "soon": (running.clock() + timedelta(days=7)).isoformat(),
    }
    await a_member(running)
    return given | (await case.before(running, ask, given) if case.before else {})


async def a_tag(running: Parts, ask: Ask, given: Given) -> Given:
    """The member likes fragrances, says the recommender."""
    query = """mutation ($id: ID!, $digest: String!) { recordTags(memberId: $id, purpose: "personalised_recommendation",
      source: PURCHASES, tags: [{ tag: "fragrance", sourceDigest: $digest }]) { __typename } }"""
    await _told(ask, query, role="recommender", variables={"id": given["id"], "digest": "0" * 64})
    return {}


async def an_event(running: Parts, ask: Ask, given: Given) -> Given:
    """The first answer in the member's ledger."""
    found = await _told(ask, "{ consentHistory { id } }", role="member", member_id=given["id"])
    return {"event": found[0]["id"]}


async def an_entry(running: Parts, ask: Ask, given: Given) -> Given:
    """A read that rests on the member's consent."""
    query = 'query ($id: ID!) { member(id: $id, purpose: "marketing_sms") { phone } }'
    await _told(ask, query, role="marketer", variables={"id": given["id"]})
    return {"entry": (await entries(running, "member"))[-1]["id"]}


async def a_send(running: Parts, ask: Ask, given: Given) -> Given:
    """An approved campaign, one who wants it, and leave to send it to them."""
    member_id, campaign_id = await sending.subscriber(running), await sending.campaign(running)
    decision = await sending.one(running, campaign_id, member_id)
    other = await sending.campaign(running)
    return {"to": member_id, "campaign": other, "decided": campaign_id, "send": decision.send_id, "token": decision.token}


async def a_failed_send(running: Parts, ask: Ask, given: Given) -> Given:
    """A message that a vendor refused for good."""
    found = await a_send(running, ask, given)
    query = """mutation ($decided: ID!, $to: ID!, $send: ID!, $token: String!) {
      queueSends(campaignId: $decided, sends: [{ memberId: $to, sendId: $send, token: $token }]) { __typename } }"""
    wanted = {key: found[key] for key in ("decided", "to", "send", "token")}
    await _told(ask, query, role="marketing_engine", variables=wanted)
    folder = running.config.home
    async with vendor(refusing) as sms, working(running, folder, living_sms=sms.url) as worker:
        await worker.once()
    return found


async def a_propagation(running: Parts, ask: Ask, given: Given) -> Given:
    """The member takes a consent back: the recipient is still to be told."""
    query = 'mutation { withdrawConsent(purpose: "marketing_sms", channel: WEB) { __typename } }'
    await _told(ask, query, role="member", member_id=given["id"])
    found = await _told(ask, '{ propagations(purpose: "legal_duty") { id } }', role="compliance_officer")
    return {"propagation": found[0]["id"]}


async def an_exemption(running: Parts, ask: Ask, given: Given) -> Given:
    """Leave to tell later."""
    query = """mutation ($soon: DateTime!) { grantNoticeExemption(ground: EMERGENCY, reason: "台风救援期间先行登记", expiresAt: $soon) {
      ... on NoticeExemption { id } } }"""
    return {"exemption": (await _told(ask, query, role="compliance_officer", variables={"soon": given["soon"]}))["id"]}


async def one_to_inform(running: Parts, ask: Ask, given: Given) -> Given:
    """Somebody was admitted in an emergency, and not told."""
    exempted = await an_exemption(running, ask, given)
    query = """mutation ($new: String!, $exemption: ID!) {
      joinMember(purpose: "account_service", fields: { phone: $new }, exemption: $exemption) { __typename } }"""
    await _told(ask, query, role="mini_program", variables={"new": given["new"], **exempted})
    return exempted


async def a_child(running: Parts, ask: Ask, given: Given) -> Given:
    """A child, and a member who might be their guardian."""
    return {
        "child": await family.someone(running, family.CHILD),
        "guardian": await family.someone(running, family.ADULT),
    }


async def a_claim(running: Parts, ask: Ask, given: Given) -> Given:
    """Somebody says that they are a child's guardian."""
    found = await a_child(running, ask, given)
    await family.link(ask, found["child"], found["guardian"])
    return found


async def a_family(running: Parts, ask: Ask, given: Given) -> Given:
    """A child with a verified guardian."""
    child, guardian = await family.family(running, ask)
    return {"child": child, "guardian": guardian}


async def a_request(running: Parts, ask: Ask, given: Given) -> Given:
    """A guardian asks to see a child's data."""
    found = await a_family(running, ask, given)
    request = await asked(ask, found["guardian"], found["child"], "VIEW")
    return found | {"request": request["requestId"]}


async def a_no(running: Parts, ask: Ask, given: Given) -> Given:
    """The member has unsubscribed."""
    await _told(ask, 'mutation { unsubscribe(channel: "sms") { __typename } }', role="member", member_id=given["id"])
    return {}


async def a_pending_subscription(running: Parts, ask: Ask, given: Given) -> Given:
    """The mail that asks for a confirmation is on its way."""
    query = """mutation ($id: ID!, $evidence: EvidenceInput) { subscribe(memberId: $id, evidence: $evidence,
      input: { channel: "email", topic: "news", brand: "living", monthly: 4, months: 24 }) { ... on Subscribed { confirmation } } }"""
    found = await _told(ask, query, role="mini_program", variables={"id": given["id"], "evidence": given["evidence"]})
    return {"token": found["confirmation"]}


async def a_dialog(running: Parts, ask: Ask, given: Given) -> Given:
    """WeChat's privacy dialog was shown, by a mini-program of ours."""
    return {"appid": running.catalogue.controller.brands[0].wechat_appid, "at": running.clock().isoformat()}


async def _told(ask: Ask, query: str, **more: Any) -> Any:
    answer = await ask(query, **more)
    assert "errors" not in answer, answer
    (found,) = answer["data"].values()
    assert found, answer
    return found
