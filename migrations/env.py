"""Alembic, run with the synchronous drivers: no event loop is needed to change a table."""

from alembic import context
from sqlalchemy import create_engine, pool

from service.db.tables import metadata


def run() -> None:
    """Upgrade the database that the caller put into the config (`sqlalchemy.url`)."""
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=False)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # Both end with the transaction: behind a pooler the session goes on to others, with whatever was left in it.
                # A migration that waits for a lock makes every request wait behind it: better to give up and be run again.
                connection.exec_driver_sql("SET LOCAL lock_timeout = '4s'")
                # Two that migrate at once: the second waits here, then finds nothing left to do.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7136019000000001)")
            context.run_migrations()
    engine.dispose()


run()
