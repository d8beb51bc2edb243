"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

_TEXT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Moment(TypeDecorator[datetime]):
    """A moment in UTC: timestamptz on PostgreSQL, sortable text on SQLite.

    A naive datetime is refused: whose hour would it be?
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the storage by dialect."""
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        """Write an aware datetime. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC).strftime(_TEXT) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ANN401  (the base class's)
        """Nothing to do on PostgreSQL: the driver gives aware datetimes in UTC."""
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:  # noqa: ARG002  (the base class's)
        """Read an aware datetime in UTC."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.strptime(value, _TEXT).replace(tzinfo=UTC)
        assert isinstance(value, datetime)
        return value.astimezone(UTC)


def key_text(length: int) -> TypeEngine[str]:
    """Text that is compared byte by byte (collation C on PostgreSQL): ids and codes, never prose."""
    return String(length).with_variant(postgresql.VARCHAR(length, collation="C"), "postgresql")
