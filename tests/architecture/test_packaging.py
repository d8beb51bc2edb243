"""How Menshen is installed and shipped: locks, Makefile, CI, image. No engine is needed: the files are read, and held to rules."""

import ast
import os
import re
import shlex
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.text_rules import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock")


# --- the locks ---------------------------------------------------------------------------------------------------------------------


def locked(name: str) -> dict[str, Requirement]:
    """Package → its line, without the hashes."""
    text = (REPOSITORY / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line.split(" --hash")[0].strip() for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {canonicalize_name(found.name): found for found in map(Requirement, lines)}


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_pinned_and_hashed_and_names_no_place(name: str) -> None:
    text = (REPOSITORY / name).read_text("utf-8")
    for line in text.replace("\\\n", " ").splitlines():
        if line and not line.lstrip().startswith("#"):
            assert re.match(r"^[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}( |$)", line), line[:80]
    assert "://" not in text
    assert not re.search(r"^\s*-[-a-z]", re.sub(r"^\s*--hash.*$", "", text, flags=re.MULTILINE), re.MULTILINE)


def test_whatever_the_project_asks_for_is_locked_in_a_version_that_it_accepts() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = {
        "requirements.lock": PROJECT["project"]["dependencies"] + extras["pkcs11"],
        "requirements-dev.lock": PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"],
    }
    for lock, asked in wanted.items():
        have = locked(lock)
        for requirement in map(Requirement, asked):
            version = next(iter(have[canonicalize_name(requirement.name)].specifier)).version
            assert version in requirement.specifier, f"{lock}: {requirement}: run `make lock`"


def test_tests_run_on_the_versions_that_ship() -> None:
    development = locked("requirements-dev.lock")
    for name, line in locked("requirements.lock").items():
        assert str(development[name].specifier) == str(line.specifier)


# --- the image -------------------------------------------------------------------------------------------------------------------

Instruction = tuple[str, str]


def instructions(text: str) -> list[Instruction]:
    """A Dockerfile's instructions, comments and continuations taken out."""
    whole = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    return [(word.upper(), rest.strip()) for line in whole.splitlines() if line for word, _, rest in [line.partition(" ")]]


def image_problems(text: str) -> Iterator[str]:
    """What is wrong with a Dockerfile, by our rules."""
    found = instructions(text)
    stages = [index for index, (word, _) in enumerate(found) if word == "FROM"]
    if len(stages) < 2:
        yield "one stage: build tools would ship"
    for word, rest in found:
        yield from build_problems(word, rest)
    yield from running_problems(found[stages[-1] :])


def build_problems(word: str, rest: str) -> Iterator[str]:
    """Of one instruction: where it takes things from, and what it leaves in the image's history."""
    if word == "FROM" and not re.search(r":[\w.${}-]*[\d}]-slim", rest):
        yield f"the base {rest} has no version, or is not slim"
    if word == "RUN" and "pip" in rest and "install" in rest and "--require-hashes" not in rest:
        yield "installs without hashes"
    if word in {"ENV", "ARG"} and re.search(r"(SECRET|PASSWORD|TOKEN|_KEY)\w*=\S", rest):
        yield "carries a secret"
    if word == "ADD" or "://" in rest:
        yield f"fetches: {word} {rest[:40]}"


def running_problems(final: list[Instruction]) -> Iterator[str]:
    """Of the stage that ships: who it runs as, how it is stopped, how it is seen to be well."""
    if any(word == "RUN" and re.search(r"\b(pip|apt-get|gcc)\b", rest) for word, rest in final):
        yield "something is installed in the final stage"
    users = [rest for word, rest in final if word == "USER"]
    if not users or re.match(r"(root|0)\b", users[-1]):
        yield "runs as root"
    for needed in sorted({"HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "EXPOSE"} - {word for word, _ in final}):
        yield f"no {needed}"
    for word, rest in final:
        if word in {"ENTRYPOINT", "CMD"} and not rest.startswith("["):
            yield f"{word} in shell form: the shell would swallow SIGTERM"


DOCKERFILE = (REPOSITORY / "Dockerfile").read_text("utf-8")


def test_the_image_keeps_our_rules() -> None:
    assert list(image_problems(DOCKERFILE)) == []


def copied() -> list[str]:
    """What the Dockerfile copies from the repository."""
    lines = [shlex.split(rest) for word, rest in instructions(DOCKERFILE) if word == "COPY" and "--from" not in rest]
    return [source for line in lines for source in line[:-1]]


def test_whatever_the_image_copies_exists_and_reaches_the_builder() -> None:
    kept = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert [source for source in copied() if not (REPOSITORY / source).exists()] == []
    assert set(copied()) == kept


def test_the_image_has_every_package_that_the_wheel_has() -> None:
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied())


def test_whatever_the_image_runs_is_a_command_of_ours() -> None:
    import typer

    from service.cli import menshen

    commands = typer.main.get_command(menshen).commands  # type: ignore[attr-defined]
    run = {
        word: ast.literal_eval(rest[rest.index("[") :])
        for word, rest in instructions(DOCKERFILE)
        if word in {"CMD", "HEALTHCHECK"}
    }
    assert run["CMD"][0] in commands
    assert run["HEALTHCHECK"][:3] == ["python", "-m", "service"]
    assert run["HEALTHCHECK"][3] in commands


@pytest.mark.parametrize(
    ("changed", "into"),
    [
        ("USER 10001:10001", "USER root"),
        ("-slim AS build", " AS build"),
        ("python:${PYTHON}-slim\n", "python:latest\n"),
        ("--require-hashes", ""),
        ("STOPSIGNAL SIGTERM", ""),
        ('ENTRYPOINT ["python", "-m", "service"]', "ENTRYPOINT python -m service"),
        ("WORKDIR", "RUN pip install --require-hashes x\nWORKDIR"),
        ("EXPOSE 8600", "EXPOSE 8600\nENV MENSHEN_SECRET=x"),
        ("COPY policies", "ADD https://example.com/policies"),
    ],
)
def test_a_careless_change_to_the_image_is_caught(changed: str, into: str) -> None:
    assert changed in DOCKERFILE
    assert list(image_problems(DOCKERFILE.replace(changed, into, 1))) != []


# --- one command -------------------------------------------------------------------------------------------------------------------


def test_every_target_of_the_makefile_is_explained_and_declared() -> None:
    text = (REPOSITORY / "Makefile").read_text("utf-8")
    explained = set(re.findall(r"^([a-z]+):.*## \S", text, re.MULTILINE))
    declared = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split())
    assert explained == declared
    assert {"run", "test", "lint", "matrix", "bench", "schema", "lock", "clean", "help"} <= explained


def test_ci_lints_before_it_tests_and_ends_with_the_tests() -> None:
    script = REPOSITORY / ".ci" / "run"
    lines = script.read_text("utf-8").strip().splitlines()
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in lines
    assert lines[-2:] == ["make lint", "make test"]
