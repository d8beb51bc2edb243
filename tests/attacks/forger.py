"""What somebody can make who has keys: another past, whole in itself, signed by the log's own key."""

import os
from hashlib import sha256
from pathlib import Path

from menshen_verifier import merkle, tiles
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Kind
from service import app
from service.audit.appending import Appender
from service.audit.entry import opened
from service.audit.head import Authority
from service.audit.remembered import RememberedHead
from service.audit.tree import Tree
from service.checkpoints import keys
from service.checkpoints.notes import note_of
from service.db.engine import connect
from tests.attacks.house import ORIGIN, House, config_of

WIPED = ("audit_entry", "audit_subject", "audit_tile", "audit_checkpoint", "audit_position", "audit_head")


def another_past(house: House, at: int) -> list[bytes]:
    """The log's entries, of which one says that somebody else was the reader."""
    raws = [raw for (raw,) in house.sql("SELECT entry FROM audit_entry ORDER BY idx")]
    told = raws[at].replace(b'"order_fulfilment"', b'"customer_service"')
    assert told != raws[at]
    return [*raws[:at], told, *raws[at + 1 :]]


async def signed(house: House, size: int, root: bytes) -> str:
    """A checkpoint under the stolen key."""
    key = keys.load(house.log_key, ORIGIN, Kind.ED25519, setting="test")
    checkpoint = Checkpoint(ORIGIN, size, root)
    return note_of(checkpoint, [await key.line(checkpoint, 0)])


def root_of(raws: list[bytes]) -> bytes:
    """The root of entries."""
    return Tree().grown([sha256(b"\0" + raw).digest() for raw in raws])[0].root


async def export_of(house: House, raws: list[bytes], folder: Path) -> Path:
    """A whole export of another past, under a checkpoint of the stolen key."""
    tree, full = Tree().grown([sha256(b"\0" + raw).digest() for raw in raws])
    for one in full:
        put(folder / tiles.tile_path(one.level, one.n), one.hashes)
    for level, edge in enumerate(tree.edge):
        if edge:
            put(folder / tiles.tile_path(level, tree.size >> 8 * (level + 1), len(edge)), b"".join(edge))
    for first in range(0, len(raws), merkle.TILE_WIDTH):
        some = raws[first : first + merkle.TILE_WIDTH]
        put(folder / tiles.bundle_path(first // merkle.TILE_WIDTH, len(some)), tiles.bundle(some))
    put(folder / "checkpoint", (await signed(house, tree.size, tree.root)).encode())
    return folder


async def rewrite(house: House, raws: list[bytes]) -> None:
    """With the key of the head, too: the database as if these had always been its entries."""
    config = config_of(house)
    catalogue = app.catalogue_of(config)
    database = connect(house.url, pool_size=2)
    await database.start()
    try:
        vault = await app.open_vault(config, catalogue, database, clock=app.now, chance=os.urandom)
        for table in WIPED:
            house.sql(f"DELETE FROM {table}")
        authority = Authority(ORIGIN, lambda message: vault.mac("head", message))
        appender = Appender(database=database, authority=authority, remembered=RememberedHead(house.folder / "forgers-head"))
        await appender.open()
        await appender.append([opened(raw) for raw in raws], ())
        await appender.close()
    finally:
        await database.close()


def put(path: Path, content: bytes) -> None:
    """A file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
