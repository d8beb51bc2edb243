"""Checkpoints, proofs and exports of the record, read as their pages say, with the code that an auditor runs."""

from pathlib import Path

import pytest

from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.note import parse_key
from menshen_verifier.policy import parse_policy
from menshen_verifier.proof import check_proof, parse_proof
from menshen_verifier.verify import verify
from tests.vectors.reading import Case, cases, whole

REFUSED = {"Malformed": Malformed, "Forged": Forged}


@pytest.mark.parametrize("case", cases("audit-checkpoint"))
def test_checkpoints(case: Case) -> None:
    policy = parse_policy(case["policy"].encode())
    if case["expect"] in REFUSED:
        with pytest.raises(REFUSED[case["expect"]]):
            policy.open(case["note"].encode())
        return
    opened = policy.open(case["note"].encode())
    assert (opened.checkpoint.size, opened.checkpoint.root.hex()) == (case["size"], case["root"])
    assert policy.times(opened) == case["times"]
    assert policy.witnessed(opened) is (case["expect"] == "witnessed")


def test_keys() -> None:
    for vkey in whole("audit-checkpoint")["vkeys"]:
        assert parse_key(vkey).vkey == vkey


@pytest.mark.parametrize("case", cases("audit-proof"))
def test_proofs(case: Case) -> None:
    policy, beside = parse_policy(case["policy"].encode()), case.get("beside")
    entry = None if beside is None else beside.encode()
    if case["expect"] in REFUSED:
        with pytest.raises(REFUSED[case["expect"]]):
            check_proof(parse_proof(case["proof"].encode()), policy, entry)
        return
    proven = check_proof(parse_proof(case["proof"].encode()), policy, entry)
    assert (proven.index, proven.entry.decode()) == (case["index"], case["entry"])


@pytest.mark.parametrize("case", cases("audit-export"))
def test_exports(case: Case, tmp_path: Path) -> None:
    made = whole("audit-export")
    for name, text in (made["files"] | case.get("replace", {})).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes.fromhex(text) if name.startswith("tile/") else text.encode())
    since = case["since"].encode() if "since" in case else None
    report = verify(tmp_path, parse_policy(made["policy"].encode()), now=case["now"], since=since, processes=1)
    assert report.verdict == case["expect"]
    assert [[one.verdict, one.part, one.first, one.last] for one in report.findings] == case.get("findings", [])
