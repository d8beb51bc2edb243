"""How the log's two large tables are divided on PostgreSQL, and how what was archived may leave them.

A partition holds 16 segments. The service has new ones made ahead, through a function that makes partitions of fixed names and nothing
else; what finds none goes into the default partition, so no append ever fails for want of one. An old table that is full of rows becomes
the first partition as it is: nothing is copied, and the constraint that saves attaching it a scan is validated while appends go on.

Rows leave through one function, which only the archivist's role may call, and only where `audit_segment` says that they were archived and
pruned. The same rule stands as a trigger on every row, for whoever owns the tables and makes a mistake.
"""

from alembic import op
from sqlalchemy import text

SEGMENT = 65_536
PARTITION = 16 * SEGMENT
TABLES = {"audit_entry": ("idx", ("entry_id", "ts")), "audit_subject": ("sub, idx", ("idx",))}
_FULL = 200_000
"""From so many entries on, the scan for the constraint is worth a transaction of its own."""

_PRUNED = "EXISTS (SELECT 1 FROM audit_segment WHERE n = OLD.idx / 65536 AND pruned_at IS NOT NULL)"


def let_pruned_go_on_sqlite() -> None:
    """Rows of segments that were archived and pruned may be deleted, and no others."""
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT {_PRUNED} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def divide() -> None:
    """The two tables become partitioned ones, each with its old self as the first partition, a default one, and one ahead."""
    bind = op.get_bind()
    last = bind.scalar(text("SELECT max(idx) FROM audit_entry")) or 0
    # What is appended meanwhile still has its place.
    end = (last // PARTITION + 2) * PARTITION if last >= _FULL else PARTITION
    if last >= _FULL:
        _prove_the_bounds(end)
    op.execute(_ROW_RULE)
    for table, (key, indexes) in TABLES.items():
        _divide(table, key, indexes, end)
    schema = bind.scalar(text("SELECT quote_ident(current_schema())"))
    for function, name in ((_AHEAD, "audit_partitions_ahead()"), (_PRUNE, "audit_prune(bigint, bigint)")):
        op.execute(function.replace("$SCHEMA", schema))
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute("SELECT audit_partitions_ahead()")
    op.execute(_TAKE)


def index_subjects() -> None:
    """Subjects' rows are read by place, too: whoever follows the log holds each page's to its entries.

    On PostgreSQL an old, long table gets its index while appends go on. Running it again does no harm.
    """
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_audit_subject_idx", "audit_subject", ["idx"])
        return
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_audit_subject_idx")
        op.execute("CREATE INDEX CONCURRENTLY ix_audit_subject_idx ON audit_subject (idx)")
    op.execute("SET LOCAL lock_timeout = '4s'")


def _prove_the_bounds(end: int) -> None:
    """Validated in a transaction of its own, under a lock that lets reads and appends pass. Running it again does no harm."""
    with op.get_context().autocommit_block():
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_bounds")
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_bounds CHECK (idx < {end}) NOT VALID")
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_bounds")
    op.execute("SET LOCAL lock_timeout = '4s'")


def _divide(table: str, key: str, indexes: tuple[str, ...], end: int) -> None:
    first = f"{table}_p0"
    op.execute(f"ALTER TABLE {table} RENAME TO {first}")
    op.execute(f"ALTER INDEX pk_{table} RENAME TO pk_{first}")
    for column in indexes:
        op.execute(f"ALTER INDEX ix_{table}_{column} RENAME TO ix_{first}_{column}")
    op.execute(f"CREATE TABLE {table} (LIKE {first}) PARTITION BY RANGE (idx)")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({key})")
    for column in indexes:
        op.execute(f"CREATE INDEX ix_{table}_{column} ON {table} ({column})")
    op.execute(f"DROP TRIGGER {table}_append_only ON {first}")
    op.execute(f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ({end})")
    op.execute(f"ALTER TABLE {first} DROP CONSTRAINT IF EXISTS {table}_bounds")
    op.execute(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")
    for name in (table, first, f"{table}_rest"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
        )
    op.execute(f"CREATE TRIGGER {table}_pruned_only BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_pruned_only()")
    op.execute(_SAME_GRANTS.format(table=table, first=first))


_ROW_RULE = f"""
CREATE FUNCTION audit_pruned_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT {_PRUNED} THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$"""

# Whoever could use the table can use the one that has taken its name.
_SAME_GRANTS = """
DO $$
DECLARE g record;
BEGIN
    FOR g IN SELECT a.privilege_type AS verb, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS who
             FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = '{first}'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON {table} TO %s', g.verb, g.who);
    END LOOP;
END $$"""

_BOUND = "(regexp_match(pg_get_expr(c.relpartbound, c.oid), '{side} \\(''?(\\d+)''?\\)'))[1]::bigint"

_AHEAD = f"""
CREATE FUNCTION audit_partitions_ahead() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = $SCHEMA, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    wanted bigint; start bigint; made integer := 0; owner text; part text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7136019000000002) THEN
        RETURN 0;
    END IF;
    SELECT coalesce(max(h.size), 0) + {PARTITION} INTO wanted FROM audit_head h;
    SELECT max({_BOUND.format(side="TO")}) INTO start
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_entry'::regclass;
    start := coalesce(start, 0);
    -- What has gone into the default partition stays there; the next partition begins behind it.
    SELECT greatest(start, (coalesce(max(idx), -1) / {PARTITION} + 1) * {PARTITION}) INTO start FROM audit_entry_rest WHERE idx >= start;
    WHILE start <= wanted LOOP
        FOREACH owner IN ARRAY ARRAY['audit_entry', 'audit_subject'] LOOP
            part := owner || '_p' || start / {PARTITION};
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, owner);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', owner, part, start, start + {PARTITION});
            EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                owner || '_append_only', part, owner || '_append_only');
        END LOOP;
        start := start + {PARTITION};
        made := made + 1;
    END LOOP;
    RETURN made;
END $$"""  # noqa: S608  (nothing in it comes from outside)

# What an append must know, under the head's lock, in one round trip: the lock is what instances wait for. Each statement of a volatile
# function sees what was committed before it began, so the leaves are those of the head that was waited for. It runs as whoever calls it.
_TAKE = """
CREATE FUNCTION audit_take(of_log text, known bigint, most bigint, asked text[],
    OUT size bigint, OUT frontier bytea, OUT root bytea, OUT mac bytea, OUT leaves bytea, OUT ids text[], OUT places bigint[])
RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true), set_config('lock_timeout', '1500ms', true),
        set_config('idle_in_transaction_session_timeout', '5s', true);
    SELECT h.size, h.frontier, h.root, h.mac INTO size, frontier, root, mac FROM audit_head h WHERE h.log_id = of_log FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF size - known <= most THEN
        SELECT coalesce(string_agg(e.leaf, '' ORDER BY e.idx), '') INTO leaves
            FROM audit_entry e WHERE e.idx >= known AND e.idx < audit_take.size;
    END IF;
    IF cardinality(asked) > 0 THEN
        SELECT array_agg(e.entry_id), array_agg(e.idx) INTO ids, places FROM audit_entry e WHERE e.entry_id = ANY(asked);
    END IF;
    RETURN NEXT;
END $$"""

_PRUNE = f"""
CREATE FUNCTION audit_prune(first_segment bigint, last_segment bigint) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = $SCHEMA, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    p record; dropped integer := 0;
BEGIN
    IF EXISTS (SELECT 1 FROM generate_series(first_segment, last_segment) AS s
               WHERE NOT EXISTS (SELECT 1 FROM audit_segment g WHERE g.n = s AND g.pruned_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'audit_entry is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    FOR p IN SELECT * FROM (
            SELECT substr(c.relname, length('audit_entry') + 1) AS suffix, coalesce({_BOUND.format(side="FROM")}, 0) AS low,
                {_BOUND.format(side="TO")} AS high
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_entry'::regclass) AS all_parts
        WHERE high IS NOT NULL AND low < (last_segment + 1) * {SEGMENT} AND high > first_segment * {SEGMENT}
    LOOP
        IF (SELECT count(*) FROM audit_segment WHERE n >= p.low / {SEGMENT} AND n < p.high / {SEGMENT} AND pruned_at IS NOT NULL)
            = (p.high - p.low) / {SEGMENT} THEN
            EXECUTE format('DROP TABLE %I', 'audit_subject' || p.suffix);
            EXECUTE format('DROP TABLE %I', 'audit_entry' || p.suffix);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    DELETE FROM audit_subject WHERE idx >= first_segment * {SEGMENT} AND idx < (last_segment + 1) * {SEGMENT};
    DELETE FROM audit_entry WHERE idx >= first_segment * {SEGMENT} AND idx < (last_segment + 1) * {SEGMENT};
    RETURN dropped;
END $$"""  # noqa: S608  (nothing in it comes from outside)
