"""Commands that are known by name, and imported when they are asked for: neither a signer nor a health check must wait for the rest."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from service.cli.laid_out import laid_out


class Commands(Mapping[str, TyperCommand | TyperGroup]):
    """The commands of a menu: name → "module:attribute" of this package, where a function or a Typer stands."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places
        self._known: dict[str, TyperCommand | TyperGroup] = {}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in self._known:
            self._known[name] = _command(name, self._places[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def menu(help_text: str, places: Mapping[str, str]) -> typer.Typer:
    """A group over these commands, in this order."""

    class Menu(TyperGroup):
        def __init__(self, **given: Any) -> None:  # noqa: ANN401
            super().__init__(**given)
            self.commands = cast(MutableMapping[str, Any], Commands(places))

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
            found = super().get_command(ctx, cmd_name)
            return None if found is None else laid_out(cast(TyperCommand, found))

        def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002
            return list(places)

    made = typer.Typer(cls=Menu, help=help_text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    # Without anything of its own, Typer takes it for no command at all.
    made.callback()(lambda: None)
    return made


def _command(name: str, place: str) -> TyperCommand | TyperGroup:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"{__package__}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        made: TyperCommand | TyperGroup = typer.main.get_group(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name=name)(found)
        made = cast(TyperCommand, typer.main.get_command(alone))
    made.name = name
    return made
