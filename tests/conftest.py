"""What every test can ask for: databases (plugins/databases.py), a clock that stands still, chance, the shipped policy."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest

import policies
from policies.terms import Catalogue
from service.values import Chance

pytest_plugins = [
    "tests.plugins.canary",
    "tests.plugins.databases",
    "tests.plugins.heap",
    "tests.plugins.nursery",
    "tests.plugins.obligations",
    "tests.plugins.order",
    "tests.plugins.skipped",
    "tests.plugins.threads",
    "tests.fixtures_app",
]

# The same examples in every run, so that a change is judged by what it changed. `HYPOTHESIS_PROFILE=searching` looks for new ones.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.register_profile("searching", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


class StillClock:
    """A `values.Clock` that moves only when it is told to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float = 0, **more: float) -> None:
        """Move on, by seconds or by whatever `timedelta` takes (`days=30`)."""
        self.now += timedelta(seconds=seconds, **more)


@pytest.fixture
def clock() -> StillClock:
    """2026-11-22 10:00 in Shanghai, and it stays so until somebody calls `advance`."""
    return StillClock()


@pytest.fixture
def chance() -> Chance:
    """Real chance: nothing that is tested may depend on what it yields."""
    return os.urandom


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The policy that ships with Menshen."""
    from policies.catalogue import load

    return load(Path(policies.__file__).parent)
