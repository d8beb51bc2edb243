"""The local file: made once, kept private, announced, and never in production."""

import asyncio
import logging
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from service.errors import ConfigError, KeyUnavailable
from service.vault.kms import Kms, kms_for

CONTEXT = {"use": "members"}


def local(path: Path) -> Kms:
    return kms_for(f"local:{path}", chance=os.urandom, production=False)


async def test_the_file_is_made_with_mode_0600_at_the_first_key_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "home" / "development.key"
    kms = local(path)
    assert not path.exists()
    await kms.generate_data_key(CONTEXT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("menshen/local-kms/v1\n")
    before = path.read_bytes()
    await local(path).generate_data_key(CONTEXT)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


async def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "development.key"
    wrapped = (await local(path).generate_data_key(CONTEXT)).wrapped
    for mode in (0o640, 0o604, 0o660, 0o700, 0o666, 0o4600):
        path.chmod(mode)
        with pytest.raises(KeyUnavailable, match="0600"):
            await local(path).unwrap(wrapped, CONTEXT)
    path.chmod(0o400)
    assert len(await local(path).unwrap(wrapped, CONTEXT)) == 32


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "development.key"
    wrapped = (await local(path).generate_data_key(CONTEXT)).wrapped
    os.chown(path, 65534, -1)
    with pytest.raises(KeyUnavailable, match="somebody else"):
        await local(path).unwrap(wrapped, CONTEXT)


async def test_a_link_to_a_file_is_not_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.key", tmp_path / "link.key"
    wrapped = (await local(real).generate_data_key(CONTEXT)).wrapped
    link.symlink_to(real)
    with pytest.raises(KeyUnavailable):
        await local(link).unwrap(wrapped, CONTEXT)
    dangling = tmp_path / "dangling.key"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(KeyUnavailable):
        await local(dangling).generate_data_key(CONTEXT)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "menshen/local-kms/v1\n",
        "menshen/local-kms/v2\n" + "0" * 64 + "\n",
        "menshen/local-kms/v1\n" + "0" * 64,
        "menshen/local-kms/v1\n" + "0" * 62 + "\n",
        "menshen/local-kms/v1\n" + "A" * 64 + "\n",
        "menshen/local-kms/v1\n" + "0 " * 64 + "\n",
        "menshen/local-kms/v1\n" + "0" * 64 + "\n\n",
        "门神\n",
    ],
)
async def test_a_file_of_any_other_form_is_refused_and_not_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "development.key"
    path.write_text(content, "utf-8")
    path.chmod(0o600)
    for work in (local(path).health(), local(path).generate_data_key(CONTEXT)):
        with pytest.raises(KeyUnavailable):
            await work
    assert path.read_text("utf-8") == content


async def test_a_folder_that_cannot_be_written_is_named_as_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyUnavailable, match="cannot be made"):
        await local(tmp_path / "file" / "development.key").generate_data_key(CONTEXT)


def test_it_says_aloud_what_it_is_at_every_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for start in (1, 2):
        local(tmp_path / "development.key")
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == start
        assert "DEVELOPMENT KEY" in warnings[-1].getMessage()


def test_production_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="production"):
        kms_for(f"local:{tmp_path / 'key'}", chance=os.urandom, production=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("uri", ["", "local", "local:", "file:/tmp/key", "aws-kms:key", "LOCAL:/tmp/key", ":", "pkcs11:"])
def test_a_uri_that_is_not_understood_is_refused_without_being_repeated(uri: str) -> None:
    with pytest.raises(ConfigError, match="MENSHEN_KMS_URI") as caught:
        kms_for(uri, chance=os.urandom, production=False)
    assert "/tmp/key" not in str(caught.value)


def _first_key(path: Path, ready: "multiprocessing.Barrier", out: "multiprocessing.Queue[bytes]") -> None:  # type: ignore[valid-type]
    kms = local(path)
    ready.wait(20)  # type: ignore[attr-defined]
    out.put(asyncio.run(kms.generate_data_key(CONTEXT)).wrapped)


def test_two_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    path = tmp_path / "development.key"
    spawn = multiprocessing.get_context("spawn")
    ready, out = spawn.Barrier(4), spawn.Queue()
    processes = [spawn.Process(target=_first_key, args=(path, ready, out)) for _ in range(4)]
    for process in processes:
        process.start()
    wrapped = [out.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert set(tmp_path.iterdir()) == {path}, "something was left lying aside"
    for blob in wrapped:
        assert len(asyncio.run(local(path).unwrap(blob, CONTEXT))) == 32
