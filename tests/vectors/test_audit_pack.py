"""docs/formats/audit-pack.md by its vector: the manifest's bytes and signature, the verifier over it, and each figure by another's hand."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from menshen_verifier.errors import Malformed
from menshen_verifier.figures import Tally, parse_definition
from menshen_verifier.note import Key, Kind, parse_key
from menshen_verifier.pack import LABEL, MANIFEST, parse_manifest, verify_pack
from service.hazmat.signing import public_key, sign
from tests.vectors.reading import whole

FILE = "audit-pack.json"
VECTOR = whole(FILE.removesuffix(".json"))


def test_the_manifest_of_the_vector_is_made_and_signed_again_byte_for_byte():
    seed = bytes.fromhex(VECTOR["seed"])
    text = f"{LABEL}\n{json.dumps(VECTOR['content'], ensure_ascii=False, sort_keys=True, separators=(',', ':'))}\n"
    key = Key("example-retail/audit-pack", Kind.ED25519, public_key(seed))
    assert key.vkey == VECTOR["vkey"]
    assert f"{text}\n{key.line(sign(seed, text.encode()))}\n" == VECTOR["manifest"]
    assert parse_manifest(text).content == VECTOR["content"]


def test_the_vector_verifies_as_a_pack(tmp_path: Path):
    path = tmp_path / "pack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**VECTOR["files"], MANIFEST: VECTOR["manifest"]}.items():
            archive.writestr(name, text)
    report = verify_pack(path, parse_key(VECTOR["vkey"]))
    assert (report.problems, report.figures) == ((), 3)


def test_the_figures_of_the_vector_are_what_a_reader_counts():
    rows = list(csv.DictReader(io.StringIO(VECTOR["files"]["data/tasks.csv"])))
    stated = {one["key"]: one["value"] for one in json.loads(VECTOR["files"]["figures.json"])["figures"]}
    assert stated["tasks"] == {state: sum(row["state"] == state for row in rows) for state in ("DONE", "OPEN")}
    assert (stated["open"], stated["slowest"]) == (2, 90)


@pytest.mark.parametrize(
    "definition",
    [
        None,
        {},
        {"file": "a.csv"},
        {"file": "a.csv", "measure": "mean"},
        {"file": "a.csv", "measure": "sum"},
        {"file": "a.csv", "measure": "longest", "column": "a"},
        {"file": "a.csv", "measure": "count", "by": "a"},
        {"file": "a.csv", "measure": "count", "where": [["a", "like", ["b"]]]},
        {"file": "a.csv", "measure": "count", "where": [["a", "is", "b"]]},
        {"file": "a.csv", "measure": "count", "more": 1},
    ],
)
def test_what_is_no_definition_is_refused(definition: object):
    with pytest.raises(Malformed):
        parse_definition(definition)


@pytest.mark.parametrize(("measure", "cells"), [("sum", ["-1"]), ("sum", ["1.5"]), ("sum", ["９"]), ("sum", ["1" * 40])])
def test_a_cell_that_is_no_number_is_refused(measure: str, cells: list[str]):
    tally = Tally(parse_definition({"file": "a.csv", "measure": measure, "column": "a"}), ["a"])
    with pytest.raises(Malformed):
        tally.add(cells)
