"""Receipts that somebody signed with a key of their own and sent to an auditor, together with that key: what the terminal makes of them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from service.cli.consent import consent
from service.errors import Malformed
from service.receipts import jws
from service.receipts.document import receipt_id
from service.receipts.model import FORMAT, TYPE

HASH = hashlib.sha256(b"anything").hexdigest()
WORDS = [{"@language": "en", "@value": "a receipt"}]


def document(**more: Any) -> dict[str, Any]:
    made = {"dct:conformsTo": [FORMAT], "dct:identifier": receipt_id(bytes.fromhex(HASH)), "dct:source": {"menshen:hash": HASH}}
    return made | {"dct:description": WORDS} | more


def signed(folder: Path, said: dict[str, Any]) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes_raw()

    def text(value: Any) -> str:
        return jws._text(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))

    message = text({"alg": "EdDSA", "kid": jws.thumbprint(raw), "typ": TYPE}) + "." + text(said)
    receipt, keys = folder / "receipt.jws", folder / "jwks.json"
    receipt.write_text(f"{message}.{jws._text(key.sign(message.encode()))}")
    shown = {"alg": "EdDSA", "crv": "Ed25519", "kid": jws.thumbprint(raw), "kty": "OKP", "use": "sig", "x": jws._text(raw)}
    keys.write_text(json.dumps({"keys": [shown]}))
    return receipt, keys


@pytest.mark.obligation("NC-15")
@pytest.mark.parametrize(
    "wrong",
    [
        {"dct:description": None},
        {"dct:description": "text"},
        {"dct:description": [{"@language": "en"}]},
        {"dct:description": [{"@value": 7}]},
        {"dpv:hasNotice": "text"},
        {"dpv:hasNotice": {"dct:language": "en"}},
        {"dpv:hasNotice": [1]},
        {"dct:source": "text"},
        {"dct:conformsTo": 7},
    ],
)
def test_a_signed_document_that_is_no_receipt_is_told_as_none(tmp_path: Path, wrong: dict[str, Any]) -> None:
    said = {key: value for key, value in document(**wrong).items() if value is not None}
    receipt, keys = signed(tmp_path, said)
    result = CliRunner().invoke(consent, ["verify", str(receipt), "--jwks", str(keys), "--notices", str(tmp_path)])
    assert isinstance(result.exception, Malformed), (result.output, repr(result.exception))


@pytest.mark.obligation("NC-15")
@pytest.mark.parametrize("evil", ["\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\u202e"])
def test_a_receipt_cannot_write_over_what_the_terminal_says_of_it(tmp_path: Path, evil: str) -> None:
    said = document(**{"dct:description": [{"@language": "en", "@value": f"a{evil}b\n第二行"}]})
    receipt, keys = signed(tmp_path, said)
    result = CliRunner().invoke(consent, ["verify", str(receipt), "--jwks", str(keys)])
    assert result.exit_code == 0 and "VALID" in result.output
    assert evil not in result.output and evil[0] not in result.output and "第二行" in result.output
