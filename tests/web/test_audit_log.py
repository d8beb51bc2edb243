"""The log over HTTP, as a stranger's client reads it (C2SP tlog-tiles): from tiles and bundles alone to the checkpoint's root."""

import json

import pytest
from sqlalchemy import text

from menshen_verifier import merkle, tiles
from menshen_verifier.checkpoint import open_checkpoint
from service.audit.entry import Draft
from service.checkpoints.notes import cosigned_note
from service.checkpoints.trust import Trust
from service.db.statement import Prepared
from tests.factories import a_call
from tests.service.archive.logs import Published, root_of
from tests.service.audit.logs import Administrator
from tests.service.inspection.test_proven import Other

ENTRIES = 700
"""Two full tiles and an edge."""

FORGED = "INSERT INTO audit_checkpoint (size, root, note, signed_at) SELECT ?, root, note, signed_at FROM audit_checkpoint WHERE size = ?"
_LAST = Prepared(text("SELECT entry FROM audit_entry ORDER BY idx DESC LIMIT 1"))


@pytest.fixture
async def signer(running) -> Published:
    """A log of some length, published."""

    async def nothing(_: object) -> None:
        return None

    for _ in range(ENTRIES):
        await running.units.disclose(a_call(), Draft(typ="access", operation="test"), nothing)
    made = Published(running)
    await made.publish()
    return made


@pytest.fixture
def officer(token) -> dict[str, str]:
    """Who may take entries."""
    return {"authorization": f"Bearer {token('compliance_officer')}"}


async def published(client, signer):
    answer = await client.get("/audit/checkpoint")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/plain; charset=utf-8"
    return open_checkpoint(answer.content, [signer.key]).checkpoint


async def newest(running) -> dict:
    """The last entry of the log."""
    [(raw,)] = await running.database.read.rows(_LAST)
    return json.loads(raw)


async def test_hashes_are_anybodys_and_come_to_the_root(client, signer) -> None:
    checkpoint = await published(client, signer)
    leaves = b""
    for n, width in tiles.widths(checkpoint.size, 0):
        answer = await client.get("/audit/" + tiles.tile_path(0, n, width))
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        leaves += answer.content
    hashes = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
    assert len(hashes) == checkpoint.size
    assert merkle.root(merkle.extend(0, (), hashes).frontier) == checkpoint.root
    above = await client.get("/audit/" + tiles.tile_path(1, 0, checkpoint.size >> 8))
    assert above.content == b"".join(merkle.tile_root(hashes[at : at + 256]) for at in range(0, checkpoint.size & ~255, 256))


async def test_entries_come_to_the_root_and_each_bundle_is_recorded_under_who_took_it(client, signer, officer, running) -> None:
    checkpoint = await published(client, signer)
    raws = []
    for n, width in tiles.widths(checkpoint.size, 0):
        answer = await client.get("/audit/" + tiles.bundle_path(n, width), headers=officer)
        assert answer.headers["cache-control"] == "no-store"
        raws += tiles.parse_bundle(answer.content)
        entry = await newest(running)
        assert (entry["typ"], entry["op"], entry["cnt"]) == ("audit", "entries", width)
        assert entry["x"] == {"first": n * 256, "width": width}
        assert entry["act"]["id"] == "compliance_officer@development"
    assert root_of(raws) == checkpoint.root


@pytest.mark.obligation("AL-05")
async def test_a_mirror_that_follows_the_tile_at_the_end_is_recorded_once_a_tile_so_that_its_copy_can_be_whole(
    client, signer, officer, token, running
) -> None:
    mirror = {"authorization": f"Bearer {token('log_mirror')}"}

    async def follow(bearer: dict[str, str]) -> int:
        size = await signer.publish()
        answer = await client.get("/audit/" + tiles.bundle_path(size >> 8, size % 256), headers=bearer)
        assert len(tiles.parse_bundle(answer.content)) == size % 256
        return size

    before = await follow(mirror)
    assert (await newest(running))["x"]["and_on"] is True
    assert await follow(mirror) == before + 1, "the look was an entry, and the next one is none"
    assert await follow(mirror) == before + 1
    assert await follow(officer) == before + 1
    assert await follow(officer) == before + 2, "a person's looks are entries, each of them, and count (LB-07)"
    assert await follow(mirror) == before + 3
    refused = await client.get("/audit/tile/entries/000.p/1", headers={"authorization": f"Bearer {token('marketer')}"})
    assert refused.status_code == 403


async def test_a_client_that_takes_gzip_gets_the_same_bytes(client, signer, officer) -> None:
    plain = await client.get("/audit/tile/entries/000", headers=officer | {"accept-encoding": "identity"})
    packed = await client.get("/audit/tile/entries/000", headers=officer | {"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content != b""


@pytest.mark.obligation("AL-05")
async def test_entries_are_not_for_everybody_and_the_refusal_is_recorded(client, signer, token, running) -> None:
    nobody = await client.get("/audit/tile/entries/000")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    clerk = await client.get("/audit/tile/entries/000", headers={"authorization": f"Bearer {token('marketer')}"})
    assert clerk.status_code == 403 and clerk.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    entry = await newest(running)
    assert (entry["op"], entry["dec"], entry["rsn"]) == ("entries", "deny", "FORBIDDEN")


async def test_nothing_beyond_the_checkpoint_is_served_though_it_is_there(client, signer, officer, running) -> None:
    await running.publisher.close()
    checkpoint = await published(client, signer)
    for _ in range(3):
        await client.get("/audit/tile/entries/000", headers=officer)
    edge, width = checkpoint.size // 256, checkpoint.size % 256
    assert (await client.get("/audit/" + tiles.tile_path(0, edge, width))).status_code == 200
    for path in (tiles.tile_path(0, edge, width + 1), tiles.bundle_path(edge, width + 1), tiles.tile_path(1, 0, 3)):
        assert (await client.get(f"/audit/{path}", headers=officer)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "0/0", "0/00", "0/x000/000", "0/1000", "00/000", "64/000", "-1/000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/999",
        "0/x00/000", "0/000/", "0/%30%30%30", "a/000", "entries/1", "0/x999/x999/x999/x999/x999/999", "63/000.p/1", "0/000.p",
    ],
)  # fmt: skip
async def test_an_address_of_another_form_is_not_there(client, signer, officer, path) -> None:
    expected = {200} if path == "0/%30%30%30" else {404}
    assert {(await client.get(f"/audit/tile/{path}", headers=officer)).status_code} == expected


async def test_what_a_stranger_gets_is_what_our_key_signed_whatever_rows_say(
    client, signer, officer, running, database_url
) -> None:
    await running.publisher.close()
    checkpoint = await published(client, signer)
    edge, width = checkpoint.size // 256, checkpoint.size % 256
    for _ in range(3):
        await client.get("/audit/tile/entries/000", headers=officer)
    administrator, beyond = Administrator(database_url), checkpoint.size + 2
    administrator.run(FORGED, given=(beyond, checkpoint.size))
    assert await published(client, signer) == checkpoint
    for path in (tiles.tile_path(0, edge, width + 1), tiles.bundle_path(edge, width + 1)):
        assert (await client.get(f"/audit/{path}", headers=officer)).status_code == 404


async def test_where_witnesses_are_configured_a_stranger_gets_what_they_cosigned_and_the_newest_by_asking(
    client, signer, officer, running, database_url
) -> None:
    await client.get("/audit/tile/entries/000", headers=officer)
    await signer.publish()
    await running.publisher.close()
    witness, size = Other("witness.example.cn/w1"), (await published(client, signer)).size
    running.units.trust = Trust(running.vault.origin, lambda: [signer.key], parties=[[witness.cosigner]], quorum=1)
    assert (await published(client, signer)).size == size, "nothing is cosigned yet"
    administrator = Administrator(database_url)
    ((note, older),) = administrator.run(
        "SELECT note, size FROM audit_checkpoint WHERE size < ? ORDER BY size DESC LIMIT 1", given=(size,)
    )
    whole = cosigned_note(note, [witness.line(note)])
    administrator.run("UPDATE audit_checkpoint SET note = ?, witnessed_at = signed_at WHERE size = ?", given=(whole, older))
    assert (await client.get("/audit/checkpoint")).text == whole
    newest = open_checkpoint((await client.get("/audit/checkpoint?signed")).content, [signer.key]).checkpoint
    assert newest.size == size > older
