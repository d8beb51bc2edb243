"""The vault's SQL: the keyring, and the end of a member's secret."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import keyring, member_secret
from service.values import MemberId

_COLUMNS = ("key_id", "use", "generation", "state", "wrapped", "kms_uri", "created_at")

_KEYS = Prepared(
    select(keyring.c.key_id, keyring.c.use, keyring.c.generation, keyring.c.state, keyring.c.wrapped, keyring.c.kms_uri).order_by(
        keyring.c.use, keyring.c.generation
    )
)
_ADD_KEY = Prepared(insert(keyring).values({name: bindparam(name) for name in _COLUMNS}))
_OF_MEMBER = member_secret.c.member_id == bindparam("of_member")
_OVERWRITE = Prepared(update(member_secret).where(_OF_MEMBER).values(wrapped=bindparam("nothing")))
_DELETE = Prepared(delete(member_secret).where(_OF_MEMBER))


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A row of the keyring: the key is wrapped, so this may be seen."""

    key_id: str
    use: str
    generation: int
    state: str
    wrapped: bytes
    kms_uri: str


async def keys(session: Session) -> list[KeyRow]:
    """The whole keyring, by use and generation."""
    return [KeyRow(*row) for row in await session.rows(_KEYS)]


async def add_key(session: Session, row: KeyRow, *, now: datetime) -> None:
    """A new key. Raises Duplicate when there is one of this use and generation already."""
    await session.run(
        _ADD_KEY,
        {
            "key_id": row.key_id,
            "use": row.use,
            "generation": row.generation,
            "state": row.state,
            "wrapped": row.wrapped,
            "kms_uri": row.kms_uri,
            "created_at": now,
        },
    )


async def destroy_secrets(session: Session, member_id: MemberId, *, nothing: bytes) -> int:
    """Overwrite, then delete every generation of a member's secret; how many there were.

    Both, because neither is enough: a deleted row's bytes stay in the page, and an overwritten row shows that there was
    one.
    """
    await session.run(_OVERWRITE, {"of_member": member_id, "nothing": nothing})
    return await session.run(_DELETE, {"of_member": member_id})
