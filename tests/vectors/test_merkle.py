"""The tree against the reference tree of Certificate Transparency, against a log made elsewhere, and against RFC 6962's own words."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier import merkle
from service.audit.tree import Tree, edge_length, levels, on_edge

# Third parties' files are not copied into the repository: they are looked for beside it.
SHARED = Path(__file__).parents[3] / "shared" / "vectors"
HASHES = st.binary(min_size=32, max_size=32)

# Our own vectors, made with the recursive definition of RFC 6962, 2.1, and nothing of the code under test.
LEAVES = ["", "门神", "a", "\x00", "audit", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "七"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "63bb3efd2c190ecb054f3114ea1cd8cd1d1a565471b3bc8dacce1eebb744cf91",
    "5b0f50bed03a47a93487bdc557a48772cc19df0ba7a5138e080acf7f7bb8382f",
    "8956a79e5e8acc60f9a29ace21a60caf2c5f4f90d40f4924a2c725310a8c87fd",
    "74a399d5f4875218e5cc6399e4782003d3e202f5da9f877d053bd2fd172dfe84",
    "8f8e5de965d19470b2f6910aa1bd72ed5e56c11ce70793082b135b0e2d3178c7",
    "9db5daa5338f5c18c970752d2974d9f4aff27ad946f9379c516cfa5a94a9e927",
]


def shared(name: str) -> dict[str, Any]:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the shared vectors are not beside the repository: {name}")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def tree_of(leaves: list[bytes]) -> Tree:
    return Tree().grown(leaves)[0]


def as_the_rfc_says(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word; slow."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + as_the_rfc_says(leaves[:k]) + as_the_rfc_says(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_our_vectors_hold(size: int) -> None:
    leaves = merkle.leaf_hashes([leaf.encode() for leaf in LEAVES[:size]])
    assert merkle.root(merkle.extend(0, (), leaves).frontier).hex() == ROOTS[size]


def test_the_reference_tree_of_certificate_transparency_has_our_nodes_and_roots() -> None:
    published = shared("ct-merkle-reference.json")
    leaves = merkle.leaf_hashes([bytes.fromhex(leaf) for leaf in published["leaf_inputs_hex"]])
    assert [tree_of(leaves[:size]).root.hex() for size in range(9)] == published["root_hashes_hex"]
    nodes = leaves
    for level in published["node_hashes_hex"]:
        assert [node.hex() for node in nodes] == level
        nodes = [merkle.node_hash(*pair) for pair in zip(nodes[::2], nodes[1::2], strict=False)]


def test_a_log_of_a_thousand_entries_made_by_other_code_has_our_roots_at_every_checkpoint() -> None:
    made = shared("self-made/fx.json")
    leaves = merkle.leaf_hashes([b64decode(entry) for entry in made["entries"]])
    for size, note in made["checkpoints"].items():
        assert b64decode(note.split("\n")[2]) == tree_of(leaves[: int(size)]).root


def test_its_published_tiles_are_ours() -> None:
    made = shared("self-made/fx.json")
    _, tiles = Tree().grown(merkle.leaf_hashes([b64decode(entry) for entry in made["entries"]]))
    assert [(tile.level, tile.n) for tile in tiles] == [(0, 0), (0, 1), (0, 2)]
    for tile in tiles:
        assert (SHARED / f"self-made/site/tile/0/{tile.n:03d}").read_bytes() == tile.hashes
    upper = (SHARED / "self-made/site/tile/1/000.p/3").read_bytes()
    assert b"".join(tile.root for tile in tiles) == upper


def test_a_node_is_not_a_leaf() -> None:
    left, right = bytes(32), bytes(range(32))
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@given(st.lists(HASHES, max_size=70))
def test_every_tree_has_the_root_that_the_rfc_defines(leaves: list[bytes]) -> None:
    assert tree_of(leaves).root == as_the_rfc_says(leaves)


@given(st.lists(HASHES, max_size=600), st.lists(st.integers(0, 300), max_size=8))
def test_growing_by_any_batches_is_growing_at_once(leaves: list[bytes], cuts: list[int]) -> None:
    tree, tiles, rest = Tree(), [], leaves
    for cut in [*cuts, len(leaves)]:
        tree, made = tree.grown(rest[:cut])
        tiles += made
        rest = rest[cut:]
    whole, at_once = Tree().grown(leaves)
    assert tree == whole
    assert sorted(tiles) == sorted(at_once)
    assert on_edge(tree.size, tree.edge) == tree


@pytest.mark.parametrize("size", [255, 256, 257, 65_535, 65_536, 65_537, 66_000])
def test_tiles_of_every_level_hold_what_stands_below_them(size: int) -> None:
    leaves = [n.to_bytes(32, "big") for n in range(size)]
    tree, tiles = Tree().grown(leaves)
    level = list(leaves)
    for number in range(levels(size)):
        full = [tile for tile in tiles if tile.level == number]
        assert [tile.hashes for tile in full] == [b"".join(level[n * 256 : n * 256 + 256]) for n in range(len(level) // 256)]
        assert [tile.root for tile in full] == [merkle.tile_root(level[n * 256 : n * 256 + 256]) for n in range(len(full))]
        assert list(tree.edge[number]) == level[len(full) * 256 :]
        assert edge_length(size, number) == len(level) - len(full) * 256
        level = [tile.root for tile in full]


@given(st.integers(0, 2**40))
def test_the_spans_of_a_size_are_whole_subtrees_one_behind_the_other(size: int) -> None:
    spans = merkle.spans(size)
    assert [start for start, _ in spans] == [0, *(end for _, end in spans)][: len(spans)]
    assert sum(end - start for start, end in spans) == size
    assert [end - start for start, end in spans] == sorted({1 << n for n in range(41) if size >> n & 1}, reverse=True)


@given(st.integers(1, 500), st.lists(HASHES, max_size=9))
def test_a_frontier_that_is_not_of_its_size_is_refused(size: int, frontier: list[bytes]) -> None:
    if len(frontier) == size.bit_count():
        frontier = frontier[1:]
    with pytest.raises(ValueError, match="frontier"):
        merkle.extend(size, frontier, [bytes(32)])


@given(st.integers(0, 2**20), st.lists(st.lists(HASHES, max_size=4).map(tuple), max_size=3).map(tuple))
def test_an_edge_that_is_not_of_its_size_is_refused(size: int, edge: tuple[tuple[bytes, ...], ...]) -> None:
    fits = len(edge) >= levels(size) and all(len(row) == edge_length(size, level) for level, row in enumerate(edge))
    if not fits:
        with pytest.raises(ValueError, match="edge"):
            on_edge(size, edge)
    else:
        assert on_edge(size, edge).size == size


def test_a_tile_has_256_hashes_and_no_other_number() -> None:
    for count in (0, 1, 255, 257):
        with pytest.raises(ValueError, match="256"):
            merkle.tile_root([bytes(32)] * count)


def path_as_the_rfc_says(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962, 2.1.1, word for word; slow."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return [*path_as_the_rfc_says(index, leaves[:k]), as_the_rfc_says(leaves[k:])]
    return [*path_as_the_rfc_says(index - k, leaves[k:]), as_the_rfc_says(leaves[:k])]


def climbed_as_rfc_9162_says(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The verification of RFC 9162, 2.1.3.2, step by step: by the bits of the numbers, and with nothing of the code under test."""
    number, last, reached = index, size - 1, leaf
    for other in path:
        assert last, "the path is too long"
        if number & 1 or number == last:
            reached = sha256(b"\x01" + other + reached).digest()
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            reached = sha256(b"\x01" + reached + other).digest()
        number, last = number >> 1, last >> 1
    assert last == 0, "the path is too short"
    return reached


@given(st.lists(HASHES, min_size=1, max_size=70), st.data())
def test_every_leaf_has_the_path_that_the_rfc_defines_and_climbs_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index, size = data.draw(st.integers(0, len(leaves) - 1)), len(leaves)
    path = [as_the_rfc_says(leaves[first:last]) for first, last in merkle.path_spans(index, size)]
    assert path == path_as_the_rfc_says(index, leaves)
    root = as_the_rfc_says(leaves)
    assert merkle.climbed(index, size, leaves[index], path) == climbed_as_rfc_9162_says(index, size, leaves[index], path) == root
    with pytest.raises(ValueError, match="path"):
        merkle.climbed(index, size, leaves[index], [*path, bytes(32)])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (7, 7)])
def test_a_leaf_that_is_not_there_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        merkle.path_spans(index, size)
