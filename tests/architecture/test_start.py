"""What a command does not need, it does not wait for: processes that are started as an operator starts them, and what they import."""

import re
import subprocess
import sys

import pytest

from tests.plugins.nursery import ROOT

DEAR = {"schema", "strawberry", "graphql", "openpyxl", "boto3", "hypothesis"}
"""Two thirds of a second, before anything is done, for the schema alone."""


def imported(*words: str) -> set[str]:
    command = [sys.executable, "-X", "importtime", "-m", "service", *words, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return set(re.findall(r"^import time:.*\| +([\w.]+)$", done.stderr, re.MULTILINE))


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("audit verify", {"alembic", "uvicorn", "service.addresses"}),
        ("audit signer serve", {"alembic", "uvicorn", "starlette", "phonenumbers", "service.app", "service.operations"}),
        ("audit witness serve", {"alembic", "phonenumbers", "service.app", "service.operations"}),
        ("health", {"alembic", "uvicorn", "starlette", "sqlalchemy", "phonenumbers", "service.app"}),
        ("work", {"alembic", "uvicorn", "service.addresses"}),
    ],
)
def test_a_command_that_serves_no_graphql_imports_none(command: str, others: set[str]) -> None:
    found = imported(*command.split())
    assert "service.cli" in found
    assert found & (DEAR | others) == set()
