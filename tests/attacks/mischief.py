"""What an administrator can do to a log of their own: each returns what a verification must say of it."""

from collections.abc import Callable
from hashlib import sha256

from menshen_verifier import merkle
from tests.attacks.house import House

Where = tuple[int, int]
"""The entries among which it must be found, both included."""


def change_a_byte(house: House, at: int) -> Where:
    """One letter of the entry; the leaf beside it stays."""
    house.sql("UPDATE audit_entry SET entry = set_byte(entry, 10, get_byte(entry, 10) # 1) WHERE idx = %s", at)
    return at, at


def change_a_word(house: House, at: int) -> Where:
    """Another purpose, in good form, with its leaf and its search column."""
    ((raw,),) = house.sql("SELECT entry FROM audit_entry WHERE idx = %s", at)
    told = raw.replace(b'"order_fulfilment"', b'"customer_service"')
    assert told != raw
    leaf = sha256(b"\0" + told).digest()
    house.sql("UPDATE audit_entry SET entry = %s, leaf = %s, pur = 'customer_service' WHERE idx = %s", told, leaf, at)
    return at, at


def change_a_word_and_every_tile(house: House, at: int) -> Where:
    """The same, with every stored hash above it made to fit: only the head, which has a MAC, is not."""
    change_a_word(house, at)
    leaves = [leaf for (leaf,) in house.sql("SELECT leaf FROM audit_entry ORDER BY idx")]
    for n in range(len(leaves) // merkle.TILE_WIDTH):
        hashes = leaves[n * 256 : n * 256 + 256]
        given = b"".join(hashes), merkle.tile_root(hashes), n
        house.sql("UPDATE audit_tile SET hashes = %s, root = %s WHERE level = 0 AND n = %s", *given)
    return 0, 511


def take_a_row_out(house: House, at: int) -> Where:
    """A gap."""
    house.sql("DELETE FROM audit_entry WHERE idx = %s", at)
    return at, at


def take_a_row_out_and_close_the_gap(house: House, at: int) -> Where:
    """Nothing seems to be missing but at the end."""
    last = house.size
    house.sql("DELETE FROM audit_entry WHERE idx = %s", at)
    move(house, at + 1, -1)
    return at, last


def put_a_row_in(house: House, at: int) -> Where:
    """An entry that was never written, in good form: another's with a new id."""
    move(house, at, 1)
    ((raw,),) = house.sql("SELECT entry FROM audit_entry WHERE idx = %s", at - 1)
    place = raw.index(b'"n":"') + 5
    told = raw[:place] + (b"A" if raw[place : place + 1] != b"A" else b"B") + raw[place + 1 :]
    house.sql(
        "INSERT INTO audit_entry (idx, entry_id, entry, leaf, ts, typ, dec, actor, pur, req) "
        "SELECT idx + 1, entry_id, %s, %s, ts, typ, dec, actor, pur, req FROM audit_entry WHERE idx = %s",
        told,
        sha256(b"\0" + told).digest(),
        at - 1,
    )
    return at, house.size


def exchange_two(house: House, at: int) -> Where:
    """Two neighbours, with everything that stands beside them."""
    house.sql("UPDATE audit_entry SET idx = -1 WHERE idx = %s", at)
    house.sql("UPDATE audit_entry SET idx = %s WHERE idx = %s", at, at + 1)
    house.sql("UPDATE audit_entry SET idx = %s WHERE idx = -1", at + 1)
    return at, at + 1


def move(house: House, first: int, by: int) -> None:
    """Every entry from `first` on, so many places. Two steps, because indices are unique."""
    house.sql("UPDATE audit_entry SET idx = -1000000 - idx WHERE idx >= %s", first)
    house.sql("UPDATE audit_entry SET idx = -1000000 - idx + %s WHERE idx <= -1000000", by)


Mischief = Callable[[House, int], Where]
EDITS: tuple[Mischief, ...] = (
    change_a_byte,
    change_a_word,
    change_a_word_and_every_tile,
    take_a_row_out,
    take_a_row_out_and_close_the_gap,
    put_a_row_in,
    exchange_two,
)
