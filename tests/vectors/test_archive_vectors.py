"""docs/formats/audit-archive.md in numbers: how a segment comes to its checkpoint, and which addresses tiles have."""

import hashlib
import json
from pathlib import Path

from service.archive.model import SEGMENT, climbed, subtree_path, where

FOUND = json.loads(Path(__file__).with_name("audit-archive.json").read_text("utf-8"))


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it stands there."""
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(leaves[:middle]) + root(leaves[middle:])).digest()


def test_a_segment_comes_to_its_checkpoint_by_the_path_in_its_manifest() -> None:
    size = FOUND["segments"][0]["size"]
    leaves = [hashlib.sha256(b"\x00" + str(number).encode()).digest() for number in range(size)]
    whole_log = root(leaves)
    for segment in FOUND["segments"]:
        first, last = segment["first"], segment["last"] + 1
        assert (first, last - first) == (segment["n"] * SEGMENT, SEGMENT)
        spans = subtree_path(first, last, size)
        assert [root(leaves[start:end]).hex() for start, end in spans] == segment["path"]
        own = root(leaves[first:last])
        assert own.hex() == segment["segment_root"]
        reached = climbed(own, spans, [bytes.fromhex(one) for one in segment["path"]], first)
        assert reached == whole_log == bytes.fromhex(segment["checkpoint_root"])


def test_addresses_are_those_of_the_document_and_no_others() -> None:
    for one in FOUND["addresses"]:
        found = where(*one["address"].split("/", 1))
        assert found is not None
        assert (found.level, found.n, found.width) == (one["level"], one["n"], one["width"])
    assert [one for one in FOUND["not_addresses"] if where(*one.split("/", 1)) is not None] == []
