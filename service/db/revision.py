"""How far a database is, and how far it should be: every start asks, so it is found out without the tool that migrates."""

from functools import cache
from pathlib import Path

from sqlalchemy import create_engine, inspect, pool, text
from sqlalchemy.exc import OperationalError

import migrations
from service.errors import StoreUnavailable


@cache
def newest() -> str:
    """The revision that this release needs. They go one after another, each in a file whose name begins with its number."""
    return max(path.name.split("_")[0] for path in (Path(migrations.__file__).parent / "versions").glob("[0-9]*.py"))


def current(url: str) -> str | None:
    """The revision that the database has, None for an empty one. Raises StoreUnavailable."""
    engine = create_engine(url, poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found
    except OperationalError as problem:
        raise StoreUnavailable(type(problem.orig).__name__) from None
    finally:
        engine.dispose()
