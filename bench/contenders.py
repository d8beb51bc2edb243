"""Who is measured: each is started, asked the same two questions in its own dialect, and checked to give the same answers."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import people
from bench.cluster import info
from bench.process import Process, free_port
from bench.seed import Site, unlock
from schema.engine.selection import MEMBER_FIELDS
from service import app
from service.disclosure import cursor
from service.identity.development import open_issuer

ROOT = Path(__file__).parent.parent
PAGE = 100
_HERE = Path(__file__).parent
_START_SECONDS = 60.0

Body = dict[str, object]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a contender wants to be asked for one member and for a page, and where in its answer they are."""

    one: str
    page: str
    root: tuple[str, str]
    identity: str
    variables: Mapping[str, object] = field(default_factory=dict)
    cursor: Callable[[str], str] = str

    def ask_one(self, member_id: str) -> Body:
        """The body that asks for one member."""
        return {"query": self.one, "variables": {**self.variables, "id": member_id}}

    def ask_page(self, after: str) -> Body:
        """The body that asks for the hundred members behind this one."""
        return {"query": self.page, "variables": {**self.variables, "after": self.cursor(after)}}


@dataclass(slots=True, eq=False)
class Contender:
    """A running server. `everybody`: its lists hold those members, too, who have not consented."""

    name: str
    process: Process
    url: str
    dialect: Dialect
    headers: dict[str, str] = field(default_factory=dict)
    everybody: bool = True

    def answer(self, body: Body) -> tuple[Json, int]:
        """The data of an answer, and the length of the whole with its headers. Raises RuntimeError for anything but data."""
        sent = urllib.request.Request(self.url, json.dumps(body).encode(), {"content-type": "application/json", **self.headers})
        with urllib.request.urlopen(sent, timeout=10) as got:
            raw = got.read()
            length = len(raw) + len(str(got.headers).encode()) + len("HTTP/1.1 200 OK\r\n")
        found = json.loads(raw)
        if found.get("errors") or "data" not in found:
            raise RuntimeError(f"{self.name}: {raw[:500]!r}")
        return found["data"], length

    def one(self, member_id: str) -> tuple[Json, int]:
        """One member in the form of `Person.answer`."""
        data, length = self.answer(self.dialect.ask_one(member_id))
        return _plainly(data[self.dialect.root[0]], self.dialect.identity), length

    def page(self, after: str) -> tuple[list[Json], int]:
        """A page in the form of `Person.answer`."""
        data, length = self.answer(self.dialect.ask_page(after))
        return [_plainly(node, self.dialect.identity) for node in data[self.dialect.root[1]]["nodes"]], length

    def wait(self, member_id: str) -> None:
        """Until it answers. Raises RuntimeError when it does not within a minute."""
        limit = time.monotonic() + _START_SECONDS
        while True:
            self.process.check()
            try:
                self.one(member_id)
            except (OSError, urllib.error.URLError):
                if time.monotonic() > limit:
                    raise RuntimeError(f"{self.name} does not answer: {self.process.log.read_text()[-2000:]}") from None
                time.sleep(0.2)
            else:
                return


def menshen(site: Site, logs: Path, name: str = "menshen") -> Contender:
    """(a) Menshen as it is: `menshen serve`."""
    made = _ours(site, logs, name, ["-m", "service", "serve"], withheld=" withheld { field reason }")
    vault = unlock(site)
    made.everybody = False
    made.dialect = replace(made.dialect, cursor=lambda member_id: cursor.encode(vault, people.PURPOSE, member_id))
    return made


def plain(site: Site, logs: Path) -> Contender:
    """(b) the same server, protecting nothing."""
    return _ours(site, logs, "plain", ["-m", "bench.plain"], withheld="")


def postgraphile(site: Site, logs: Path) -> Contender:
    """(c) PostGraphile 5 over the same rows in the clear."""
    port = free_port()
    command = [_node(), _HERE / "postgraphile.mjs", info(site.url), str(port)]
    environment = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    process = Process(command, environment=environment, log=logs / "postgraphile.log", folder=_HERE)
    names = " ".join(map(people.camel, people.FIELDS))
    dialect = Dialect(
        one=f"query One($id: String!) {{ profileByMemberId(memberId: $id) {{ memberId {names} }} }}",
        page=f"query Page($after: Cursor!) {{ allProfiles(first: {PAGE}, after: $after) "
        f"{{ nodes {{ memberId {names} }} pageInfo {{ hasNextPage endCursor }} }} }}",
        root=("profileByMemberId", "allProfiles"),
        identity="memberId",
    )
    made = Contender("postgraphile", process, f"http://127.0.0.1:{port}/graphql", dialect)
    made.dialect = replace(dialect, cursor=_Cursors(made))
    return made


class _Cursors:
    """PostGraphile's cursors: a digest of the order and the key, in JSON, in base64. The digest is taken from one of its own."""

    def __init__(self, contender: Contender) -> None:
        self._contender = contender
        self._order = ""

    def __call__(self, member_id: str) -> str:
        if not self._order:
            data, _ = self._contender.answer({"query": "{ allProfiles(first: 1) { pageInfo { endCursor } } }"})
            self._order = json.loads(b64decode(data["allProfiles"]["pageInfo"]["endCursor"]))[0]
        return b64encode(json.dumps([self._order, member_id], separators=(",", ":")).encode()).decode()


def install_postgraphile() -> str:
    """Have PostGraphile as package-lock.json pins it; its version. Raises RuntimeError when it is not free software."""
    if not (_HERE / "node_modules" / "postgraphile").is_dir():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=_HERE, check=True, capture_output=True)
    manifest = json.loads((_HERE / "node_modules" / "postgraphile" / "package.json").read_text())
    if manifest["license"] != "MIT":
        raise RuntimeError(f"postgraphile is under {manifest['license']}")
    return str(manifest["version"])


def _node() -> str | Path:
    """PostGraphile 5 needs node 22; the machine's may be older, so one comes with it."""
    own = sorted((_HERE / "node_modules").glob("node-linux-*/bin/node"))
    return own[0] if own else shutil.which("node") or "node"


def _ours(site: Site, logs: Path, name: str, command: list[str], *, withheld: str) -> Contender:
    port = free_port()
    environment = {
        "MENSHEN_HOME": str(site.home),
        "MENSHEN_DATABASE_URL": site.config().database,
        "MENSHEN_POLICIES": str(site.policies),
        "MENSHEN_PORT": str(port),
        "MENSHEN_LOG_LEVEL": "warning",
    }
    process = Process([sys.executable, *command], environment=environment, log=logs / f"{name}.log", folder=ROOT)
    return Contender(
        name, process, f"http://127.0.0.1:{port}/graphql", _our_dialect(withheld), {"authorization": f"Bearer {_token(site)}"}
    )


def _our_dialect(withheld: str) -> Dialect:
    asked = "id " + " ".join(_field(key) for key in people.FIELDS) + withheld
    return Dialect(
        one=f"query One($id: ID!, $purpose: PurposeKey!) {{ member(id: $id, purpose: $purpose) {{ {asked} }} }}",
        page=f"query Page($after: String, $purpose: PurposeKey!) {{ members(purpose: $purpose, first: {PAGE}, after: $after) "
        f"{{ nodes {{ {asked} }} pageInfo {{ hasNextPage endCursor }} }} }}",
        root=("member", "members"),
        identity="id",
        variables={"purpose": people.PURPOSE},
    )


def _field(key: str) -> str:
    """A typed field where the schema has one, else `attribute`."""
    name = people.camel(key)
    leaf = "texts" if key == "interests" else "text"
    return name if name in MEMBER_FIELDS else f'{name}: attribute(key: "{key}") {{ {leaf} }}'


def _plainly(node: Json, identity: str) -> Json:
    """Any contender's member in one form. Raises RuntimeError when something was withheld."""
    if node.pop("withheld", None):
        raise RuntimeError("a field was withheld: nothing to compare")
    found = {"id" if key == identity else key: value for key, value in node.items()}
    return {key: next(iter(value.values())) if isinstance(value, dict) else value for key, value in found.items()}


def _token(site: Site) -> str:
    """A real token of the development issuer, in the role that may state the bench's purpose."""
    issuer = open_issuer(site.home, production=False, audience=site.config().audience, chance=os.urandom)
    return issuer.issue(roles=[people.ROLE], now=app.now(), lasts=timedelta(hours=12))
