"""`menshen audit …` and `menshen oversight …` are one instrument: the same word means the same everywhere, and every result is there for
machines, too.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from service.cli.audit import audit
from service.cli.oversight import oversight

SERVING = {"audit witness serve", "audit signer serve"}
"""They run until they are stopped, and say what they do in the operational log."""

REPORTED = {"audit tail restore"}
"""What it did is a file for machines already: its --report."""

PLAIN = {"oversight register", "oversight diff", "oversight record", "oversight access-review"}
"""They say what they found in JSON or CSV and in no other form."""

READ = {"audit verify", "audit tail restore", "oversight recompute"}
"""What is read may stand without an option's name: there is nothing else to give. What is written never does."""

WORDS = {
    "what is looked for": {
        "member",
        "actor",
        "role",
        "purpose",
        "basis",
        "field",
        "denied",
        "reason",
        "operation",
        "type",
        "campaign",
    }
    | {"request", "kind"},
    "when, or from which point of the log on": {"since", "until", "before", "most"},
    "what is written, read, and for whom": {
        "output",
        "from",
        "recipient",
        "reference",
        "json",
        "proof",
        "report",
        "check",
        "last",
    },
    "whom to believe": {"policy", "timestamps", "key", "ml-dsa", "origin", "name", "yes", "approver"},
    "what people did or say, and when": {"title", "on", "document", "reason", "comment", "sign"},
    "as of when, and whose list": {"at", "law"},
    "a process of its own": {"settings", "socket", "state", "allow-uid"},
}
SHORT = {"output": "-o", "settings": "-s"}
KINDS = {"output": Path, "from": Path, "json": bool, "member": str, "field": str, "purpose": str, "recipient": str}


def commands(group: TyperGroup, name: str = "") -> Iterator[tuple[str, TyperCommand]]:
    for key, found in group.commands.items():
        if isinstance(found, TyperGroup):
            yield from commands(found, f"{name}{key} ")
        else:
            assert isinstance(found, TyperCommand)
            yield f"{name}{key}", found


def instrument() -> dict[str, TyperCommand]:
    groups = {f"{name} ": typer.main.get_command(group) for name, group in (("audit", audit), ("oversight", oversight))}
    return {name: one for key, found in groups.items() if isinstance(found, TyperGroup) for name, one in commands(found, key)}


COMMANDS = instrument()


def options(command: TyperCommand) -> list[TyperOption]:
    return [one for one in command.params if isinstance(one, TyperOption)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_a_word_of_one_vocabulary_with_one_short_form_and_one_kind(name: str) -> None:
    known = set().union(*WORDS.values())
    for option in options(COMMANDS[name]):
        long = [one for one in option.opts if one.startswith("--")]
        assert len(long) == 1, "one thing has one name"
        word = long[0].removeprefix("--")
        assert word in known
        assert [one for one in option.opts if not one.startswith("--")] == ([SHORT[word]] if word in SHORT else [])
        kind = option.type_descriptor.annotation
        assert kind is KINDS.get(word, kind)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_or_file_is_written_by_its_option_and_only_one_that_is_read_stands_alone(name: str) -> None:
    arguments = [one for one in COMMANDS[name].params if isinstance(one, TyperArgument)]
    assert [one.name for one in arguments if one.type_descriptor.annotation is Path and name not in READ] == []


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in SERVING | REPORTED | PLAIN])
def test_whatever_a_command_found_is_there_for_machines(name: str) -> None:
    assert "--json" in {word for option in options(COMMANDS[name]) for word in option.opts}
