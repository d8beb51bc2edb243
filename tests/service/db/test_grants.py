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
