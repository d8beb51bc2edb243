"""Who exports is in the log before the first byte is written, and who may not gets none."""

import pytest

from service.archive.exporting import MANIFEST
from service.archive.queries import Asked
from service.audit.entry import Draft
from service.errors import BadInput, Forbidden, RecordUnavailable
from tests.factories import a_call
from tests.service.archive.logs import Signer
from tests.service.audit import logs


@pytest.fixture
async def signer(running, database_url) -> Signer:
    """A short log, published."""

    async def nothing(_: object) -> None:
        return None

    for _ in range(20):
        await running.units.disclose(a_call(), Draft(typ="access", operation="test"), nothing)
    made = Signer(running.vault.origin)
    await made.publish(running.database, database_url)
    return made


async def test_the_entry_is_there_before_the_first_byte_and_names_the_range(running, signer, tmp_path) -> None:
    out, seen = tmp_path / "out", []

    def watched(_done: int, _all: int) -> None:
        seen.append(True)

    before = await logs.entries(running.database)
    origin = running.vault.origin
    officer = a_call("compliance_officer")
    plan, done = await running.operations.export(officer, Asked(0, 10), out, origin=origin, progress=watched)
    entry = (await logs.entries(running.database))[len(before)]
    assert (entry["typ"], entry["op"], entry["act"]["id"], entry["cnt"]) == (
        "export",
        "audit",
        "compliance_officer-1",
        plan.last - plan.first,
    )
    assert entry["x"] == {"asked": "0..10", "from": plan.first, "to": plan.last, "again": False}
    assert seen and (out / MANIFEST).exists() and done.count == plan.last - plan.first
    assert out.stat().st_mode & 0o077 == 0


async def test_who_may_not_export_gets_no_byte_and_is_recorded(running, signer, tmp_path) -> None:
    out = tmp_path / "out"
    clerk = a_call("marketer")
    with pytest.raises(Forbidden):
        await running.operations.export(clerk, Asked(), out, origin=running.vault.origin)
    assert not list(out.iterdir())
    assert (await logs.entries(running.database))[-1]["rsn"] == "FORBIDDEN"


async def test_without_a_record_there_is_no_export(running, signer, tmp_path) -> None:
    out = tmp_path / "out"
    await running.journal.close()
    with pytest.raises(RecordUnavailable):
        await running.operations.export(a_call("auditor"), Asked(), out, origin=running.vault.origin)
    assert not list(out.iterdir())


async def test_a_folder_that_others_can_look_into_is_refused(running, signer, tmp_path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o755)
    with pytest.raises(BadInput):
        await running.operations.export(a_call("auditor"), Asked(), out, origin=running.vault.origin)
