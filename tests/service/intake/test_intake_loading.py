"""Files on their way in: every good row, no bad one, nobody overwritten; on both databases and through the real door."""

from collections import Counter

import pytest
from sqlalchemy import select

from service.db.statement import Prepared
from service.db.tables import member, member_lookup, member_secret
from service.vault.normalise import normalise
from tests.factories import a_call, a_member, a_profile
from tests.service.intake.exports import a_row, dirty, load, phone, rejects_of, write, write_workbook
from tests.service.intake.looking import contents, count, entries, member_of


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


@pytest.mark.obligation("RD-07")
async def test_an_identity_number_in_a_remark_is_rejected_and_nothing_of_it_is_kept(running, tmp_path):
    row = a_row(备注="身份证 11010519491231002X")
    outcome = await load(running, write(tmp_path / "a.csv", [row]), rejects=tmp_path / "r")
    assert rejects_of(tmp_path / "r") == [("2", "备注", "IDENTITY_NUMBER")]
    assert outcome.tally.made == 0 and await count(running, member) == await count(running, member_lookup) == 0
    assert "11010519491231002" not in str(await contents(running)) + str(await entries(running))
