"""Writes docs/reference.md from the code: every setting, command and reason (`make docs`). Errors have a page of their own."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

import service
from policies.terms import Reason
from service.cli import menshen
from service.config import PREFIX, Config
from service.errors import ServiceError

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"
_HEAD = """# Reference

Written by `make docs` from the code; do not edit. Every error: [errors.md](errors.md).

"""


def text() -> str:
    """The whole page."""
    commands = _commands(typer.main.get_command(menshen), "menshen")
    return "".join(
        [_HEAD, "## Settings\n\n", *_settings(), "\n## Commands\n", *commands, "\n## Reasons for withholding\n\n", *_reasons()]
    )


def codes() -> frozenset[str]:
    """Every code that the service raises."""
    for module in pkgutil.walk_packages(service.__path__, "service."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return frozenset(kind.code for kind in _family(ServiceError) if "code" in vars(kind)) | frozenset(_spelled_out())


def _family(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _spelled_out() -> Iterator[str]:
    """Codes given where an error is raised: `BadInput("…", code="TOO_DEEP")`, `Refused("FORBIDDEN")`."""
    for path in sorted([*ROOT.glob("service/**/*.py"), *ROOT.glob("schema/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                given += node.args[:1] if ast.unparse(node.func) in {"Refused", "super().__init__"} else []
                yield from (str(value.value) for value in given if isinstance(value, ast.Constant) and _is_code(value.value))


def _is_code(value: object) -> bool:
    return isinstance(value, str) and value.replace("_", "").isalpha() and value.isupper()


def _reasons() -> Iterator[str]:
    yield "".join(f"- `{reason}`\n" for reason in Reason)


def _settings() -> Iterator[str]:
    yield "| variable | default | meaning |\n|---|---|---|\n"
    for name, field in Config.model_fields.items():
        yield f"| `{PREFIX}{name.upper()}` | {_default(field)} | {field.description} |\n"
    yield f"\nEach can also be read from a file: `{PREFIX}…_FILE` holds its path. An unknown `{PREFIX}` variable is refused.\n"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "**must be given**"
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return "" if value is None or value == "" else f"`{value}`"


def _commands(command: TyperCommand | TyperGroup, name: str) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for child, found in sorted(command.commands.items()):
            yield from _commands(found, f"{name} {child}")
        return
    yield f"\n### `{name}`\n\n{(command.help or '').strip()}\n"
    rows = [f"| `{_form(param)}` | {param.help or ''} |\n" for param in command.params if param.name != "help"]
    if rows:
        yield "\n| argument | meaning |\n|---|---|\n" + "".join(rows)


def _form(param: TyperArgument | TyperOption) -> str:
    if isinstance(param, TyperArgument):
        return (param.name or "").upper()
    return "`, `".join([*param.opts, *param.secondary_opts])


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
