"""Files on their way in, on both databases and through the real door."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, select

from policies.terms import ConsentState, MemberStatus, Reason
from service.audit.entry import parse_entry
from service.consent.model import CaptureChannel, Decision, GuardianConsentRequired
from service.db.statement import Prepared
from service.db.tables import audit_entry, consent_event, import_run, member, member_lookup, member_secret, metadata
from service.errors import Forbidden
from service.intake import commands
from service.intake.commands import Intake
from service.intake.job import understand
from service.intake.model import FileProblem, ImportBusy
from service.intake.report import RejectFile
from service.members import store as members
from service.vault.normalise import normalise
from tests.factories import a_call, a_member, a_profile, evidence
from tests.service.intake.exports import a_row, dirty, load, phone, rejects_of, write, write_workbook

SMS = "marketing_sms"


async def member_of(running, number):
    """The id of the member who holds a phone."""
    digest = running.vault.lookup("phone", normalise("phone", number))
    return await members.holder_of(running.database.read, "phone", digest, generation=running.vault.lookup_generation)


async def contents(running):
    """Every row of every table but the audit log's, where each look and each try leaves its mark."""
    tables = [table for table in metadata.sorted_tables if not table.name.startswith("audit_")]
    return {table.name: sorted(map(repr, await running.database.read.rows(Prepared(select(table))))) for table in tables}


async def count(running, table):
    return (await running.database.read.rows(Prepared(select(func.count()).select_from(table))))[0][0]


async def entries(running):
    rows = await running.database.read.rows(Prepared(select(audit_entry.c.entry).order_by(audit_entry.c.idx)))
    return [parse_entry(bytes(row[0])) for row in rows]


async def states(running, number):
    """What stands for each purpose that the member ever answered."""
    found = await running.operations.consents(a_call("compliance_officer"), member_id=await member_of(running, number))
    return {one.purpose: one.state for one in found if one.state is not ConsentState.NEVER_ASKED}


def many(number, **more):
    """Rows with as few canaries as possible."""
    return [a_row(姓名="", 收货地址="", 邮箱="", 微信openid="", 会员编号="", **more) for _ in range(number)]


async def test_every_good_row_becomes_a_member_and_every_bad_one_a_line(running, tmp_path):
    made = dirty()
    outcome = await load(running, write(tmp_path / "a.csv", made.rows), rejects=tmp_path / "a.rejects.csv")
    tally = outcome.tally
    assert {code.value: number for code, number in tally.codes.items()} == made.expected
    assert (tally.read, tally.made) == (len(made.rows), 60)
    assert tally.duplicates == made.expected["DUPLICATE"] and tally.rejected == len(made.rows) - 60 - tally.duplicates
    assert await count(running, member) == await count(running, member_secret) == 60
    lines = rejects_of(tmp_path / "a.rejects.csv")
    assert Counter(code for _, _, code in lines) == made.expected
    assert [int(line) for line, _, _ in lines] == list(range(62, 2 + len(made.rows)))


@pytest.mark.obligation("SE-08")
async def test_the_reject_file_repeats_no_value(running, tmp_path):
    made = dirty(6)
    await load(running, write(tmp_path / "a.csv", made.rows), rejects=tmp_path / "a.rejects.csv")
    text = (tmp_path / "a.rejects.csv").read_text("utf-8-sig")
    values = {value.strip() for row in made.rows for name, value in row.items() if len(value.strip()) > 2 and name != "兴趣"}
    assert len(values) > 50 and not [value for value in values if value in text]


async def test_what_came_in_is_read_through_the_door_like_any_other(running, tmp_path):
    row = a_row(手机号=f"+86 {phone()}")
    await load(running, write(tmp_path / "a.csv", [row]))
    found = await running.operations.member(
        a_call("order_service"),
        member_id=await member_of(running, row["手机号"]),
        purpose="order_fulfilment",
        fields=["name", "phone", "address"],
    )
    assert found.values == {"name": row["姓名"], "phone": normalise("phone", row["手机号"]), "address": row["收货地址"]}
    stored = await running.database.read.rows(Prepared(select(member.c.tier, member.c.points, member.c.joined_on)))
    assert stored == [("金卡", 775, "2025-10-02")]


async def test_a_workbook_brings_in_what_the_same_text_brings_in(running, tmp_path):
    made = dirty(12)
    text = await load(running, write(tmp_path / "a.csv", made.rows), rejects=tmp_path / "csv", dry_run=True)
    book = await load(running, write_workbook(tmp_path / "a.xlsx", made.rows), rejects=tmp_path / "xlsx")
    assert book.tally == text.tally and book.import_id != text.import_id
    assert (tmp_path / "csv").read_bytes() == (tmp_path / "xlsx").read_bytes()


async def test_a_dry_run_says_what_a_load_would_do_and_writes_nothing_but_that_it_was_asked(running, tmp_path):
    made = dirty(12)
    path = write(tmp_path / "a.csv", made.rows)
    await a_member(running, a_profile(phone=made.rows[4]["手机号"]))
    before, entries_before = await contents(running), len(await entries(running))
    dry = await load(running, path, rejects=tmp_path / "dry", dry_run=True)
    assert await contents(running) == before
    asked = (await entries(running))[entries_before:]
    assert [(entry["op"], entry["cnt"]) for entry in asked] == [("import.check", len(made.rows))]
    wet = await load(running, path, rejects=tmp_path / "wet")
    assert dry.tally == wet.tally and wet.tally.made == 11
    assert (tmp_path / "dry").read_bytes() == (tmp_path / "wet").read_bytes()


async def test_a_finished_import_run_again_says_so_and_changes_nothing(running, tmp_path):
    path = write(tmp_path / "a.csv", dirty(12).rows)
    first = await load(running, path, rejects=tmp_path / "first")
    before = await contents(running)
    again = await load(running, path, rejects=tmp_path / "again")
    assert again.already and not first.already and again.tally == first.tally
    assert await contents(running) == before
    assert (tmp_path / "again").read_bytes() == (tmp_path / "first").read_bytes()


async def test_duplicates_name_the_first_of_them_where_it_stands_in_the_file(running, tmp_path):
    held = a_row()
    await load(running, write(tmp_path / "before.csv", [held]))
    row = a_row()
    rows = [row, a_row(手机号=f"0086{row['手机号']}"), a_row(手机号=held["手机号"]), a_row(微信openid=held["微信openid"])]
    await load(running, write(tmp_path / "a.csv", rows), rejects=tmp_path / "r")
    assert rejects_of(tmp_path / "r") == [
        ("3", "手机号", "DUPLICATE"),
        ("4", "手机号", "DUPLICATE"),
        ("5", "微信openid", "IDENTITY_CONFLICT"),
    ]
    lines = (tmp_path / "r").read_text("utf-8-sig").splitlines()[1:]
    assert ["第 2 行" in line for line in lines] == [True, False, False]


async def test_a_row_that_was_refused_leaves_its_phone_to_the_next(running, tmp_path):
    wrong = a_row(邮箱="not-an-email")
    right = a_row(手机号=wrong["手机号"], 会员编号=wrong["会员编号"], 微信openid=wrong["微信openid"])
    outcome = await load(running, write(tmp_path / "a.csv", [wrong, right]))
    assert (outcome.tally.made, outcome.tally.rejected, outcome.tally.duplicates) == (1, 1, 0)


# --- consent ---------------------------------------------------------------------------------------------------------------------


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
screen = "注册页"
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
    history = await running.operations.consent_history(
        a_call("compliance_officer"), member_id=await member_of(running, whole["手机号"])
    )
    record = history[0].record
    assert (record["channel"], record["expression"], record["privacyNotice"]) == ("IMPORT", "TAP_UNTICKED_BOX", "2026-10")
    assert record["presentedAt"] == "2026-11-01T04:00:00.000000Z"
    assert record["source"]["evidenceUri"] == "https://evidence.example.com/7" and record["source"]["collectedOn"] == "2026-11-02"
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


@pytest.mark.obligation("RD-07")
async def test_an_identity_number_in_a_remark_is_rejected_and_nothing_of_it_is_kept(running, tmp_path):
    row = a_row(备注="身份证 11010519491231002X")
    outcome = await load(running, write(tmp_path / "a.csv", [row]), rejects=tmp_path / "r")
    assert rejects_of(tmp_path / "r") == [("2", "备注", "IDENTITY_NUMBER")]
    assert outcome.tally.made == 0 and await count(running, member) == await count(running, member_lookup) == 0
    assert "11010519491231002" not in str(await contents(running)) + str(await entries(running))


# --- interruptions, and others at the same time -----------------------------------------------------------------------------------


class Stopped(Exception):
    """The process dies here."""


async def stopped_after(running, path, batches):
    """Load so many batches and no more."""
    seen = []

    def progress(_):
        seen.append(1)
        if len(seen) == batches:
            raise Stopped

    with RejectFile(None) as rejects, pytest.raises(Stopped):
        job = understand(path, running.catalogue, now=running.clock())
        await Intake(running.units, a_call("import_operator"), job, rejects=rejects, progress=progress).load()


@pytest.fixture
def small_batches(monkeypatch):
    """So that a test needs few rows for many batches."""
    monkeypatch.setattr(commands, "BATCH", 7)


@pytest.mark.parametrize("batches", [1, 3, 8])
async def test_an_import_goes_on_where_it_stopped_and_its_reject_file_is_complete(running, tmp_path, small_batches, batches):
    made = dirty(40)
    path = write(tmp_path / "a.csv", made.rows)
    expected = await load(running, path, rejects=tmp_path / "expected", dry_run=True)
    await stopped_after(running, path, batches)
    there = await count(running, member)
    outcome = await load(running, path, rejects=tmp_path / "r")
    assert 0 < there <= 40 and outcome.carried_on >= 7 * batches and not outcome.already
    assert outcome.tally == expected.tally and await count(running, member) == 40
    assert (tmp_path / "r").read_bytes() == (tmp_path / "expected").read_bytes()
    run = await running.database.read.rows(
        Prepared(
            select(import_run.c.rows_done, import_run.c.members_made, import_run.c.rows_rejected, import_run.c.rows_duplicate)
        )
    )
    assert run == [(outcome.tally.read, 40, outcome.tally.rejected, outcome.tally.duplicates)]


async def test_a_dry_run_in_the_middle_knows_what_is_done(running, tmp_path, small_batches):
    made = dirty(20)
    path = write(tmp_path / "a.csv", made.rows)
    expected = await load(running, path, dry_run=True)
    await stopped_after(running, path, 2)
    assert (await load(running, path, dry_run=True)).tally == expected.tally


async def test_two_at_once_double_nobody_and_one_of_them_is_told(running, tmp_path, small_batches):
    path = write(tmp_path / "a.csv", many(70))
    outcomes = await asyncio.gather(*(load(running, path) for _ in range(2)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ImportBusy", "Outcome"]
    assert await count(running, member) == 70
    refused = [entry for entry in await entries(running) if entry["dec"] == "deny"]
    assert [entry["rsn"] for entry in refused] == [ImportBusy().code]


async def test_whoever_joins_meanwhile_keeps_what_is_theirs(running, tmp_path, small_batches):
    rows = many(30)
    joined = []

    def progress(_):
        if not joined:
            joined.append(asyncio.ensure_future(a_member(running, a_profile(phone=rows[-1]["手机号"]))))

    job = understand(write(tmp_path / "a.csv", rows), running.catalogue, now=running.clock())
    with RejectFile(tmp_path / "r") as rejects:
        outcome = await Intake(running.units, a_call("import_operator"), job, rejects=rejects, progress=progress).load()
    assert await member_of(running, rows[-1]["手机号"]) == await joined[0]
    assert (outcome.tally.made, outcome.tally.duplicates) == (29, 1)
    assert await count(running, member) == 30


async def test_a_file_that_changes_under_the_reader_stops_it(running, tmp_path, small_batches):
    path = write(tmp_path / "a.csv", many(30))

    def progress(_):
        path.write_text(path.read_text() + "\n")

    job = understand(path, running.catalogue, now=running.clock())
    with RejectFile(None) as rejects, pytest.raises(FileProblem) as problem:
        await Intake(running.units, a_call("import_operator"), job, rejects=rejects, progress=progress).load()
    assert problem.value.code == "FILE_CHANGED" and await count(running, member) < 30


# --- the record ------------------------------------------------------------------------------------------------------------------


async def test_every_batch_has_its_entry_with_its_subjects_and_no_value(running, tmp_path, small_batches):
    made = dirty(10)
    before = len(await entries(running))
    outcome = await load(running, write(tmp_path / "a.csv", made.rows))
    found = (await entries(running))[before:]
    batches = [entry for entry in found if entry["op"] == "import"]
    assert [entry["op"] for entry in found] == ["import.begin", *["import"] * len(batches), "import.finish"]
    assert sum(len(entry.get("sub", ())) for entry in batches) == sum(entry["cnt"] for entry in batches) == 10
    assert sum(entry["x"]["rejected"] + entry["x"]["duplicate"] for entry in batches) == len(made.rows) - 10
    assert {entry["x"]["import"] for entry in found} == {outcome.import_id}
    assert found[-1]["cnt"] == 10 and "phone" in batches[0]["fld"]
    assert all(
        entry["act"] == {"id": "import_operator-1", "k": "staff", "role": ["import_operator"], "ip": entry["act"]["ip"]}
        for entry in found
    )


async def test_a_role_that_may_not_import_does_not_and_that_is_recorded(running, tmp_path):
    path = write(tmp_path / "a.csv", [a_row()])
    for dry_run in (True, False):
        with pytest.raises(Forbidden):
            await load(running, path, role="compliance_officer", dry_run=dry_run)
    assert await count(running, member) == await count(running, import_run) == await count(running, consent_event) == 0
    assert [entry["rsn"] for entry in (await entries(running))[-2:]] == ["FORBIDDEN", "FORBIDDEN"]


async def test_a_file_with_a_header_and_nothing_else_is_nothing_to_do(running, tmp_path):
    outcome = await load(running, write(tmp_path / "a.csv", []))
    assert outcome.tally.read == 0 and await count(running, import_run) == 0


async def test_more_rows_than_one_entry_can_name_are_several_batches(running, tmp_path):
    before = len(await entries(running))
    outcome = await load(running, write(tmp_path / "a.csv", many(1203)))
    assert outcome.tally.made == 1203
    batches = [entry for entry in (await entries(running))[before:] if entry["op"] == "import"]
    assert [len(entry["sub"]) for entry in batches] == [500, 500, 203]
