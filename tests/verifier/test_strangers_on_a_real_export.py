"""The verifiers of others, on what `menshen audit export` itself writes of a log that was served, signed and witnessed."""

import asyncio
import shutil
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

from service.app import parts
from service.audit.entry import Draft
from service.audit.journal import Ack
from service.config import Config
from tests.conftest import StillClock
from tests.journeys.servers import environment, menshen
from tests.service.audit.logs import CLERK
from tests.service.checkpoints.test_witnessed_service import KeyOnly, witnessed
from tests.service.checkpoints.test_witnesses import NAMES, House, key
from tests.verifier.test_strangers import strangers  # noqa: F401  (a fixture)

REPOSITORY = Path(__file__).parents[2]


async def command(config: Config, *words: str) -> None:
    """`menshen audit …`, in a process of its own."""
    settings = environment(config.home, config.database, MENSHEN_WITNESSES=str(config.witnesses))
    done = await asyncio.to_thread(menshen, settings, "audit", *words)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_they_find_the_commands_own_export_whole_cosigned_and_its_proof_true(
    strangers: Path,  # noqa: F811
    tmp_path: Path,
    sqlite_template: Path,
    clock: StillClock,
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(sqlite_template, home / "menshen.db")
    config = Config(home=home)
    async with AsyncExitStack() as stack:
        house = House(tmp_path, stack, clock)
        async with parts(config, clock=clock) as running:
            log = running.publisher.keys[0]
            config = witnessed(config, tmp_path, await house.witness(NAMES[0], KeyOnly(running)))
        async with parts(config, clock=clock) as running:
            drafts = [Draft(typ="access", operation="test") for _ in range(300)]
            receipts = await asyncio.gather(*(running.journal.append(draft, CLERK) for draft in drafts))
            await running.publisher.reached(max(one.index for one in receipts) + 1, Ack.WITNESSED)
        await command(config, "export", "-o", str(tmp_path / "export"))
        await command(config, "show", "7", "--proof", "-o", str(tmp_path / "7.tlog-proof"))
    words = [str(strangers), str(tmp_path / "export"), log.vkey, key(NAMES[0]).vkey, str(tmp_path / "7.tlog-proof")]
    found = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr
    golang, fsck, formats = found.stdout.splitlines()
    assert golang.endswith("entries proven") and (fsck, formats) == (
        "tessera fsck: whole",
        "transparency-dev/formats: 2 signatures, 1 proofs",
    )
