"""What `menshen migrate --role` grants on PostgreSQL: enough to serve, and nothing that rewrites a ledger."""

import psycopg

from service.db import migrate
from service.db.postgres import conninfo
from service.db.tables import APPEND_ONLY


def test_the_service_role_can_neither_change_a_ledger_nor_take_the_head_away(postgresql_url):
    with psycopg.connect(conninfo(postgresql_url), autocommit=True) as connection:
        connection.execute("CREATE ROLE menshen_served")
        try:
            migrate.upgrade(postgresql_url, service_role="menshen_served")

            def may(table, verb):
                asked = "SELECT has_table_privilege('menshen_served', %s, %s)"
                return connection.execute(asked, (table, verb)).fetchone()[0]

            assert all(may(table, "INSERT") and not may(table, "UPDATE") and not may(table, "DELETE") for table in APPEND_ONLY)
            assert may("audit_head", "UPDATE") and not may("audit_head", "DELETE")
            assert may("member", "UPDATE") and may("audit_pending", "DELETE")
        finally:
            connection.execute("DROP OWNED BY menshen_served")
            connection.execute("DROP ROLE menshen_served")


def test_only_the_archivists_role_may_prune_and_even_it_deletes_no_row_itself(postgresql_url):
    with psycopg.connect(conninfo(postgresql_url), autocommit=True) as connection:
        for role in ("menshen_serves", "menshen_archives"):
            connection.execute(f"CREATE ROLE {role}")
        try:
            migrate.upgrade(postgresql_url, service_role="menshen_serves", archivist_role="menshen_archives")

            def may(role, verb, table="audit_entry"):
                return connection.execute("SELECT has_table_privilege(%s, %s, %s)", (role, table, verb)).fetchone()[0]

            def calls(role, function):
                return connection.execute("SELECT has_function_privilege(%s, %s, 'EXECUTE')", (role, function)).fetchone()[0]

            assert not may("menshen_archives", "DELETE") and may("menshen_archives", "INSERT")
            assert may("menshen_archives", "UPDATE", "audit_segment")
            assert not may("menshen_serves", "UPDATE", "audit_segment") and not may("menshen_serves", "INSERT", "audit_segment")
            assert calls("menshen_archives", "audit_prune(bigint, bigint)")
            assert not calls("menshen_serves", "audit_prune(bigint, bigint)")
            assert calls("menshen_serves", "audit_partitions_ahead()")
        finally:
            for role in ("menshen_serves", "menshen_archives"):
                connection.execute(f"DROP OWNED BY {role}")
                connection.execute(f"DROP ROLE {role}")
