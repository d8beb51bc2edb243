"""The export that the project is tried on: its dirt is counted in the README beside it, and each count must come out."""

from pathlib import Path

import pytest

from policies.terms import ConsentState
from service.intake.model import Code
from tests.plugins import canary
from tests.service.intake.exports import load, rejects_of

EXPORT = Path(__file__).parents[4] / "shared" / "data" / "members_export.csv"
COUNTED = {
    Code.PHONE_INVALID: 20,
    Code.PHONE_MISSING: 15,
    Code.EMAIL_INVALID: 12,
    Code.BIRTHDAY_IMPOSSIBLE: 10,
    Code.IDENTITY_NUMBER: 8,
    Code.FORMULA: 5,
    Code.DUPLICATE: 18,
    Code.NUMBER_INVALID: 6,
}


@pytest.fixture
def export():
    if not EXPORT.exists():
        pytest.skip("the shared export is not beside the repository")
    return EXPORT


@pytest.mark.obligation("NC-17")
async def test_what_the_readme_counts_is_what_is_found(running, export, tmp_path):
    outcome = await load(running, export, rejects=tmp_path / "r")
    tally = outcome.tally
    assert dict(tally.codes) == COUNTED
    assert (tally.read, tally.made, tally.guardian_pending) == (3018, 3018 - sum(COUNTED.values()), 12)
    assert {state for _, state in tally.consents} == {ConsentState.UNKNOWN, ConsentState.REFUSED}
    assert len(rejects_of(tmp_path / "r")) == sum(COUNTED.values())


async def test_its_reject_file_shows_none_of_its_numbers(running, export, tmp_path):
    await load(running, export, rejects=tmp_path / "r", dry_run=True)
    listed = (tmp_path / "r").read_text("utf-8-sig")
    cells = {cell.strip() for line in export.read_text("gb18030").splitlines()[1:] for cell in line.split(",")}
    assert not [cell for cell in cells if len(cell) > 6 and cell in listed]
    canary.look("the reject file", listed.encode())
