"""The record's tables made empty inside a transaction of the tables' owner: for a log that was closed, and for nothing else.

The triggers that keep the log append-only stand against accidents and against whoever is not the owner. Here they are set aside and put
back in the same transaction, so that no other one ever sees the tables without them.
"""

from sqlalchemy import text

from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import metadata

TABLES = tuple(
    sorted(table.name for table in metadata.sorted_tables if table.info["kind"] == "log" or table.name == "audit_anchor")
)
"""What tells of one log: its rows, what was signed of it, what was deposited, what was archived."""

_LISTED = ", ".join(TABLES)
_QUOTED = ", ".join(f"'{name}'" for name in TABLES)

_OWNS = Prepared(
    text(
        "SELECT bool_and(pg_get_userbyid(relowner) = current_user) FROM pg_class "  # noqa: S608  (names of our own)
        f"WHERE oid IN (SELECT CAST(t AS regclass) FROM unnest(ARRAY[{_QUOTED}]) AS t)"
    )
)
_PARTITION = 16 * 65_536

# What was divided begins anew with its first partition (migrations/partitions.py); what is ahead of it, its own function makes.
_EMPTY = Prepared(
    text(f"""
DO $$
DECLARE
    part record; named text;
BEGIN
    FOR part IN SELECT CAST(c.oid AS regclass) AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN (CAST('audit_entry' AS regclass), CAST('audit_subject' AS regclass))
        AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
    LOOP
        EXECUTE format('DROP TABLE %s', part.name);
    END LOOP;
    FOREACH named IN ARRAY ARRAY[{_QUOTED}, 'audit_entry_rest', 'audit_subject_rest'] LOOP
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', named);
    END LOOP;
    TRUNCATE {_LISTED};
    FOREACH named IN ARRAY ARRAY[{_QUOTED}, 'audit_entry_rest', 'audit_subject_rest'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', named);
    END LOOP;
    FOREACH named IN ARRAY ARRAY['audit_entry', 'audit_subject'] LOOP
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', named || '_p0', named);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO ({_PARTITION})', named, named || '_p0');
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            named || '_append_only', named || '_p0', named || '_append_only');
    END LOOP;
END $$""")  # noqa: S608  (nothing in it comes from outside)
)
_HOLD = Prepared(text(f"LOCK TABLE {_LISTED} IN ACCESS EXCLUSIVE MODE"))
_TRIGGERS = Prepared(
    text(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({_QUOTED}) ORDER BY name")  # noqa: S608
)
_DELETES = [Prepared(text(f"DELETE FROM {name}")) for name in TABLES]  # noqa: S608


async def may_empty(session: Session) -> bool:
    """Whether this is the tables' owner. Of SQLite's file everybody is who may write to it."""
    if session.dialect != "postgresql":
        return True
    return bool((await session.rows(_OWNS))[0][0])


async def hold(session: Session) -> None:
    """From here to the end of the transaction nobody else writes into them, and what was being written is there: an instance that runs all
    the same must not lose between a look and the emptying what it has told somebody.
    """
    if session.dialect == "postgresql":
        await session.run(_HOLD)


async def empty(session: Session) -> None:
    """Make all of them empty, inside the transaction that `session` is."""
    if session.dialect == "postgresql":
        await session.run(_EMPTY)
        return
    triggers = await session.rows(_TRIGGERS)
    for name, _ in triggers:
        await session.run(Prepared(text(f"DROP TRIGGER {name}")))
    for statement in _DELETES:
        await session.run(statement)
    for _, made in triggers:
        await session.run(Prepared(text(str(made).replace(":", r"\:"))))
