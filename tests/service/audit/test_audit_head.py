"""The head, the remembered head and the waiting row: byte for byte as docs/formats/audit-log.md has them, and refused in any other way."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit import pending
from service.audit.entry import opened
from service.audit.head import Authority, Head, Seen, check_seen
from service.audit.remembered import RememberedHead
from service.audit.store import Waiting
from service.audit.tree import Tree
from service.errors import LogBroken, Malformed
from tests.service.audit.logs import AUTHORITY, mac

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "audit-entry.json").read_text("utf-8"))
RAW: bytes = VECTORS["entries"][0]["entry"].encode()
LEAF = "a5144838eded7fffaf0b48b094558ec268c3293a0f6ed657cea39e20c99c1556"
ONE, _ = Tree().grown([bytes.fromhex(LEAF)])
SEEN = Seen(1, ONE.root)

# Made from the document's words with `hmac` alone.
HEAD_MAC = "16f76a1b07473b2a80d6e313c6d8e624bd13ff52f12d79320dd700177200f417"
REMEMBERED = (
    "6d656e7368656e2f72656d656d62657265642d686561642f7631"
    "0000000000000001"
    "a5144838eded7fffaf0b48b094558ec268c3293a0f6ed657cea39e20c99c1556"
    "668d141387dfeae49d78b71d7f978fccb624bc406ed6d92e73a7bd65f2d2a559"
)
PENDING_MAC = "9df00e09781c5cc7e299fb545c24273e798acf0842bab8efab9b65e519847803"


def test_the_head_of_the_document_has_the_mac_of_the_document() -> None:
    head = AUTHORITY.head(ONE)
    assert head == Head(1, bytes.fromhex(LEAF), bytes.fromhex(LEAF), bytes.fromhex(HEAD_MAC))
    AUTHORITY.check(head)
    document = (Path(__file__).parents[3] / "docs" / "formats" / "audit-log.md").read_text("utf-8")
    assert HEAD_MAC in document


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_every_head_that_was_made_is_believed(leaves: list[bytes]) -> None:
    head = AUTHORITY.head(Tree().grown(leaves)[0])
    AUTHORITY.check(head)
    assert head.size == len(leaves)


@pytest.mark.obligation("AL-03")
@given(st.sampled_from(["size", "frontier", "root", "mac"]), st.data())
def test_a_head_with_anything_changed_is_refused(part: str, data: st.DataObject) -> None:
    head = AUTHORITY.head(Tree().grown([bytes([n]) * 32 for n in range(6)])[0])
    true = {name: getattr(head, name) for name in ("size", "frontier", "root", "mac")}
    strategy = st.integers(-(2**63), 2**63 - 1) if part == "size" else st.binary(max_size=100)
    changed = data.draw(strategy.filter(lambda value: value != true[part]))
    with pytest.raises(LogBroken):
        AUTHORITY.check(Head(**{**true, part: changed}))


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("part", ["root", "frontier"])
def test_a_head_under_our_own_key_that_does_not_fold_to_its_root_is_refused(part: str) -> None:
    head = AUTHORITY.head(Tree().grown([bytes([n]) * 32 for n in range(6)])[0])
    root, frontier = (bytes(32), head.frontier) if part == "root" else (head.root, bytes(len(head.frontier)))
    made = AUTHORITY.digest(b"menshen/audit-head/v1", head.size.to_bytes(8, "big") + root + frontier)
    with pytest.raises(LogBroken, match="fold"):
        AUTHORITY.check(Head(head.size, frontier, root, made))


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("shift", [1, 31, 32])
def test_a_head_whose_bytes_were_moved_between_root_and_frontier_is_refused(shift: int) -> None:
    head = AUTHORITY.head(Tree().grown([bytes([n]) * 32 for n in range(6)])[0])
    joined = head.root + head.frontier
    with pytest.raises(LogBroken):
        AUTHORITY.check(Head(head.size, joined[32 + shift :], joined[: 32 + shift], head.mac))


@pytest.mark.obligation("AL-03")
def test_a_head_of_another_log_is_refused() -> None:
    with pytest.raises(LogBroken, match="MAC"):
        Authority("members.example.cn/audi", mac).check(AUTHORITY.head(ONE))


def test_an_authority_does_not_show_its_key() -> None:
    assert repr(AUTHORITY) == "Authority(origin='members.example.cn/audit')"


@pytest.mark.obligation("AL-03")
def test_a_log_may_grow_but_not_shrink_nor_become_another() -> None:
    head = AUTHORITY.head(ONE)
    for fine in (None, SEEN, Seen(0, bytes(32))):
        check_seen(head, fine)
    for wrong in (Seen(2, ONE.root), Seen(1, bytes(32))):
        with pytest.raises(LogBroken, match="rolled back"):
            check_seen(head, wrong)


def test_what_is_remembered_is_written_as_the_document_says(tmp_path: Path) -> None:
    remembered = RememberedHead(tmp_path / "head")
    assert remembered.read(AUTHORITY) is None
    remembered.write(AUTHORITY, SEEN)
    remembered.close()
    assert (tmp_path / "head").read_bytes().hex() == REMEMBERED
    assert (tmp_path / "head").stat().st_mode & 0o777 == 0o600
    assert RememberedHead(tmp_path / "head").read(AUTHORITY) == SEEN


def test_the_two_records_take_turns_also_across_restarts_and_the_larger_counts(tmp_path: Path) -> None:
    path = tmp_path / "head"
    for size in range(1, 6):
        remembered = RememberedHead(path)
        remembered.read(AUTHORITY)
        remembered.write(AUTHORITY, Seen(size, bytes([size]) * 32))
        remembered.close()
        assert RememberedHead(path).read(AUTHORITY) == Seen(size, bytes([size]) * 32)
    content = path.read_bytes()
    assert {content[33], content[512 + 33]} == {4, 5}


def test_a_record_that_the_power_cut_off_leaves_the_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "head"
    remembered = RememberedHead(path)
    for size in (1, 2, 3):
        remembered.write(AUTHORITY, Seen(size, bytes([size]) * 32))
    remembered.close()
    content = bytearray(path.read_bytes())
    content[50:98] = bytes(48)
    path.write_bytes(content)
    assert RememberedHead(path).read(AUTHORITY) == Seen(2, bytes([2]) * 32)


@pytest.mark.obligation("AL-03")
@given(content=st.binary(max_size=700) | st.binary(max_size=700).map((bytes.fromhex(REMEMBERED[:60]) + bytes(5)).__add__))
def test_a_file_that_does_not_hold_is_refused_and_not_forgotten(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "not a head"
    path.write_bytes(content)
    with pytest.raises(LogBroken):
        RememberedHead(path).read(AUTHORITY)


def remembering(sizes: Iterable[int], path: Path) -> bytes:
    """The file's bytes after so many batches."""
    path.unlink(missing_ok=True)
    remembered = RememberedHead(path)
    for size in sizes:
        remembered.write(AUTHORITY, Seen(size, bytes([size]) * 32))
    remembered.close()
    return path.read_bytes()


@pytest.mark.obligation("AL-03")
@given(start=st.integers(0, 620), cut=st.integers(0, 620), put=st.binary(max_size=620), data=st.data())
def test_whatever_is_written_over_a_file_it_tells_a_head_that_was_remembered_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, start: int, cut: int, put: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "a head written over"
    content = remembering((4, 5), path)
    pieces = st.lists(st.sampled_from([content[:98], content[512:], content[:26], bytes(414), bytes(512), put]), max_size=4)
    changed = content[:start] + put + content[start + cut :] if data.draw(st.booleans()) else b"".join(data.draw(pieces))
    path.write_bytes(changed)
    intact = {
        size for size, record in ((4, content[:98]), (5, content[512:])) for at in (0, 512) if changed[at : at + 98] == record
    }
    if intact:
        assert RememberedHead(path).read(AUTHORITY) == Seen(max(intact), bytes([max(intact)]) * 32)
    else:
        with pytest.raises(LogBroken):
            RememberedHead(path).read(AUTHORITY)


def test_a_file_of_another_log_is_refused(tmp_path: Path) -> None:
    remembered = RememberedHead(tmp_path / "head")
    remembered.write(Authority("another.example.cn/audit", mac), SEEN)
    remembered.close()
    with pytest.raises(LogBroken, match="remove it"):
        RememberedHead(tmp_path / "head").read(AUTHORITY)


def test_an_entry_waits_behind_the_mac_of_the_document() -> None:
    row = pending.waiting(opened(RAW), AUTHORITY, writer="w", number=41)
    assert (row.sealed[:32].hex(), row.sealed[32:], row.number) == (PENDING_MAC, RAW, 41)
    assert pending.entry_in(row, AUTHORITY) == opened(RAW)


@given(st.binary(max_size=100))
def test_any_other_waiting_bytes_are_malformed(sealed: bytes) -> None:
    with pytest.raises(Malformed):
        pending.entry_in(Waiting("x", "w", 0, sealed), AUTHORITY)


def test_a_waiting_row_under_another_id_is_malformed() -> None:
    row = pending.waiting(opened(RAW), AUTHORITY, writer="w", number=41)
    with pytest.raises(Malformed, match="id"):
        pending.entry_in(row._replace(entry_id="019aa8f2-0000-7000-8000-0000000000c1"), AUTHORITY)
