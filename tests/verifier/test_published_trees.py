"""Trees and proofs that others published."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

from menshen_verifier import merkle
from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.consistency import check_consistency, consistency_spans
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.inclusion import check_inclusion
from menshen_verifier.note import parse_key
from menshen_verifier.tiles import parse_bundle, tile_path
from tests.verifier.published import folder, raw, shared


def probes(kind: str) -> list[Path]:
    found = sorted((folder("transparency-dev-merkle") / "testdata" / kind).rglob("*.json"))
    assert len(found) == 98
    return found


def test_inclusion_proofs_are_taken_or_refused_as_published() -> None:
    taken = 0
    for path in probes("inclusion"):
        case = json.loads(path.read_text())
        leaf, root = b64decode(case["leafHash"] or ""), b64decode(case["root"] or "")
        try:
            check_inclusion(case["leafIdx"], case["treeSize"], leaf=leaf, path=raw(case["proof"]), root=root)
        except (Malformed, Forged):
            # Stricter than there in one thing: a leaf or a root that is no hash is refused.
            assert case["wantErr"] or len(leaf) != 32 or len(root) != 32, path
        else:
            assert not case["wantErr"], path
            taken += 1
    assert taken >= 5


def test_consistency_proofs_are_taken_or_refused_as_published() -> None:
    taken = 0
    for path in probes("consistency"):
        case = json.loads(path.read_text())
        roots = b64decode(case["root1"] or ""), b64decode(case["root2"] or "")
        try:
            if case["size1"] == 0:
                raise Malformed("the caller's matter: there is nothing to prove from nothing")
            check_consistency(case["size1"], roots[0], case["size2"], roots[1], raw(case["proof"]))
        except (Malformed, Forged):
            assert case["wantErr"] or {len(one) for one in roots} != {32}, path
        else:
            assert not case["wantErr"], path
            taken += 1
    assert taken >= 5


def test_proofs_of_the_thousand_entry_log_verify_and_any_other_root_or_length_is_refused() -> None:
    made = shared("self-made/fx.json")
    leaves = merkle.leaf_hashes([b64decode(entry) for entry in made["entries"]])
    roots = {
        size: root_of(leaves[:size])
        for size in {0, *(one["n"] for one in made["inc"] + made["con"]), *(one["m"] for one in made["con"])}
    }
    for one in made["inc"]:
        path = raw(one["p"])
        check_inclusion(one["i"], one["n"], leaf=leaves[one["i"]], path=path, root=roots[one["n"]])
        with pytest.raises(Forged):
            check_inclusion(one["i"], one["n"], leaf=bytes(32), path=path, root=roots[one["n"]])
        with pytest.raises(Malformed):
            check_inclusion(one["i"], one["n"], leaf=leaves[one["i"]], path=[*path, bytes(32)], root=roots[one["n"]])
    for one in made["con"]:
        check_consistency(one["m"], roots[one["m"]], one["n"], roots[one["n"]], raw(one["p"]))
        with pytest.raises(Malformed):
            check_consistency(one["m"], roots[one["m"]], one["n"], roots[one["n"]], [*raw(one["p"]), bytes(32)])
        with pytest.raises(Forged):
            check_consistency(one["m"], bytes(32), one["n"], roots[one["n"]], raw(one["p"]))


def root_of(leaves: list[bytes]) -> bytes:
    return merkle.root(merkle.extend(0, (), leaves).frontier)


def test_all_proofs_of_all_trees_up_to_130_leaves_are_those_of_the_draft() -> None:
    """The values are over subtrees; those that begin at 0 are RFC 9162's, and of our code. The others are made as the draft says."""
    published = shared("mtc-subtree-accumulated.json")
    leaves = merkle.leaf_hashes([bytes([n]) for n in range(130)])
    known: dict[tuple[int, int], bytes] = {}

    def span(first: int, last: int) -> bytes:
        if (first, last) not in known:
            known[first, last] = root_of(leaves[first:last])
        return known[first, last]

    hashes, inclusion = sha256(), sha256()
    for end in range(131):
        for start in range(end + 1):
            width = end - start
            if start % (1 << max(0, width - 1).bit_length() if width else 1):
                continue
            hashes.update(f"[{start}, {end}) {span(start, end).hex()}\n".encode())
            for index in range(start, end):
                path = [span(start + first, start + last) for first, last in merkle.path_spans(index - start, width)]
                check_inclusion(index - start, width, leaf=leaves[index], path=path, root=span(start, end))
                inclusion.update(" ".join([f"{index} [{start}, {end})", *(one.hex() for one in path)]).encode() + b"\n")
    assert hashes.hexdigest() == published["subtree_hash"]["sha256"]
    assert inclusion.hexdigest() == published["subtree_inclusion"]["sha256"]


def test_every_pair_of_sizes_up_to_130_has_a_consistency_proof_that_verifies() -> None:
    leaves = merkle.leaf_hashes([bytes([n]) for n in range(130)])
    roots = [root_of(leaves[:size]) for size in range(131)]
    for new in range(1, 131, 3):
        for old in range(1, new + 1):
            path = [root_of(leaves[first:last]) for first, last in consistency_spans(old, new)]
            check_consistency(old, roots[old], new, roots[new], path)
            if path:
                with pytest.raises(Forged):
                    check_consistency(old, roots[old], new, roots[new], [*path[:-1], bytes(32)])


def test_a_log_of_tessera_has_the_roots_that_it_signed_and_every_pair_of_them_is_consistent() -> None:
    root = folder("tessera-testlog")
    log = root / "testdata/log"
    key = parse_key((root / "vkey").read_text().strip())
    heads = {size: open_checkpoint((log / f"checkpoint.{size}").read_bytes(), [key]).checkpoint for size in range(16)}
    leaves: list[bytes] = []
    for size in range(1, 16):
        leaves = merkle.leaf_hashes(parse_bundle((log / f"tile/entries/000.p/{size}").read_bytes()))
        assert (log / tile_path(0, 0, size)).read_bytes() == b"".join(leaves)
        assert heads[size].root == root_of(leaves)
    assert heads[0].root == merkle.EMPTY_ROOT
    pairs = [(old, new) for new in range(16) for old in range(new + 1)]
    for old, new in pairs:
        path = [root_of(leaves[first:last]) for first, last in consistency_spans(old, new)]
        check_consistency(old, heads[old].root, new, heads[new].root, path)


def test_the_tiles_of_a_mirror_come_to_the_root_that_it_cosigned() -> None:
    root = next((folder("sunlight-witness") / "cmd/skylight/testdata/witness/mirror").glob("[0-9a-f]*/checkpoint")).parent
    rows = [(root / tile_path(0, 0)).read_bytes(), (root / tile_path(0, 1, 44)).read_bytes()]
    leaves = [row[at : at + 32] for row in rows for at in range(0, len(row), 32)]
    size, written = (root / "checkpoint").read_text().split("\n")[1:3]
    assert (len(leaves), b64decode(written)) == (int(size), root_of(leaves))
    assert merkle.tile_root(leaves[:256]) == (root / tile_path(1, 0, 1)).read_bytes()
