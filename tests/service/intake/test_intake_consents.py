"""What an import does to consent: it brings no yes that it cannot prove, keeps every no, and undoes nothing that members said since."""

from datetime import UTC, datetime

import pytest

from policies.terms import ConsentState, MemberStatus, Reason
from service.consent.model import CaptureChannel, Decision, GuardianConsentRequired
from service.members import store as members
from tests.factories import a_call, evidence
from tests.service.intake.exports import a_row, load, phone, write
from tests.service.intake.looking import SMS, contents, many, member_of, states


@pytest.mark.obligation("LB-08", "NC-17")
async def test_a_hundred_flags_without_evidence_send_nothing_to_anybody(running, tmp_path):
    rows = many(100, 短信营销="是", 同意时间="2026-11-01", 隐私政策版本="2026-10")
    outcome = await load(running, write(tmp_path / "a.csv", rows))
    assert outcome.tally.consents == {(SMS, ConsentState.UNKNOWN): 100}
    page = await running.operations.page(
        a_call("marketer"), purpose=SMS, fields=["phone"], first=100, after=None, edge_cursors=False
    )
    assert page.profiles == () and not page.has_next
    found = await running.operations.member(
        a_call("marketer"), member_id=await member_of(running, rows[7]["手机号"]), purpose=SMS, fields=["phone"]
    )
    assert found.values == {} and [item.reason for item in found.withheld] == [Reason.CONSENT_REQUIRED]


async def test_a_no_is_kept_a_yes_without_proof_is_unknown_and_silence_is_silence(running, tmp_path):
    yes, no, nothing = a_row(短信营销="Y"), a_row(短信营销="否", 邮件营销="0"), a_row()
    await load(running, write(tmp_path / "a.csv", [yes, no, nothing]))
    assert await states(running, yes["手机号"]) == {SMS: ConsentState.UNKNOWN}
    assert await states(running, no["手机号"]) == {SMS: ConsentState.REFUSED, "marketing_email": ConsentState.REFUSED}
    assert await states(running, nothing["手机号"]) == {}


PROVING = """
blank = []
yes = ["是"]
no = ["否"]
ignore = []
[fields.phone]
headers = ["手机号"]
[fields.birthday]
headers = ["生日"]
[consents.marketing_sms]
headers = ["短信营销"]
[columns]
consent_time = ["同意时间"]
notice_version = ["隐私政策版本"]
source = ["来源"]
collected_on = ["收集日期"]
evidence_uri = ["证据地址"]
[gesture]
expression = "TAP_UNTICKED_BOX"
screen = "shop/register"
language = "zh-CN"
"""
PROOF = {
    "短信营销": "是",
    "同意时间": "2026-11-01 12:00",
    "隐私政策版本": "2026-10",
    "来源": "门店系统",
    "收集日期": "2026-11-02",
}


@pytest.fixture
def proving(running, tmp_path):
    """Load rows by a mapping that states how members said yes."""
    (tmp_path / "mine.toml").write_text(PROVING)
    header = ("手机号", "生日", *PROOF, "证据地址")

    async def run(*rows):
        path = write(tmp_path / "a.csv", rows, header=header)
        return await load(running, path, mapped_by=tmp_path / "mine.toml")

    return run


def proven(**more):
    return {"手机号": phone(), "生日": "", "证据地址": "https://evidence.example.com/7", **PROOF, **more}


@pytest.mark.obligation("LB-08", "NC-17")
async def test_a_yes_with_all_its_proof_is_given_and_the_ledger_keeps_the_proof(running, proving):
    whole, without = proven(), proven(证据地址="")
    await proving(whole, without)
    assert await states(running, whole["手机号"]) == {SMS: ConsentState.GIVEN}
    assert await states(running, without["手机号"]) == {SMS: ConsentState.UNKNOWN}
    own = a_call("member", member_id=await member_of(running, whole["手机号"]))
    history = await running.operations.consent_history(own, member_id=None)
    record = history[0].record
    assert (record["channel"], record["expression"], record["privacyNotice"]) == ("IMPORT", "TAP_UNTICKED_BOX", "2026-10")
    assert record["presentedAt"] == "2026-11-01T04:00:00.000000Z"
    assert record["source"]["evidenceUri"] == "https://evidence.example.com/7" and record["source"]["collectedOn"] == "2026-11-02"
    assert history[0].expires_at == datetime(2027, 11, 1, 16, tzinfo=UTC)
    page = await running.operations.page(
        a_call("marketer"), purpose=SMS, fields=["phone"], first=9, after=None, edge_cursors=False
    )
    assert [found.member_id for found in page.profiles] == [await member_of(running, whole["手机号"])]


@pytest.mark.obligation("SM-05")
async def test_a_child_waits_for_a_guardian_whatever_the_file_says(running, proving):
    child, older = proven(生日="2013-11-22"), proven(生日="2012-11-22")
    outcome = await proving(child, older)
    assert outcome.tally.guardian_pending == 1
    assert await states(running, child["手机号"]) == {SMS: ConsentState.UNKNOWN}
    assert await states(running, older["手机号"]) == {SMS: ConsentState.GIVEN}
    child_id = await member_of(running, child["手机号"])
    assert (await members.row(running.database.read, child_id)).status is MemberStatus.GUARDIAN_PENDING
    answer = await running.operations.record_consents(
        a_call("member", member_id=child_id),
        member_id=None,
        decisions=[Decision(SMS, True)],
        evidence=evidence(running.catalogue, running.clock()),
    )
    assert isinstance(answer, GuardianConsentRequired)


async def test_a_changed_file_changes_no_answer_and_no_value_of_a_member(running, tmp_path):
    """A list that is loaded again must not undo what the member said since (peers: listmonk, Mautic)."""
    row = a_row(短信营销="是")
    await load(running, write(tmp_path / "a.csv", [row]))
    member_id = await member_of(running, row["手机号"])
    await running.operations.withdraw(
        a_call("member", member_id=member_id), member_id=None, purpose=SMS, channel=CaptureChannel.MINI_PROGRAM
    )
    before = await contents(running)
    outcome = await load(running, write(tmp_path / "b.csv", [row | {"姓名": "别人", "短信营销": "是", "会员等级": "钻石"}]))
    assert outcome.tally.duplicates == 1
    after = await contents(running)
    assert {name for name in after if after[name] != before[name]} == {"import_run"}
    assert (await states(running, row["手机号"]))[SMS] is not ConsentState.UNKNOWN


async def test_the_same_file_brings_nobody_back_who_was_erased(running, tmp_path):
    rows = [a_row(), a_row(邮箱="not-an-email")]
    path = write(tmp_path / "a.csv", rows)
    await load(running, path, rejects=tmp_path / "first")
    member_id = await member_of(running, rows[0]["手机号"])
    await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    before = await contents(running)
    again = await load(running, path, rejects=tmp_path / "again")
    assert again.already and await contents(running) == before
    assert await member_of(running, rows[0]["手机号"]) is None
    assert (tmp_path / "again").read_bytes() == (tmp_path / "first").read_bytes()
