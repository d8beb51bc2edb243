"""A shop where few members are many: a policy may be stricter than the law."""

from pathlib import Path

import pytest

from service.config import Config
from tests.policy_folder import set_key, shipped


@pytest.fixture
def counts() -> dict[str, int]:
    """The counts of this test's policy."""
    return {"PROPERTY": 2, "TRANSACTION": 5, "OTHER": 8}


@pytest.fixture
def config(database_url: str, tmp_path: Path, counts: dict[str, int]) -> Config:
    """A development instance under those counts."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    folder = shipped(tmp_path)
    for key, count in counts.items():
        set_key(folder, "fields.toml", f"bulk.{key}", count)
    set_key(folder, "roles.toml", "roles.order_service.usual_per_day", 6)
    return Config(home=home, database_url=database_url, policies=folder)
