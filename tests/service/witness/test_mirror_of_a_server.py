"""A mirror beside a served Menshen, each a process of its own: what it fetches with its token is the log, and that it did is in the log."""

import asyncio
import time
from pathlib import Path

import httpx2

from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.policy import parse_policy
from menshen_verifier.verify import verify
from service.app import issue_token, parts
from service.audit.entry import Draft
from service.config import Config
from service.witness.cosigner import Cosigner, write
from tests.api.front_end import entries
from tests.factories import a_call
from tests.journeys.servers import environment, serving
from tests.service.witness.house import WITNESS, WITNESS_SEED
from tests.service.witness.test_add_checkpoint import COSIGNER
from tests.service.witness.test_mirror import MIRROR, MIRROR_SEED
from tests.service.witness.test_process import free_port, serving_at

READS = 300


async def begun(config: Config) -> tuple[str, str]:
    """A log of some reads; its vkey, a token of a mirror."""

    async def nothing(_: object) -> None:
        return None

    async with parts(config) as running:
        for _ in range(READS):
            await running.units.disclose(a_call(), Draft(typ="access", operation="test"), nothing)
        return running.publisher.keys[0].vkey, issue_token(running, role="log_mirror")


def witness_file(folder: Path, vkey: str, url: str) -> Path:
    """The settings of a witness that mirrors what is served at `url`."""
    write(folder / "witness.key", Cosigner(WITNESS, WITNESS_SEED))
    write(folder / "mirror.key", Cosigner(MIRROR.name, MIRROR_SEED))
    path = folder / "witness.toml"
    path.write_text(
        f'listen = "127.0.0.1:0"\nkey = "witness.key"\nstore = "store"\nmirror_key = "mirror.key"\n'
        f'[[log]]\nvkeys = ["{vkey}"]\ntiles = "{url}/audit"\ntoken = "token"\n'
    )
    path.chmod(0o600)
    return path


def until(what, seconds: float = 40.0):
    """Whatever it tells, once it tells something."""
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.1)
    assert found
    return found


def test_the_copy_is_the_log_and_each_bundle_that_was_fetched_is_an_entry(config: Config, tmp_path: Path) -> None:
    vkey, mirror = asyncio.run(begun(config))
    (tmp_path / "token").touch(mode=0o600)
    (tmp_path / "token").write_text(mirror)
    port, witnesses = free_port(), tmp_path / "witnesses.toml"
    witnesses.write_text(f'quorum = 1\n[[witness]]\nurl = "http://127.0.0.1:{port}"\nvkeys = ["{COSIGNER.vkey}"]\n')
    witnesses.chmod(0o600)
    policy = parse_policy(f"log {vkey}\nwitness w {COSIGNER.vkey}\nquorum w\n".encode())

    def cosigned() -> bool:
        note = httpx2.get(f"{url}/audit/checkpoint", trust_env=False).content
        return len(open_checkpoint(note, [*policy.logs], [COSIGNER]).signed) == 2

    def copied() -> Path | None:
        return next((path.parent for path in (tmp_path / "store").rglob("checkpoint")), None)

    with serving(environment(config.home, config.database, MENSHEN_WITNESSES=str(witnesses))) as (_, url):
        path = witness_file(tmp_path, vkey, url)
        with serving_at(path, port):
            until(cosigned)
        with serving_at(path, port):
            folder = until(copied)
    report = verify(folder, policy, now=int(time.time()), processes=1)
    assert (report.findings, report.size > READS) == ((), True)

    async def fetched() -> list[dict]:
        async with parts(config) as running:
            return await entries(running, "entries")

    told = asyncio.run(fetched())
    assert len([one for one in told if one["dec"] == "allow" and "log_mirror" in str(one["act"])]) >= 2, "a bundle is an entry"
