"""Saying no costs nothing: with every consent refused the shop works, and no decision looks at another purpose's consent (NC-12)."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.decide import Ask, Permit, Standing, decide, weigh
from policies.terms import Basis, ConsentState, MemberStatus
from service.db.statement import Prepared
from service.disclosure import store as disclosure
from tests.api.front_end import evidence_of
from tests.plugins import canary
from tests.service.consent.screens import GIFT, WITHDRAW_ALL, join, say

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 22, tzinfo=UTC)
CORE = {
    "account_service": ("mini_program", ["phone", "name", "tier", "points", "joined_on"]),
    "order_fulfilment": ("order_service", ["name", "phone", "address"]),
    "customer_service": ("customer_service_agent", ["name", "phone"]),
    "membership_benefits": ("mini_program", ["tier", "points"]),
}


async def served(ask, member_id):
    """What every core operation gives for a member: values and reasons, and whether lists have them."""
    found = {}
    for purpose, (role, fields) in CORE.items():
        shown = " ".join(re.sub(r"_(\w)", lambda m: m[1].upper(), field) for field in fields)
        one = f'{{ member(id: "{member_id}", purpose: "{purpose}") {{ {shown} withheld {{ field reason }} }}'
        page = f' members(purpose: "{purpose}", first: 50) {{ nodes {{ id }} }} }}'
        answer = await ask(one + page, role=role)
        assert "errors" not in answer, answer
        listed = member_id in {node["id"] for node in answer["data"]["members"]["nodes"]}
        found[purpose] = (answer["data"]["member"], listed)
    mine = await ask("{ me { phone name tier points joinedOn address withheld { field } } }", role="member", member_id=member_id)
    return found | {"me": mine["data"]["me"]}


@pytest.mark.obligation("NC-12")
async def test_with_every_optional_consent_refused_every_core_operation_works(ask, running):
    fields = {"name": canary.value("name"), "tier": "金卡", "points": 800}
    yes, no = await join(ask, running, **fields), await join(ask, running, **fields)
    optional = [key for key, p in running.catalogue.purposes.items() if p.basis is Basis.CONSENT]
    answers = [key for key in optional if not running.catalogue.purposes[key].separate_consent]
    await say(ask, running, yes, **dict.fromkeys(answers, True))
    refused = await say(ask, running, no, **dict.fromkeys(optional, False))
    assert {each["state"] for each in refused["standings"]} == {"REFUSED"} and len(refused["standings"]) == len(optional)
    change = """mutation C($id: ID!) { updateMember(memberId: $id, purpose: "order_fulfilment", changes: { address: "示例路1号" }) {
      __typename } }"""
    for member_id in (yes, no):
        done = await ask(change, role="mini_program", variables={"id": member_id})
        assert done["data"]["updateMember"]["__typename"] == "MemberUpdated"
    with_yes, with_no = await served(ask, yes), await served(ask, no)
    for purpose in CORE:
        (one, listed), (other, also) = with_yes[purpose], with_no[purpose]
        assert other["withheld"] == one["withheld"] == [] and listed and also
        assert {key for key, value in other.items() if value} == {key for key, value in one.items() if value}
    assert with_no["me"]["withheld"] == [] and with_no["me"]["points"] == 800


@pytest.mark.obligation("NC-12", "WD-06")
async def test_what_was_earned_stays_usable_after_everything_was_taken_back(ask, running):
    member_id = await join(ask, running, name=canary.value("name"), tier="金卡", points=800)
    await say(ask, running, member_id, marketing_sms=True, birthday_gift=True, personalised_recommendation=True)
    before = await served(ask, member_id)
    await ask(WITHDRAW_ALL, role="member", member_id=member_id)
    assert await served(ask, member_id) == before


@pytest.mark.obligation("NC-12")
async def test_joining_asks_for_no_consent_and_takes_any_answer(ask, running):
    query = """mutation J($fields: MemberFieldsInput!, $decisions: [DecisionInput!], $evidence: EvidenceInput) {
      joinMember(purpose: "account_service", fields: $fields, decisions: $decisions, evidence: $evidence) { __typename } }"""
    for granted in (None, False, True):
        decisions = [{"purpose": GIFT, "granted": granted}]
        variables = {"fields": {"phone": canary.value("phone")}, "decisions": decisions, "evidence": evidence_of(running)}
        joined = await ask(query, role="mini_program", variables=variables)
        assert joined["data"]["joinMember"]["__typename"] == "MemberJoined"


@pytest.mark.obligation("NC-12")
def test_no_decision_for_a_purpose_without_consent_depends_on_any_consent(catalogue):
    """Every state of every consent, against every purpose that needs none."""
    for purpose in catalogue.purposes.values():
        if purpose.basis is Basis.CONSENT:
            continue
        plan = weigh(Ask(purpose.key, tuple(purpose.fields), purpose.roles), catalogue)
        for state in ConsentState:
            for scope in (1, 7):
                permit = decide(plan, Standing("m", MemberStatus.ACTIVE, state, scope=scope), NOW)
                assert isinstance(permit, Permit) and set(permit.shapes) == set(purpose.fields)


@pytest.mark.obligation("NC-12")
def test_a_read_fetches_the_consent_to_the_purpose_that_was_stated_and_to_no_other():
    """The standing is joined by the purpose of the request, in every statement that reads members."""
    held = [each for value in vars(disclosure).values() for each in (value.values() if isinstance(value, dict) else [value])]
    statements = [each for each in held if isinstance(each, Prepared)]
    reading = [each.compiled("postgresql").text for each in statements]
    with_consent = [text for text in reading if "consent_standing" in text]
    assert len(with_consent) == 6, "one member, by contact, and pages of four kinds"
    for text in with_consent:
        assert len(re.findall(r"consent_standing\.purpose = ", text)) == 1
        assert len(re.findall(r"JOIN consent_standing|FROM consent_standing", text)) == 1


@pytest.mark.obligation("NC-12")
def test_the_consents_to_other_purposes_are_read_in_the_rooms_that_speak_of_consents_and_nowhere_else():
    """A static list of who may look at standings at all: what is not in it cannot make one purpose depend on another."""
    lookers = {path.relative_to(ROOT / "service").as_posix() for path in (ROOT / "service").rglob("*.py") if looks(path)}
    assert lookers == {
        "db/tables/__init__.py",
        "db/tables/consent.py",
        # Who may be sent to: a campaign rests on one purpose's consent, and knows no other.
        "campaigns/store.py",
        "gate/store.py",
        "consent/store.py",
        "consent/review/store.py",
        "disclosure/store.py",
        "intake/store.py",
    }
    for path in sorted(ROOT.joinpath("service", "disclosure").glob("*.py")):
        assert "store.standings" not in path.read_text("utf-8"), f"{path.name}: a read knows one purpose's standing"


def looks(path: Path) -> bool:
    """Whether a module names the table of standings."""
    tree = ast.parse(path.read_text("utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return "consent_standing" in names | imported
