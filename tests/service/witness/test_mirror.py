"""The witness's copy of a log: fetched as far as it was cosigned, held against the root, served again."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from menshen_verifier import merkle
from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.findings import Part
from menshen_verifier.note import Key, Kind
from menshen_verifier.policy import parse_policy
from menshen_verifier.tiles import bundle, bundle_path, tile_path, widths
from menshen_verifier.verify import verify
from service.errors import ConfigError
from service.hazmat import signing
from service.witness.cosigner import Cosigner, write
from service.witness.mirror import Mirror
from service.witness.serving import opened
from service.witness.settings import load
from tests.conftest import StillClock
from tests.service.checkpoints.listening import listening
from tests.service.witness.house import ORIGIN, WITNESS_SEED, Log, entries, settings_file
from tests.service.witness.test_add_checkpoint import COSIGNER

MIRROR_SEED = b"\x33" * 32
MIRROR = Key("mirror.example.cn/m1", Kind.COSIGNATURE_V1, signing.public_key(MIRROR_SEED))
PLACE = f"/mirror/{sha256(ORIGIN.encode()).hexdigest()}"


class Origin:
    """A log that serves its entries to who has the token, and may serve others than it signed."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.asked: list[str] = []
        self.away = 0

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/tile/entries/{path:path}", self.answer)])

    async def answer(self, request: Request) -> Response:
        path = "tile/entries/" + request.path_params["path"]
        self.asked.append(path)
        if self.away or request.headers.get("authorization") != "Bearer first-token":
            return Response(status_code=self.away or 401)
        for n, width in widths(len(self.log.entries), 0):
            for served in range(1, width + 1):
                if path == bundle_path(n, served):
                    return Response(bundle(self.log.entries[n * 256 : n * 256 + served]))
        return Response(status_code=404)


class House:
    """A witness with a copy of a log of 700 entries."""

    def __init__(self, app: Starlette, mirror: Mirror, origin: Origin, http: httpx2.AsyncClient) -> None:
        self.app, self.mirror, self.origin, self.http = app, mirror, origin, http
        self.log = origin.log

    async def cosigned(self, old: int, new: int) -> None:
        assert (await self.http.post("/add-checkpoint", content=self.log.asks(old, new))).status_code == 200

    async def get(self, path: str, token: str = "reader-token") -> httpx2.Response:
        return await self.http.get(f"{PLACE}/{path}", headers={"authorization": f"Bearer {token}"})


@pytest.fixture
async def house(tmp_path: Path, clock: StillClock) -> AsyncIterator[House]:
    origin = Origin(Log(entries(700)))
    write(tmp_path / "mirror.key", Cosigner(MIRROR.name, MIRROR_SEED))
    for name, token in (("fetch", "first-token"), ("serve", "reader-token")):
        (tmp_path / name).write_text(token + "\n")
        (tmp_path / name).chmod(0o600)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(listening(origin.app()))
        path = settings_file(tmp_path, origin.log, more='mirror_key = "mirror.key"\nmirror_token = "serve"')
        path.write_text(path.read_text() + f'tiles = "{url}"\ntoken = "fetch"\n')
        app, (mirror,) = opened(stack, load(path), clock=clock)  # type: ignore[arg-type]
        stack.push_async_callback(mirror.outside.close)
        transport = httpx2.ASGITransport(app=app)
        http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://witness.test"))
        yield House(app, mirror, origin, http)


def whole(folder: Path, log: Log, size: int) -> None:
    """The copy is byte for byte what the log of this size is: all bundles, all hash tiles, one checkpoint, and nothing else."""
    expected = {"checkpoint"}
    for n, width in widths(size, 0):
        assert (folder / bundle_path(n, width)).read_bytes() == bundle(log.entries[n * 256 : n * 256 + width])
        expected.add(bundle_path(n, width))
    hashes = merkle.leaf_hashes(log.entries[:size])
    for level in range(8):
        for n, width in widths(size, level):
            part = hashes[n * 256 : n * 256 + width]
            assert (folder / tile_path(level, n, width)).read_bytes() == b"".join(part)
            expected.add(tile_path(level, n, width))
        hashes = [merkle.tile_root(hashes[at : at + 256]) for at in range(0, len(hashes) // 256 * 256, 256)]
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == expected


@pytest.mark.parametrize("steps", [[1], [256], [700], [1, 2, 255, 256, 257, 511, 512, 513, 700], [300, 301, 600]])
async def test_the_copy_is_the_log_as_far_as_it_was_cosigned(house: House, steps: list[int]) -> None:
    old = 0
    for size in steps:
        await house.cosigned(old, size)
        await house.mirror.once()
        assert (house.mirror.state.size, house.mirror.state.problem) == (size, "")
        whole(house.mirror.folder, house.log, size)
        old = size
    opened_ = open_checkpoint((await house.get("checkpoint")).content, [house.log.key], [COSIGNER, MIRROR])
    assert opened_.checkpoint == house.log.checkpoint(old)
    assert {one.key for one in opened_.signed} == {house.log.key, COSIGNER, MIRROR}


async def test_nothing_is_fetched_while_there_is_nothing_new(house: House) -> None:
    await house.mirror.once()
    await house.cosigned(0, 300)
    await house.mirror.once()
    asked = len(house.origin.asked)
    await house.mirror.once()
    assert (len(house.origin.asked), asked) == (2, 2)


async def test_entries_that_are_not_those_of_the_checkpoint_are_not_signed_for(house: House) -> None:
    await house.cosigned(0, 300)
    await house.mirror.once()
    await house.cosigned(300, 600)
    honest = list(house.log.entries)
    lying = Log([*honest[:310], b"another", *honest[311:]])
    house.origin.log = lying
    await house.mirror.once()
    assert (house.mirror.state.size, house.mirror.state.problem) == (300, "TILES_DO_NOT_FIT")
    assert open_checkpoint((await house.get("checkpoint")).content, [MIRROR]).checkpoint.size == 300
    house.origin.log = house.log
    await house.mirror.once()
    assert (house.mirror.state.size, house.mirror.state.problem) == (600, "")
    whole(house.mirror.folder, house.log, 600)


async def test_what_goes_wrong_on_the_way_is_a_code_and_the_next_try_goes_on(house: House, tmp_path: Path) -> None:
    await house.cosigned(0, 600)
    house.origin.away = 503
    await house.mirror.once()
    assert house.mirror.state.problem == "STATUS_503"
    house.origin.away = 0
    (tmp_path / "fetch").write_text("expired")
    await house.mirror.once()
    assert house.mirror.state.problem == "STATUS_401"
    (tmp_path / "fetch").write_text("first-token")
    await house.mirror.once()
    whole(house.mirror.folder, house.log, 600)
    shown = (await house.http.get("/metrics")).text
    assert f'menshen_mirror_size{{origin="{ORIGIN}"}} 600.0' in shown
    assert f'menshen_mirror_problem{{origin="{ORIGIN}"}} 0.0' in shown


async def test_hashes_are_anybodys_and_entries_are_for_who_has_the_token(house: House) -> None:
    await house.cosigned(0, 300)
    await house.mirror.once()
    bundle_ = bundle_path(0)
    assert (await house.get(bundle_)).content == bundle(house.log.entries[:256])
    for token in ("", "first-token", "reader-toke", "reader-token "[:-1] + "x"):
        assert (await house.get(bundle_, token)).status_code == 401
    assert (await house.http.get(f"{PLACE}/{tile_path(0, 0)}")).content == b"".join(merkle.leaf_hashes(house.log.entries[:256]))
    for strange in ("tile/../../../witness.db", "tile/%2e%2e/%2e%2e/%2e%2e/witness.db", "witness.db", "tile/0/999", "tile/0", ""):
        assert (await house.get(strange)).status_code in {401, 404}
    assert (await house.http.get(f"/mirror/{'0' * 64}/checkpoint")).status_code == 404


@pytest.mark.parametrize("way", ["tile//entries/000", "tile/%2e/entries/000", "tile/0//../entries/000", "tile/entries//000"])
async def test_entries_have_one_address_and_no_other_spelling_of_it_leads_there_without_the_token(house: House, way: str) -> None:
    await house.cosigned(0, 300)
    await house.mirror.once()
    for token in ("", "reader-token"):
        assert (await house.get(way, token)).status_code in {401, 404}


@pytest.mark.parametrize(
    "way", ["tile/0/000%00", "tile/0/000.p/0", "tile/0/000.p/256", "tile/64/000", "tile/0/" + "x999/" * 900 + "999"]
)
async def test_an_absurd_address_of_a_tile_is_just_not_there(house: House, way: str) -> None:
    await house.cosigned(0, 300)
    await house.mirror.once()
    assert (await house.get(way)).status_code == 404


def test_a_mirror_has_a_name_and_a_key_of_its_own(tmp_path: Path, clock: StillClock) -> None:
    write(tmp_path / "mirror.key", Cosigner("witness.example.cn/w1", WITNESS_SEED))
    path = settings_file(tmp_path, Log([]), more='mirror_key = "mirror.key"')
    with ExitStack() as stack, pytest.raises(ConfigError, match="mirror_key"):
        opened(stack, load(path), clock=clock)


async def test_the_copy_is_an_export_that_the_verifier_takes(house: House, clock: StillClock) -> None:
    await house.cosigned(0, 600)
    await house.mirror.once()
    policy = f"log {house.log.key.vkey}\nwitness w {COSIGNER.vkey}\nwitness m {MIRROR.vkey}\ngroup both 2 w m\nquorum both\n"
    report = verify(house.mirror.folder, parse_policy(policy.encode()), now=int(clock().timestamp()), processes=1)
    # This log's entries are words and no entries of ours, which is all that it finds; the tree is the one that was signed.
    assert {finding.part for finding in report.findings} == {Part.FORM}
    assert report.size == 600
    path = house.mirror.folder / bundle_path(1)
    path.write_bytes(path.read_bytes().replace(b"entry 300", b"entry 301"))
    report = verify(house.mirror.folder, parse_policy(policy.encode()), now=int(clock().timestamp()), processes=1)
    assert Part.ENTRY in {finding.part for finding in report.findings}
