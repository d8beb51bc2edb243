"""What stands in an entry does nothing to the terminal of whoever looks at it."""

import asyncio
import json

import pytest
from click.testing import Result
from typer.testing import CliRunner

from service.app import parts
from service.audit.entry import Draft
from service.cli import menshen
from service.config import Config
from service.errors import Malformed
from tests.factories import a_call
from tests.journeys.servers import environment
from tests.service.audit.logs import Administrator

ODD = "\x9b2J\u202egnp.exe"


async def _logged(config: Config) -> int:
    async with parts(config) as running:
        draft = Draft(typ="admin", operation="test", extra={"reason": ODD})
        return (await running.journal.append(draft, a_call("compliance_officer"))).index


@pytest.fixture
def index(config: Config) -> int:
    return asyncio.run(_logged(config))


def run(config: Config, *words: str) -> Result:
    return CliRunner().invoke(menshen, ["audit", *words], env=environment(config.home, config.database_url))


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_an_entry_is_shown_without_letters_that_move_the_cursor_and_stays_the_same_json(
    config: Config, index: int, more: list[str]
):
    shown = run(config, "show", str(index), *more)
    assert shown.exit_code == 0 and not {"\x9b", "\u202e"} & set(shown.stdout)
    told = json.loads(shown.stdout)
    assert (told["entry"] if more else told)["x"]["reason"] == ODD


def test_found_entries_are_shown_so_too(config: Config, index: int):
    shown = run(config, "search", "--operation", "test", "--json")
    assert not {"\x9b", "\u202e"} & set(shown.stdout)
    assert [one["entry"]["x"]["reason"] for one in json.loads(shown.stdout)] == [ODD]


def test_what_somebody_put_in_an_entrys_place_is_refused_with_a_code_and_not_quoted(config: Config, index: int):
    Administrator(config.database_url).run("UPDATE audit_entry SET entry = ? WHERE idx = ?", given=(b"{13800138000", index))
    shown = run(config, "show", str(index))
    assert isinstance(shown.exception, Malformed) and "138" not in shown.output + str(shown.exception)
