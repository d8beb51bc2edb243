"""A real PgBouncer in transaction mode, from the system's packages, in front of the tests' PostgreSQL."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, make_url

from tests.plugins import canary
from tests.plugins.postgres import unprivileged

SERVERS = 2
"""Connections to PostgreSQL: fewer than one instance of the service opens to the pooler."""

_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
_START_SECONDS = 20.0
# The shell ends the pooler when its input closes, however this process came to its end. At once: it holds nothing that could be lost.
_GUARD = '"$0" "$1" >"$2" 2>&1 </dev/null & pooler=$!; read -r nothing; kill -KILL $pooler 2>/dev/null; wait $pooler'
_INI = """
[databases]
* = {server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
admin_users = menshen
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 200
query_wait_timeout = 20
server_round_robin = 1
verbose = 1
{statements}
"""


def installed() -> bool:
    """Whether there is a PgBouncer to test with."""
    return _PROGRAM is not None


class Pooler:
    """A running pooler: where it listens, and what it says of itself."""

    def __init__(self, url: URL) -> None:
        self.url = url.render_as_string(hide_password=False)
        self._console = url.set(drivername="postgresql", database="pgbouncer").render_as_string(hide_password=False)

    def count(self, what: str) -> int:
        """How many 'CLIENTS' or 'SERVERS' of this database are connected right now."""
        with self.console() as console:
            rows = console.execute(f"SHOW {what}").fetchall()  # type: ignore[call-overload]
        return len([row for row in rows if make_url(self.url).database in row])

    def console(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """The administrator's console; it knows simple queries only."""
        return psycopg.connect(self._console, autocommit=True, prepare_threshold=None)


@contextmanager
def pooling(url: str) -> Iterator[Pooler]:
    """PgBouncer before the server of this SQLAlchemy URL, ready; ended, and its log searched for canaries, whatever happened."""
    # Not in `tmp_path`: whoever is not root must be able to get there.
    folder = Path(tempfile.mkdtemp(prefix="menshen-pgbouncer-"))
    try:
        pooler = _configured(folder, make_url(url))
        command = ["sh", "-c", _GUARD, _PROGRAM, folder / "ini", folder / "log"]
        guard = subprocess.Popen(command, stdin=subprocess.PIPE, user=unprivileged(folder), cwd=folder, start_new_session=True)
        try:
            _await(pooler, folder / "log")
            yield pooler
        finally:
            guard.communicate(timeout=_START_SECONDS)
            canary.look("PgBouncer's log", (folder / "log").read_bytes())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configured(folder: Path, url: URL) -> Pooler:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # From 1.21 on PgBouncer can carry prepared statements from backend to backend: here it must not, as no older one does.
    statements = "max_prepared_statements = 0" if _version() >= (1, 21) else ""
    settings = _INI.format(server=_server(url), port=port, folder=folder, servers=SERVERS, statements=statements)
    (folder / "ini").write_text(settings)
    (folder / "users").write_text('"menshen" ""\n')
    (folder / "log").touch()
    return Pooler(URL.create("postgresql+psycopg", "menshen", host="127.0.0.1", port=port, database=url.database))


def _server(url: URL) -> str:
    """The connection string of the server itself. Clients are all called `menshen`; the pooler is who the URL says."""
    host = url.host or url.query.get("host")
    parts = {"host": host, "port": url.port or 5432, "user": url.username, "password": url.password}
    return " ".join(f"{name}={value}" for name, value in parts.items() if value)


def _version() -> tuple[int, int]:
    assert _PROGRAM is not None
    said = subprocess.run([_PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    assert found is not None
    return int(found[1]), int(found[2])


def _await(pooler: Pooler, log: Path) -> None:
    limit = time.monotonic() + _START_SECONDS
    while True:
        try:
            pooler.console().close()
        except psycopg.OperationalError:
            if time.monotonic() > limit:
                raise RuntimeError(f"PgBouncer did not start: {log.read_text()}") from None
            time.sleep(0.02)
        else:
            return
