"""What the tests of the policy share: a copy of the shipped folder, to be broken."""

import shutil
from pathlib import Path

import pytest

from policies.catalogue import SHIPPED
from policies.loading import files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policy."""
    copy = tmp_path / "policy"
    for name in files.snapshot(SHIPPED):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SHIPPED / name, copy / name)
    return copy
