"""Vectors that others published, looked for beside the repository: third parties' files are not copied into it."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[3] / "shared" / "vectors"


def folder(name: str) -> Path:
    found = SHARED / name
    if not found.exists():
        pytest.skip(f"the shared vectors are not beside the repository: {name}")
    return found


def shared(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(folder(name).read_text("utf-8"))
    return found


def raw(hashes: list[str] | None) -> list[bytes]:
    return [b64decode(one) for one in hashes or ()]
