"""Many entries under one root: the paths that a stranger recomputes, from as few tiles as there are above them; of altered ones nothing."""

from hashlib import sha256

import pytest

from menshen_verifier import merkle
from service.audit.climbing import Climb, Remembered
from service.audit.tree import Tree
from tests.vectors.test_merkle import climbed_as_rfc_9162_says

SIZE = 65_536 + 3 * 256 + 37
"""A full tile of the second level, some of the first beside it, and an edge."""

Tiles = dict[tuple[int, int], bytes]


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return [sha256(b"%d" % number).digest() for number in range(SIZE)]


@pytest.fixture(scope="module")
def grown(leaves: list[bytes]) -> tuple[Tree, Tiles]:
    tree, tiles = Tree().grown(leaves)
    return tree, {(tile.level, tile.n): tile.hashes for tile in tiles}


def climbed(grown: tuple[Tree, Tiles], remembered: Remembered, *indices: int, paths: bool = True) -> Climb:
    """A climb from these, with the tiles that it asks for."""
    found = Climb(grown[0], remembered, paths=paths)
    found.take({asked: grown[1][asked] for asked in found.missing(indices)})
    return found


@pytest.mark.parametrize("paths", [True, False])
@pytest.mark.parametrize("index", [0, 255, 256, 40_000, 65_535, 65_536, 65_536 + 767, SIZE - 37, SIZE - 1])
def test_whatever_the_entry_a_stranger_comes_from_it_to_the_root(
    grown: tuple[Tree, Tiles], leaves: list[bytes], index: int, *, paths: bool
) -> None:
    found = climbed(grown, Remembered(), index, paths=paths)
    path = found.path(index)
    assert path is not None and found.leaf(index) == leaves[index]
    assert climbed_as_rfc_9162_says(index, SIZE, leaves[index], list(path)) == grown[0].root
    assert len(path) == len(merkle.path_spans(index, SIZE))


@pytest.mark.parametrize("index", [-1, SIZE, SIZE + 65_536, 700])
def test_what_is_not_there_or_was_not_asked_for_is_not_proven(grown: tuple[Tree, Tiles], index: int) -> None:
    found = climbed(grown, Remembered(), 40_000, -1, SIZE)
    assert found.leaf(index) is None and found.path(index) is None


def test_only_tiles_that_are_not_remembered_are_asked_for(grown: tuple[Tree, Tiles]) -> None:
    remembered, tree = Remembered(), grown[0]
    assert Climb(tree, remembered, paths=False).missing([5, 6, 300, SIZE - 1]) == [(1, 0), (0, 0), (0, 1)]
    climbed(grown, remembered, 5, 6, 300, SIZE - 1)
    assert Climb(tree, remembered, paths=False).missing([7, 299]) == []
    assert Climb(tree, remembered, paths=False).missing([7, 299, 600, SIZE - 1]) == [(0, 2)]


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize(
    ("altered", "lost"),
    [((0, 1), {300}), ((1, 0), {5, 300, 600})],
    ids=["a tile of leaves", "a tile above them"],
)
@pytest.mark.parametrize("how", ["a hash is another", "it is cut off", "two change places", "it is gone"])
def test_under_an_altered_tile_nothing_is_proven_and_it_is_not_remembered(
    grown: tuple[Tree, Tiles], altered: tuple[int, int], lost: set[int], how: str
) -> None:
    tree, tiles = grown
    true = tiles[altered]
    other = {
        "a hash is another": bytes(32) + true[32:],
        "it is cut off": true[:-32],
        "two change places": true[32:64] + true[:32] + true[64:],
        "it is gone": b"",
    }[how]
    remembered, asked = Remembered(), {5, 300, 600, SIZE - 1}
    found = climbed((tree, {**tiles, altered: other}), remembered, *asked)
    assert {index for index in asked if found.leaf(index) is None} == lost
    assert {index for index in asked if found.path(index) is None} == lost
    assert altered in Climb(tree, remembered, paths=False).missing(asked)
    again = climbed(grown, remembered, *asked)
    assert all(again.path(index) is not None for index in asked)


def test_what_is_remembered_is_only_so_much(grown: tuple[Tree, Tiles]) -> None:
    remembered = Remembered()
    climbed(grown, remembered, *range(0, SIZE, 256), paths=False)
    kept = remembered.tiles._kept
    assert len(kept) == 256 + 3 + 1 <= remembered.tiles._most
    for number in range(2000):
        remembered.tiles.put(b"%d" % number, b"")
    assert len(kept) == remembered.tiles._most == 1024
