"""What the audit log says of an import."""

import pytest

from policies.terms import Basis
from service.db.tables import consent_event, import_run, member
from service.errors import Forbidden
from tests.service.intake.exports import a_row, dirty, load, phone, write
from tests.service.intake.looking import count, entries, many


async def test_every_batch_has_its_entry_with_its_subjects_and_no_value(running, tmp_path):
    made = dirty(10)
    before = len(await entries(running))
    outcome = await load(running, write(tmp_path / "a.csv", made.rows), size=7)
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


@pytest.mark.obligation("AL-02")
async def test_every_entry_says_for_which_purposes_the_rows_are_stored(running, tmp_path):
    before = len(await entries(running))
    path = write(tmp_path / "whole.csv", [a_row(短信营销="否")])
    await load(running, path, dry_run=True)
    await load(running, path)
    found = (await entries(running))[before:]
    assert [entry["op"] for entry in found] == ["import.check", "import.begin", "import", "import.finish"]
    bases = {key: purpose.basis for key, purpose in running.catalogue.purposes.items()}
    for entry in found:
        said = set(entry["x"]["purposes"])
        assert {"account_service", "order_fulfilment"} <= said and running.catalogue.self_purpose not in said
        # The file has a column for these two answers; for no other consent does it say anything.
        assert {key for key in said if bases[key] is Basis.CONSENT} == {"marketing_sms", "marketing_email"}


async def test_a_purpose_that_uses_nothing_of_a_file_is_not_named(running, tmp_path):
    await load(running, write(tmp_path / "a.csv", [{"手机号": phone()}], header=("手机号",)))
    (entry,) = [entry for entry in await entries(running) if entry["op"] == "import"]
    uses_phones = {key for key, purpose in running.catalogue.purposes.items() if "phone" in purpose.fields}
    assert entry["fld"] == ["phone"] and set(entry["x"]["purposes"]) <= uses_phones


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
