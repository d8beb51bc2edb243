"""That witnesses cosigned is what they signed, in the pack and in the evidence of the measures alike: a row says what its writer wants."""

import zipfile
from pathlib import Path

import pytest

from menshen_verifier.errors import Malformed
from menshen_verifier.figures import Tally, parse_definition
from menshen_verifier.note import parse_key
from menshen_verifier.pack import Problem, verify_pack
from service.app import Parts
from service.checkpoints.notes import cosigned_note
from service.checkpoints.trust import Trust, policy
from service.oversight.model import Law, Standing
from tests.factories import a_call, a_member
from tests.service.archive.logs import Signer
from tests.service.audit.logs import Administrator
from tests.service.inspection.records import signed
from tests.service.inspection.test_proven import MOMENT, Other
from tests.service.oversight.test_pack import SEED, forger, packed, rewritten, rows_of, stated

ROOT, ORIGIN = b"\x07" * 32, "log.example.cn/audit"
TIME = 1795312800
"""2026-11-22T02:00:00Z, as witnesses count."""


def counted(note: str, *, size: str = "7", root: str = ROOT.hex(), believing: str) -> object:
    """What one row comes to under a policy."""
    found = {"file": "data/checkpoints.csv", "measure": "count", "where": [["note", "cosigned", believing]]}
    tally = Tally(parse_definition(found), ["size", "root", "note"])
    tally.add([size, root, note])
    return tally.value


@pytest.mark.obligation("AL-06")
def test_a_checkpoint_counts_as_cosigned_for_the_quorums_signatures_under_just_its_size_and_root() -> None:
    log, first, second, other = Signer(ORIGIN), Other("w.example/1"), Other("w.example/2"), Other("w.example/3")
    note = log.note(7, ROOT)
    whole = cosigned_note(note, [first.line(note), second.line(note)])
    both = policy([log.key], [[first.cosigner], [second.cosigner]], 2)
    assert counted(whole, believing=both) == 1
    assert counted(whole, believing=policy([log.key], [[first.cosigner], [other.cosigner]], 1)) == 1, "one of two is enough here"
    assert counted(note, believing=both) == 0
    assert counted(cosigned_note(note, [first.line(note)]), believing=both) == 0, "one of two is no quorum"
    assert counted(cosigned_note(note, [first.line(note), other.line(note)]), believing=both) == 0, "nobody knows the other"
    assert counted(whole, size="8", believing=both) == 0
    assert counted(whole, root="08" * 32, believing=both) == 0
    assert counted(whole, root="no root", believing=both) == 0
    assert counted("", believing=both) == 0
    assert counted(whole, believing=policy([Signer(ORIGIN).key], [[first.cosigner], [second.cosigner]], 2)) == 0
    assert counted(whole, believing=policy([log.key])) == 0, "where nobody was asked, nobody has cosigned"
    with pytest.raises(Malformed):
        counted(whole, believing="log nonsense\n")


@pytest.mark.obligation("AL-06", "SE-01")
async def test_pack_and_evidence_tell_the_same_of_what_witnesses_signed_and_nothing_of_what_a_row_says(
    running: Parts, database_url: str, tmp_path: Path
) -> None:
    await a_member(running)
    keys, administrator = await signed(running), Administrator(database_url)
    administrator.run("UPDATE audit_checkpoint SET witnessed_at = signed_at")
    built = await packed(running, tmp_path / "one.zip")
    assert built.values["checkpoints_cosigned"] == 0 < built.values["checkpoints"]
    witness = Other("w.example/1")
    running.units.trust = Trust(running.vault.origin, lambda: keys, parties=[[witness.cosigner]], quorum=1)
    built = await packed(running, tmp_path / "two.zip")
    assert built.values["checkpoints_cosigned"] == 0, "witnesses are named, and have signed nothing"
    size, note = administrator.run("SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")[0]
    whole = cosigned_note(note, [witness.line(note, TIME)])
    administrator.run(
        "UPDATE audit_checkpoint SET note = ?, witnessed_at = ? WHERE size = ?",
        given=(whole, "2026-11-23T00:00:00.000000Z", size),
    )
    path = tmp_path / "three.zip"
    built = await packed(running, path)
    assert stated(path)["checkpoints_cosigned"] == built.values["checkpoints_cosigned"] == 1
    assert verify_pack(path, parse_key(built.vkeys[0])).problems == ()
    shown = await running.operations.control_evidence(a_call("compliance_officer"), law=Law.PIPL51)
    (one,) = [one for measure in shown for one in measure.artefacts if one.code == "COSIGNED"]
    assert (one.standing, one.value) == (Standing.PRESENT, MOMENT), "when the witness signed, not when the row says"


@pytest.mark.obligation("AL-06")
async def test_who_signs_packs_cannot_state_cosignatures_that_nobody_gave(running: Parts, tmp_path: Path) -> None:
    await a_member(running)
    keys = await signed(running)
    running.units.trust = Trust(running.vault.origin, lambda: keys, parties=[[Other("w.example/1").cosigner]], quorum=1)
    path = tmp_path / "pack.zip"
    await packed(running, path)
    rows = rows_of(path, "data/checkpoints.csv")
    assert rows and "witnessed_at" not in rows[0]
    with zipfile.ZipFile(path) as archive:
        figures = archive.read("figures.json").decode()
    at = figures.index('"key": "checkpoints_cosigned"')
    forged = figures[:at] + figures[at:].replace('"value": 0', f'"value": {len(rows)}', 1)
    rewritten(path, {"figures.json": forged.encode()}, key=SEED)
    assert verify_pack(path, forger(SEED)).problems == (Problem("FIGURE", "checkpoints_cosigned", len(rows), 0),)
