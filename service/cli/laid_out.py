"""Help as a terminal shows it: 中文 on one line, English on the next.

The code says both in one line, with a dot between them, and breaks paragraphs at the file's margin. In Typer's columns that reads badly:
they keep the file's breaks, and Rich 15 cuts a letter off a line of 中文 that is just full (`Text.rstrip_end` counts letters, not cells).
"""

import inspect
from datetime import datetime

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_BETWEEN = " · "
_KEEPS_BREAKS = "\b\n"


def laid_out(command: TyperCommand | TyperGroup) -> TyperCommand | TyperGroup:
    """The same command, its help in lines for a terminal. A second time changes nothing."""
    summary, *paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    command.short_help = _KEEPS_BREAKS + summary.replace(_BETWEEN, "\n")
    command.help = "\n\n".join((summary, *(one.replace("\n", " ") for one in paragraphs)))
    for param in command.params:
        if isinstance(param, TyperOption | TyperArgument):
            param.help = (param.help or "").replace(_BETWEEN, "\n\n")
            # Else the formats themselves, percent signs and all.
            param.metavar = "<date>" if param.type_descriptor.annotation is datetime else param.metavar
    # A menu's commands are imported, and laid out, when they are asked for.
    for child in command.commands.values() if isinstance(command, TyperGroup) and isinstance(command.commands, dict) else ():
        laid_out(child)
    return command
