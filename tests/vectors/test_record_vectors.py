"""Cursors, the log's own rows and the policy's digest against their vectors.

The vectors were made from the words of docs/formats with `hashlib`, `hmac` and `json` alone. Where that takes a few lines it is done
here once more, so that a vector that was "corrected" together with the code does not pass.
"""

import hashlib
from base64 import urlsafe_b64encode
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from policies.loading import files
from service.audit import pending
from service.audit.entry import opened
from service.audit.head import Authority, Head, Seen
from service.audit.remembered import RememberedHead
from service.audit.store import Waiting
from service.audit.tree import Tree
from service.disclosure import cursor
from service.errors import BadInput, LogBroken, Malformed
from tests.vectors.reading import Case, cases, mac_of, vault_of


def authority(case: Case) -> Authority:
    return Authority(case["origin"], partial(mac_of, case))


def in_the_log(case: Case, label: bytes, body: bytes) -> bytes:
    """The MAC of docs/formats/audit-log.md, from its words."""
    origin = case["origin"].encode()
    return mac_of(case, label + len(origin).to_bytes(2, "big") + origin + body)


def seen_in(case: Case) -> Seen:
    return Seen(case["size"], bytes.fromhex(case["root"]))


@pytest.mark.parametrize("case", cases("cursor"))
def test_a_cursor(case: Case) -> None:
    vault = vault_of(case)
    if case["expect"] == "CURSOR_INVALID":
        with pytest.raises(BadInput) as caught:
            cursor.decode(vault, case["purpose"], case["cursor"])
        assert caught.value.code == "CURSOR_INVALID"
        return
    assert cursor.decode(vault, case["purpose"], case["cursor"]) == case["member"]
    assert cursor.encode(vault, case["purpose"], case["member"]) == case["cursor"]
    member = UUID(case["member"]).bytes
    tag = mac_of(case, b"menshen/cursor/v1\0" + case["purpose"].encode() + b"\0" + member)[:16]
    assert (b"\x01" + tag + member).hex() == case["raw"]
    assert urlsafe_b64encode(b"\x01" + tag + member).decode() == case["cursor"]


@pytest.mark.parametrize("case", cases("audit-log", "heads"))
def test_a_head(case: Case) -> None:
    head = Head(case["size"], *(bytes.fromhex(case[part]) for part in ("frontier", "root", "mac")))
    if case["expect"] == "LogBroken":
        with pytest.raises(LogBroken):
            authority(case).check(head)
        return
    authority(case).check(head)
    tree, _ = Tree().grown([bytes.fromhex(leaf) for leaf in case["leaves"]])
    assert authority(case).head(tree) == head
    body = head.size.to_bytes(8, "big") + head.root + head.frontier
    assert in_the_log(case, b"menshen/audit-head/v1", body) == head.mac


@pytest.mark.parametrize("case", cases("audit-log", "remembered"))
def test_a_remembered_head(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "head"
    path.write_bytes(bytes.fromhex(case["file"]))
    if case["expect"] == "LogBroken":
        with pytest.raises(LogBroken):
            RememberedHead(path).read(authority(case))
        return
    assert RememberedHead(path).read(authority(case)) == seen_in(case)
    body = case["size"].to_bytes(8, "big") + bytes.fromhex(case["root"])
    label = b"menshen/remembered-head/v1"
    assert label + body + in_the_log(case, label, body) in path.read_bytes()
    path.unlink()
    remembered = RememberedHead(path)
    for written in case["written"]:
        remembered.write(authority(case), seen_in(written))
    remembered.close()
    assert not case["written"] or path.read_bytes().hex() == case["file"]


@pytest.mark.parametrize("case", cases("audit-log", "pending"))
def test_a_waiting_row(case: Case) -> None:
    row = Waiting(case["id"], "w", 0, bytes.fromhex(case["sealed"]))
    if case["expect"] == "Malformed":
        with pytest.raises(Malformed):
            pending.entry_in(row, authority(case))
        return
    entry = opened(case["entry"].encode())
    assert pending.entry_in(row, authority(case)) == entry
    assert pending.waiting(entry, authority(case), writer="w", number=0) == row
    assert in_the_log(case, b"menshen/audit-pending/v1", entry.raw) + entry.raw == row.sealed


@pytest.mark.parametrize("case", cases("policy-digest"))
def test_a_policys_digest(case: Case) -> None:
    content = {name: text.encode() for name, text in case["files"].items()}
    assert files.digest(content) == case["digest"]
    message = b"menshen/policy/v1\n"
    for name in sorted(content, key=str.encode):
        message += len(name.encode()).to_bytes(4, "big") + name.encode() + len(content[name]).to_bytes(8, "big") + content[name]
    assert hashlib.sha256(message).hexdigest() == case["digest"]
