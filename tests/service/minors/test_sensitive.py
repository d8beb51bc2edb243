"""Sensitive data (PIPL 28): said to be so, explained, sealed, masked from staff, and counted by people."""

from pathlib import Path

import pytest

from policies.catalogue import PolicyProblem, load
from policies.terms import MemberStatus, Sensitivity
from service.config import Config
from service.members import store as members
from tests.policy_folder import drop_key, edit, set_key, shipped
from tests.service.minors.family import ADULT, CHILD, UPDATE, code_of, family, someone

SKIN = {"attributes": [{"key": "skin_type", "text": "干性"}]}
ALERTS = "{ complianceAlerts { code open count limit named } }"


@pytest.fixture
def config(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Config:
    """A threshold that three members are above, or the one that a test asks for; and who is named, where somebody is."""
    folder = shipped(tmp_path)
    threshold, officer = getattr(request, "param", (2, ""))
    set_key(folder, "consent.toml", "sensitive_threshold", threshold)
    set_key(folder, "consent.toml", "sensitive_officer", officer)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Config(home=home, database_url=database_url, policies=folder)


async def alert(ask):
    found, *_ = (await ask(ALERTS, role="compliance_officer"))["data"]["complianceAlerts"]
    return found


@pytest.mark.obligation("SM-04")
async def test_the_alert_is_open_while_more_people_than_allowed_have_sensitive_data_and_nobody_is_named(running, ask, client):
    first, second = await someone(running), await someone(running)
    for who in (first, second):
        await ask(UPDATE, role="member", member_id=who, variables={"changes": SKIN})
    await someone(running, ADULT)
    assert await alert(ask) == {"code": "SENSITIVE_100K", "open": False, "count": 2, "limit": 2, "named": ""}
    child = await someone(running, CHILD)
    assert await alert(ask) == {"code": "SENSITIVE_100K", "open": True, "count": 3, "limit": 2, "named": ""}
    metrics = (await client.get("/metrics")).text
    assert "menshen_sensitive_members 3.0" in metrics and "menshen_sensitive_alert 1.0" in metrics
    given = {"changes": {"attributes": [{"key": "skin_type"}]}}
    await ask(UPDATE, role="member", member_id=first, variables=given)
    assert (await alert(ask))["open"] is False
    assert (await members.row(running.database.read, child)).sensitive


@pytest.mark.obligation("SM-04")
@pytest.mark.parametrize("config", [(100_000, "")], indirect=True)
async def test_the_hundred_thousand_and_first_person_opens_it_by_one_count(running, ask, statements):
    def of(number: int) -> members.model.Row:
        return members.model.Row(f"m{number:06d}", MemberStatus.ACTIVE, 1, b"", None, {}, 1, sensitive=True)

    async with running.database.write() as transaction:
        rows = [members.values(of(number), now=running.clock()) for number in range(100_000)]
        await transaction.bulk(members.ADD_MEMBERS, rows)
        await transaction.commit()
    assert (await alert(ask))["open"] is False
    await someone(running, CHILD)
    with statements() as heard:
        assert await alert(ask) == {"code": "SENSITIVE_100K", "open": True, "count": 100_001, "limit": 100_000, "named": ""}
    assert sum("count(" in text.lower() and "from member" in text.lower() for text in heard) == 1


@pytest.mark.obligation("SM-04")
@pytest.mark.parametrize("config", [(1, "个人信息保护负责人")], indirect=True)
async def test_the_alert_is_closed_once_somebody_is_named_for_it(running, ask, client):
    for _ in range(2):
        await someone(running, CHILD)
    found = await alert(ask)
    assert (found["open"], found["count"], found["named"]) == (False, 2, "个人信息保护负责人")
    assert "menshen_sensitive_alert 0.0" in (await client.get("/metrics")).text


@pytest.mark.obligation("SM-01", "SM-04")
async def test_all_that_is_known_of_a_child_is_sensitive_whatever_is_changed_of_it(running, ask):
    child, guardian = await family(running, ask)
    for changes in ({"region": "杭州"}, {"region": None}):
        told = await ask(UPDATE, role="member", member_id=guardian, variables={"member": child, "changes": changes})
        assert told["data"]["updateMember"]["__typename"] == "MemberUpdated"
        assert (await members.row(running.database.read, child)).sensitive
    assert not (await members.row(running.database.read, guardian)).sensitive


async def test_alerts_are_for_compliance_staff(ask):
    assert code_of(await ask(ALERTS, role="marketer")) == "FORBIDDEN"


@pytest.mark.obligation("SM-04")
async def test_sensitive_values_are_sealed_and_no_purpose_of_staff_shows_them_whole(running, ask, catalogue):
    sensitive = {key for key, field in catalogue.fields.items() if field.sensitivity is Sensitivity.SENSITIVE}
    assert sensitive == {"skin_type", "baby_birthday"}
    assert all(catalogue.fields[key].sealed for key in sensitive)
    for purpose in catalogue.purposes.values():
        by_staff = any(catalogue.roles[role].kind == "staff" for role in purpose.roles)
        whole = {key for key in sensitive & purpose.fields.keys() if purpose.fields[key] == "plain"}
        assert not (by_staff and whole), purpose.key
    member_id = await someone(running, ADULT)
    told = await ask(UPDATE, role="member", member_id=member_id, variables={"changes": SKIN})
    assert told["data"]["updateMember"]["__typename"] == "MemberUpdated"
    row = await members.row(running.database.read, member_id)
    assert row.sensitive and "干性".encode() not in row.sealed


@pytest.mark.obligation("SM-02")
@pytest.mark.parametrize(
    ("key", "reason"), [("necessity", "NECESSITY_MISSING"), ("impact", "NECESSITY_MISSING"), ("pia", "PIA_MISSING")]
)
def test_a_purpose_of_sensitive_data_says_why_and_what_it_means_and_was_assessed(tmp_path, key, reason):
    folder = shipped(tmp_path)
    if key == "pia":
        set_key(folder, "purposes.toml", "purposes.skin_profile.pia", "")
    else:
        for part in ("zh", "en"):
            drop_key(folder, "purposes.toml", f"purposes.skin_profile.{key}.{part}")
        edit(folder, "purposes.toml", f"[purposes.skin_profile.{key}]\n", "")
    with pytest.raises(PolicyProblem) as found:
        load(folder)
    assert (reason, "purposes.toml") in {(problem.code, problem.file) for problem in found.value.problems}


@pytest.mark.obligation("SM-01")
def test_a_field_without_a_class_or_with_too_low_a_one_is_refused(tmp_path):
    folder = shipped(tmp_path)
    drop_key(folder, "fields.toml", "fields.skin_type.sensitivity")
    with pytest.raises(PolicyProblem) as missing:
        load(folder)
    assert ("fields.toml", "fields.skin_type.sensitivity") in {(item.file, item.key) for item in missing.value.problems}
    lowered = shipped(tmp_path / "lowered")
    set_key(lowered, "fields.toml", "fields.skin_type.sensitivity", "GENERAL")
    with pytest.raises(PolicyProblem) as low:
        load(lowered)
    assert "CLASSIFICATION" in {item.code for item in low.value.problems}
