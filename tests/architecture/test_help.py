"""`--help` is the first page that anybody reads: 中文 first, English second, and nothing of it lost at the edge of a terminal."""

import re
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.testing import CliRunner

from service.cli import menshen

CHINESE = re.compile("[\u4e00-\u9fff]")


def commands(found: TyperCommand | TyperGroup, *name: str) -> Iterator[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    yield name, found
    for key, child in found.commands.items() if isinstance(found, TyperGroup) else ():
        assert isinstance(child, TyperCommand | TyperGroup)
        yield from commands(child, *name, key)


COMMANDS = dict(commands(typer.main.get_command(menshen)))


def words(command: TyperCommand | TyperGroup) -> list[str]:
    given = [one for one in command.params if isinstance(one, TyperOption | TyperArgument) and one.name != "help"]
    return [(command.help or "").partition("\n\n")[0], *(one.help or "" for one in given)]


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_what_a_command_does_is_said_in_chinese_first_and_so_is_every_word_of_it(name: tuple[str, ...]) -> None:
    for text in words(COMMANDS[name]):
        chinese, dot, english = text.partition(" · ")
        assert CHINESE.search(chinese) and dot and english and not CHINESE.search(english), text


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_help_on_a_terminal_of_eighty_columns_loses_no_letter(name: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(menshen, [*name, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert shown.exit_code == 0
    assert "…" not in shown.output and "%Y" not in shown.output
    page = re.sub(r"[\s│╭╮╰╯─]+", "", shown.output)
    chinese, _, english = words(COMMANDS[name])[0].partition(" · ")
    assert re.sub(r"\s+", "", chinese) in page and re.sub(r"[\s─]+", "", english) in page
