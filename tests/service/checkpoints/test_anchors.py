"""Anchors, each against a real peer on loopback: OpenSSL's time-stamp authority, an S3 server, a mail server, a folder."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from service.app import now
from service.checkpoints import store as checkpoints
from service.checkpoints.anchors import bucket, settings, store
from service.checkpoints.anchors.anchoring import Anchoring
from service.checkpoints.anchors.bucket import Bucket
from service.checkpoints.anchors.folder import Folder
from service.checkpoints.anchors.mail import Mailing
from service.checkpoints.anchors.model import Anchor, Deposit, Undeposited
from service.checkpoints.anchors.timestamp import Authority as TimeStamps
from service.checkpoints.model import Published
from service.checkpoints.outside import Outside
from service.db.engine import Database
from service.errors import ConfigError
from service.hazmat import certificates
from tests.conftest import StillClock
from tests.service.checkpoints.authority import OPENSSL, Authority, openssl
from tests.service.checkpoints.listening import listening
from tests.service.witness.house import ORIGIN, Log, entries

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOG = Log(entries(60))
DEPOSIT = Deposit(ORIGIN, 40, LOG.note(40))


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


# --- RFC 3161 ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def authority(tmp_path: Path) -> Authority:
    if OPENSSL is None:
        pytest.skip("no openssl here to be the time-stamp authority")
    return await Authority(tmp_path / "tsa").found()


Stamps = Callable[..., Any]


@pytest.fixture
def stamps(stack: AsyncExitStack) -> Stamps:
    """`await stamps(authority)`: the anchor over it; `root`: whom it believes."""

    async def made(of: Authority, *, root: Path | None = None) -> TimeStamps:
        url = await stack.enter_async_context(listening(of.app()))
        roots = certificates.from_pem((root or of.root).read_bytes())
        outside = await stack.enter_async_context(Outside(seconds=5))
        return TimeStamps("rfc3161", HOUR, url, roots, outside)

    return made


async def test_a_time_stamp_is_verified_by_openssl_over_the_text_that_the_log_signed(
    authority: Authority, stamps: Stamps, tmp_path: Path
) -> None:
    receipt = await (await stamps(authority)).deposit(DEPOSIT, now())
    (tmp_path / "reply").write_bytes(receipt)
    (tmp_path / "text").write_text("".join(DEPOSIT.note.splitlines(keepends=True)[:3]))
    await openssl("ts", "-verify", "-data", tmp_path / "text", "-in", tmp_path / "reply", "-CAfile", authority.root)
    query = await openssl("ts", "-query", "-in", authority.folder / "1.tsq", "-text")
    assert b"Hash Algorithm: sha256" in query
    assert b"Certificate required: yes" in query
    assert b"Nonce: 0x" in query


WRONG: dict[str, tuple[Callable[[bytes], Response | bytes], str]] = {
    "a byte changed at its end": (lambda reply: reply[:-1] + bytes([reply[-1] ^ 1]), "TOKEN_DOES_NOT_HOLD"),
    "a byte changed in its middle": (lambda reply: reply[:200] + bytes([reply[200] ^ 1]) + reply[201:], "TOKEN_DOES_NOT_HOLD"),
    "cut off": (lambda reply: reply[:-20], "TOKEN_DOES_NOT_HOLD"),
    "nothing": (lambda _: b"", "TOKEN_DOES_NOT_HOLD"),
    "refused": (lambda _: bytes.fromhex("30053003020102"), "TOKEN_DOES_NOT_HOLD"),
    "another kind": (lambda reply: Response(reply, media_type="text/html"), "STATUS_200"),
    "an error": (lambda _: Response("", 500), "STATUS_500"),
    "too much": (lambda _: Response(b"x" * 100_000, media_type="application/timestamp-reply"), "TOO_LONG"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_reply_that_does_not_hold_is_no_receipt(authority: Authority, stamps: Stamps, name: str) -> None:
    authority.change, code = WRONG[name]
    with pytest.raises(Undeposited) as problem:
        await (await stamps(authority)).deposit(DEPOSIT, now())
    assert problem.value.code == code


async def test_a_token_for_another_question_is_no_receipt(authority: Authority, stamps: Stamps) -> None:
    anchor = await stamps(authority)
    old = await anchor.deposit(DEPOSIT, now())
    authority.change = lambda _: old
    for deposit in (DEPOSIT, Deposit(ORIGIN, 41, LOG.note(41))):
        with pytest.raises(Undeposited) as problem:
            await anchor.deposit(deposit, now())
        assert problem.value.code == "TOKEN_DOES_NOT_HOLD"


async def test_a_token_of_another_time_or_authority_or_purpose_is_no_receipt(
    authority: Authority, stamps: Stamps, tmp_path: Path
) -> None:
    anchor = await stamps(authority)
    with pytest.raises(Undeposited, match="TOKEN_OF_ANOTHER_TIME"):
        await anchor.deposit(DEPOSIT, now() + timedelta(days=3))
    stranger = await Authority(tmp_path / "stranger").found()
    with pytest.raises(Undeposited, match="TOKEN_DOES_NOT_HOLD"):
        await (await stamps(stranger, root=authority.root)).deposit(DEPOSIT, now())


async def test_an_authority_that_is_gone_is_said_to_be(authority: Authority) -> None:
    roots = certificates.from_pem(authority.root.read_bytes())
    async with Outside(seconds=1) as outside:
        with pytest.raises(Undeposited, match="UNREACHABLE"):
            await TimeStamps("rfc3161", HOUR, "http://127.0.0.1:9", roots, outside).deposit(DEPOSIT, now())


# --- a folder ----------------------------------------------------------------------------------------------------------------------


async def test_a_folder_keeps_a_file_that_is_written_once(tmp_path: Path, clock: StillClock) -> None:
    anchor = Folder("folder", DAY, tmp_path)
    told = json.loads(await anchor.deposit(DEPOSIT, clock()))
    kept = tmp_path / told["file"]
    assert kept.read_text() == DEPOSIT.note
    assert kept.stat().st_mode & 0o777 == 0o444
    assert told["sha256"] == sha256(DEPOSIT.note.encode()).hexdigest()
    with pytest.raises(Undeposited, match="EXISTS_ALREADY"):
        await anchor.deposit(Deposit(ORIGIN, 40, "another"), clock())
    assert kept.read_text() == DEPOSIT.note


async def test_a_folder_that_is_not_mounted_is_not_made(tmp_path: Path, clock: StillClock) -> None:
    with pytest.raises(Undeposited, match="UNREACHABLE"):
        await Folder("folder", DAY, tmp_path / "away").deposit(DEPOSIT, clock())
    assert list(tmp_path.iterdir()) == []


# --- a bucket ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def s3() -> AsyncIterator[str]:
    """An S3 server (moto) on loopback."""
    server = pytest.importorskip("moto.server", reason="no S3 server here").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    await asyncio.to_thread(server.start)
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        await asyncio.to_thread(server.stop)


def locked(url: str, name: str, *, lock: bool) -> Any:
    """boto3's client, and a bucket there."""
    client: Any = bucket.client(url=url, region="cn-north-1", key_id="key", secret="a secret of sixteen")
    where = {"LocationConstraint": "cn-north-1"}
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock, CreateBucketConfiguration=where)
    return client


async def test_a_bucket_keeps_an_object_that_nobody_can_delete(s3: str) -> None:
    client = await asyncio.to_thread(locked, s3, "record", lock=True)
    told = json.loads(await Bucket("s3", DAY, "record", "audit/", 400, client).deposit(DEPOSIT, now()))
    where = {"Bucket": "record", "Key": told["object"], "VersionId": told["version"]}
    assert told["object"].startswith("audit/checkpoint-40-")
    found = await asyncio.to_thread(lambda: client.get_object(**where))
    assert found["Body"].read() == DEPOSIT.note.encode()
    assert found["ObjectLockMode"] == "COMPLIANCE"
    assert found["ObjectLockRetainUntilDate"] > now() + timedelta(days=399)
    with pytest.raises(Exception, match="AccessDenied"):
        await asyncio.to_thread(lambda: client.delete_object(**where))


async def test_a_bucket_without_a_lock_or_away_is_no_anchor(s3: str) -> None:
    client = await asyncio.to_thread(locked, s3, "unlocked", lock=False)
    with pytest.raises(Undeposited) as problem:
        await Bucket("s3", DAY, "unlocked", "", 400, client).deposit(DEPOSIT, now())
    assert problem.value.code in {"NOT_LOCKED", "STATUS_400", "STATUS_404"}
    with pytest.raises(Undeposited, match="STATUS_404"):
        await Bucket("s3", DAY, "no-such-bucket", "", 400, client).deposit(DEPOSIT, now())
    gone = bucket.client(url="http://127.0.0.1:9", region="x", key_id="key", secret="a secret of sixteen")
    with pytest.raises(Undeposited, match="UNREACHABLE"):
        await Bucket("s3", DAY, "record", "", 400, gone).deposit(DEPOSIT, now())


# --- a mailbox ---------------------------------------------------------------------------------------------------------------------


async def test_a_mail_that_is_not_taken_is_no_receipt(clock: StillClock) -> None:
    said: dict[str, str] = {"auditor@example.org": "", "compliance@example.cn": "MAILBOX_UNKNOWN"}

    async def post(name: str, to: str, subject: str, text: str) -> str:
        return said[to]

    with pytest.raises(Undeposited, match="MAILBOX_UNKNOWN"):
        await Mailing("mail", DAY, list(said), post).deposit(DEPOSIT, clock())


# --- when they are due -------------------------------------------------------------------------------------------------------------


class Keeper:
    """Somebody outside who keeps what they get, unless they are away."""

    def __init__(self, kind: str, every: timedelta) -> None:
        self.kind, self.every = kind, every
        self.kept: list[tuple[int, datetime]] = []
        self.away = ""

    async def close(self) -> None:
        pass

    async def deposit(self, deposit: Deposit, now: datetime) -> bytes:
        if self.away:
            raise Undeposited(self.away)
        self.kept.append((deposit.size, now))
        return f"kept {deposit.size}".encode()


async def published(database: Database, size: int, at: datetime) -> None:
    async with database.write() as transaction:
        await checkpoints.publish(transaction, Published(size, LOG.checkpoint(size).root, LOG.note(size), at))
        await transaction.commit()


Begin = Callable[..., Anchoring]


@pytest.fixture
async def anchoring(database: Database, clock: StillClock) -> AsyncIterator[Begin]:
    begun: list[Anchoring] = []

    def made(*anchors: Anchor, leading: bool = True) -> Anchoring:
        begun.append(Anchoring(database=database, anchors=anchors, origin=ORIGIN, clock=clock, leading=lambda: leading))
        return begun[-1]

    yield made
    for one in begun:
        await one.close()


async def test_each_is_left_a_checkpoint_when_it_is_due_also_after_a_restart(
    database: Database, clock: StillClock, anchoring: Begin
) -> None:
    hourly, daily = Keeper("folder", HOUR), Keeper("folder.far", DAY)
    made = anchoring(hourly, daily)
    await made.once()
    assert (hourly.kept, made.states["folder"].problem) == ([], "")
    for hour in range(26):
        await published(database, hour + 1, clock())
        await anchoring(hourly, daily).once()
        await anchoring(hourly, daily).once()
        clock.advance(hours=1)
    assert [size for size, _ in hourly.kept] == list(range(1, 27))
    assert [size for size, _ in daily.kept] == [1, 25]
    newest = await store.newest(database.read, "folder.far")
    assert newest is not None
    assert (newest.size, newest.receipt, newest.at) == (25, b"kept 25", clock() - timedelta(hours=2))


async def test_one_that_fails_is_a_state_and_holds_up_no_other(database: Database, clock: StillClock, anchoring: Begin) -> None:
    failing, good = Keeper("rfc3161", HOUR), Keeper("folder", HOUR)
    failing.away = "UNREACHABLE"
    await published(database, 7, clock())
    made = anchoring(failing, good)
    await made.once()
    assert [size for size, _ in good.kept] == [7]
    assert made.states["rfc3161"].problem == "UNREACHABLE"
    failing.away = ""
    await made.once()
    assert failing.kept == []
    clock.advance(minutes=1)
    await made.once()
    assert (failing.kept[0][0], made.states["rfc3161"].problem) == (7, "")


async def test_what_fails_is_tried_less_and_less_but_every_hour(database: Database, clock: StillClock, anchoring: Begin) -> None:
    failing = Keeper("rfc3161", HOUR)
    failing.away = "TIMEOUT"
    await published(database, 7, clock())
    made = anchoring(failing)
    tries = []
    for _ in range(300):
        before = made.states["rfc3161"].due
        await made.once()
        if made.states["rfc3161"].due != before:
            tries.append(clock())
        clock.advance(minutes=1)
    pauses = [(later - one) // timedelta(minutes=1) for one, later in pairwise(tries)]
    assert pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_one_instance_leaves_it_to_the_one_that_publishes(database: Database, clock: StillClock, anchoring: Begin) -> None:
    keeper = Keeper("folder", HOUR)
    await published(database, 7, clock())
    for leading, kept in ((False, 0), (True, 1)):
        made, stop = anchoring(keeper, leading=leading), asyncio.Event()
        task = asyncio.create_task(made.run(stop))
        for _ in range(50):
            await asyncio.sleep(0.002)
        stop.set()
        await task
        assert len(keeper.kept) == kept


async def test_now_is_now(database: Database, clock: StillClock, anchoring: Begin) -> None:
    keeper = Keeper("folder", DAY)
    await published(database, 7, clock())
    made = anchoring(keeper)
    await made.once()
    clock.advance(5)
    assert (await made.now("folder")).size == 7
    assert len(keeper.kept) == 2


# --- settings ----------------------------------------------------------------------------------------------------------------------


def no_mail(sender: str) -> Any:
    raise ConfigError("no such sender")


GOOD = '[[anchor]]\nkind = "folder"\nevery = "day"\npath = "worm"\n'
S3 = '[[anchor]]\nkind = "s3"\nevery = "hour"\nurl = "https://s3.example.cn"\nregion = "cn"\nbucket = "record"\nkey_id = "k"\nsecret = "s"\ndays = 400\n'


def loaded(folder: Path, text: str, *, production: bool = True) -> list[Anchor]:
    path = folder / "anchors.toml"
    path.write_text(text)
    path.chmod(0o600)
    return settings.load(path, production=production, mailer=no_mail)


async def test_settings_name_the_anchors(tmp_path: Path, authority: Authority) -> None:
    stamp = (
        f'[[anchor]]\nkind = "rfc3161"\nname = "cn"\nevery = "hour"\nurl = "https://tsa.example.cn"\nroots = "{authority.root}"\n'
    )
    found = loaded(tmp_path, GOOD + S3 + stamp)
    assert [(anchor.kind, anchor.every) for anchor in found] == [("folder", DAY), ("s3", HOUR), ("rfc3161.cn", HOUR)]
    assert settings.load(None, production=True, mailer=no_mail) == []
    for anchor in found:
        await anchor.close()


@pytest.mark.parametrize(
    ("good", "old", "new"),
    [
        (GOOD, '"folder"', '"fax"'),
        (GOOD, '"day"', '"year"'),
        (GOOD, "path =", "paths ="),
        (GOOD, "[[anchor]]", "[anchor]"),
        (GOOD, "[[anchor]]", "a = 1\n[[anchor]]"),
        (GOOD, "[[anchor]]", GOOD + "[[anchor]]"),
        (GOOD, "[[anchor]]", "[[anchor]]\nname = 'Far'"),
        (S3, "https:", "http:"),
        (S3, "days = 400", "days = 0"),
        (S3, '"record"', '"../record"'),
        (GOOD, 'kind = "folder"\nevery = "day"\npath = "worm"', 'kind = "mail"\nevery = "day"\nsender = "x"\nto = ["a@b.cn"]'),
        (GOOD, 'kind = "folder"\nevery = "day"\npath = "worm"', 'kind = "mail"\nevery = "day"\nsender = "x"\nto = []'),
        (
            GOOD,
            'kind = "folder"\nevery = "day"\npath = "worm"',
            'kind = "rfc3161"\nevery = "day"\nurl = "https://x.cn"\nroots = "no.pem"',
        ),
    ],
)
def test_settings_that_are_not_fit_are_refused(tmp_path: Path, good: str, old: str, new: str) -> None:
    assert loaded(tmp_path, good)
    with pytest.raises(ConfigError) as problem:
        loaded(tmp_path, good.replace(old, new))
    assert '"s"' not in str(problem.value)
