"""`menshen consent verify`: a stranger's terminal, with three files and no network."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import policies
from service.app import parts
from service.cli.consent import consent
from service.config import Config
from service.errors import BadInput, Malformed
from service.receipts import jws
from tests.factories import a_call, a_member
from tests.service.receipts.asking import answered

Verify = Callable[..., Result]
NOTICES = Path(policies.__file__).parent / "notices"


@pytest.fixture
def files(config: Config, tmp_path: Path) -> dict[str, Path]:
    """What somebody was handed: a receipt, as GraphQL answered it and bare, and the published keys."""

    async def live() -> tuple[str, bytes]:
        async with parts(config) as running:
            member_id = await a_member(running)
            event_id = await answered(running, member_id, "birthday_gift")
            made = await running.operations.consent_receipt(a_call("member", member_id=member_id), event_id=event_id)
            assert made is not None
            return made.jws, jws.key_set(running.vault.public_keys("receipt"))

    compact, keys = asyncio.run(live())
    found = {"jws": tmp_path / "receipt.jws", "json": tmp_path / "answer.json", "keys": tmp_path / "jwks.json"}
    found["jws"].write_text(compact + "\n")
    found["json"].write_text(json.dumps({"data": {"mine": {"receiptId": "x", "jws": compact}}}))
    found["keys"].write_bytes(keys)
    return found


@pytest.fixture
def verify() -> Verify:
    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(consent, ["verify", *map(str, arguments)])

    return invoke


def told(result: Result) -> Any:
    return json.loads(result.output)


@pytest.mark.obligation("NC-15")
@pytest.mark.parametrize("form", ["jws", "json"])
def test_a_valid_receipt_says_in_both_languages_what_it_proves(verify: Verify, files: dict[str, Path], form: str) -> None:
    result = verify(files[form], "--jwks", files["keys"], "--notices", NOTICES)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("VALID\n")
    for shown in (
        "一个字节都没有改动",
        "not a byte has changed",
        "已核对 checked",
        "此后是否撤回",
        "结果：同意",
        "Answer: given",
        "是否同意",
    ):
        assert shown in result.output
    facts = told(verify(files[form], "--jwks", files["keys"], "--notices", NOTICES, "--json"))
    assert (facts["verdict"], facts["noticeChecked"]) == ("VALID", True)
    assert facts["receipt"]["@type"] == "dpv:ConsentReceipt"


def test_without_the_notice_it_says_that_it_was_not_checked(verify: Verify, files: dict[str, Path]) -> None:
    result = verify(files["jws"], "--jwks", files["keys"])
    assert result.exit_code == 0 and "not checked" in result.output
    assert told(verify(files["jws"], "--jwks", files["keys"], "--json"))["noticeChecked"] is False


@pytest.mark.obligation("NC-15")
def test_an_altered_receipt_is_not_even_shown(verify: Verify, files: dict[str, Path]) -> None:
    header, payload, signature = files["jws"].read_text().strip().split(".")
    files["jws"].write_text(".".join((header, payload[:400] + ("A" if payload[400] != "A" else "B") + payload[401:], signature)))
    result = verify(files["jws"], "--jwks", files["keys"])
    assert result.exit_code == 1 and result.output.startswith("ALTERED\n")
    assert "birthday" not in result.output and "示例零售" not in result.output
    assert told(verify(files["jws"], "--jwks", files["keys"], "--json"))["receipt"] is None


def test_without_the_key_nothing_is_believed(verify: Verify, files: dict[str, Path]) -> None:
    for result in (verify(files["jws"]), verify(files["jws"], "--jwks", _other_keys(files["keys"]))):
        assert result.exit_code == 1 and result.output.startswith("UNKNOWN_KEY\n")
        assert "/.well-known/menshen/jwks.json" in result.output and "birthday" not in result.output


def _other_keys(beside: Path) -> Path:
    from tests.service.vault import vaults

    path = beside.with_name("other.json")
    path.write_bytes(jws.key_set(vaults.vault().public_keys("receipt")))
    return path


@pytest.mark.obligation("NC-15", "NC-03")
def test_a_notice_with_one_other_byte_is_found(verify: Verify, files: dict[str, Path], tmp_path: Path) -> None:
    shown = tmp_path / "notices" / "2026-10" / "zh-CN.md"
    shown.parent.mkdir(parents=True)
    missing = verify(files["jws"], "--jwks", files["keys"], "--notices", tmp_path / "notices")
    shown.write_bytes((NOTICES / "2026-10" / "zh-CN.md").read_bytes() + b" ")
    differing = verify(files["jws"], "--jwks", files["keys"], "--notices", tmp_path / "notices")
    for result in (missing, differing):
        assert result.exit_code == 1 and result.output.startswith("NOTICE_DIFFERS\n")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"{", b"a.b.c", b"\xff\xfe", b"[1]", b'{"jws": 1}', b'{"data": {"a": null}}', b"." * 300_000]
)
def test_what_is_no_receipt_is_one_clear_error(verify: Verify, files: dict[str, Path], content: bytes) -> None:
    files["jws"].write_bytes(content)
    assert isinstance(verify(files["jws"], "--jwks", files["keys"]).exception, Malformed)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "d": "AA", "x": "AA"}]}']
)
def test_keys_that_are_none_are_one_clear_error(verify: Verify, files: dict[str, Path], content: bytes) -> None:
    files["keys"].write_bytes(content)
    assert isinstance(verify(files["jws"], "--jwks", files["keys"]).exception, Malformed)


def test_a_file_that_is_not_there_is_one_clear_error(verify: Verify, files: dict[str, Path], tmp_path: Path) -> None:
    for arguments in ((tmp_path / "nothing",), (files["jws"], "--jwks", tmp_path / "nothing"), (tmp_path,)):
        assert isinstance(verify(*arguments).exception, BadInput)
