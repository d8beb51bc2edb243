"""`menshen audit genesis` on a deployment that lost its tail, and the service under the next name."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result

from menshen_verifier.findings import Report
from menshen_verifier.policy import parse_policy
from menshen_verifier.verify import verify
from service.app import parts
from service.checkpoints.store import newest
from service.config import Config
from service.db.engine import connect
from service.disclosure.model import Profile
from tests.service.archive import losing
from tests.service.archive.logs import Published
from tests.service.archive.losing import Lost

OLD, NEW = "example-retail/audit", "example-retail/audit/2"
REASON = "主库与副本均已损毁，仅有周一的备份"


@dataclass(frozen=True)
class Shop:
    """A lost tail that nobody can give back, and the newest note that somebody kept: `note`, of the state that is gone."""

    lost: Lost
    note: Path
    kept: Path

    @property
    def old(self) -> Config:
        """Under the old name."""
        return self.lost.before

    @property
    def new(self) -> Config:
        """Under the next."""
        return self.old.model_copy(update={"origin": NEW})

    def close(self, *more: str, config: Config | None = None, **options: str) -> Result:
        """The command."""
        said = {"last": str(self.note), "origin": NEW, "reason": REASON, "approver": "wang.compliance", "output": str(self.kept)}
        words = [word for name, value in (said | options).items() for word in (f"--{name}", value)]
        return self.lost.run("genesis", *words, *more, config=config)


def shop(lost: Lost, folder: Path) -> Shop:
    """With the note as a witness, a mail or a sheet of paper has it."""
    note = folder / "last.note"
    note.write_text(asyncio.run(_newest(lost.after)))
    return Shop(lost, note, folder / "kept")


async def _newest(config: Config) -> str:
    database = connect(config.database, pool_size=2)
    await database.start()
    try:
        point = await newest(database.read)
        assert point is not None
        return point.note
    finally:
        await database.close()


def starts(config: Config) -> str:
    """Raises as a start does; the trust that auditors are given, once everything so far is signed."""

    async def once() -> str:
        async with parts(config) as running:
            await Published(running).publish()
            return running.units.trust.policy

    return asyncio.run(once())


def entries(config: Config) -> list[dict[str, Any]]:
    """What the log says."""
    return [json.loads(bytes(row[2])) for row in losing.rows(config)]


def reads(config: Config, member: str) -> object:
    """What a service sees of a member, by the door."""
    from tests.factories import a_call

    async def once() -> object:
        async with parts(config) as running:
            found = await running.operations.member(
                a_call("order_service"), member_id=member, purpose="order_fulfilment", fields=("name",)
            )
            assert isinstance(found, Profile)
            return dict(found.values)

    return asyncio.run(once())


def judged(folder: Path, policy: str) -> Report:
    """As an auditor judges an export."""
    return verify(folder, parse_policy(policy.encode()), now=0)
