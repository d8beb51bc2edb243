"""Alarms, who is told of them, and the watch that raises them."""

from functools import partial
from pathlib import Path

from service.alarms.commands import raise_alarm
from service.alarms.model import WATCH, AlarmKind, Rules
from service.alarms.opening import carriers
from service.alarms.settings import load
from service.alarms.telling import Bell
from service.app import Parts, kept
from service.audit.entry import Draft
from service.values import Call


async def raised(running: Parts, kind: AlarmKind = AlarmKind.DENIED_STREAK, about: str = "staff:clerk@shop") -> str:
    """Raise one, as the watch does; its id."""
    work = partial(raise_alarm, kind=kind, about=about)
    return await running.units.change(Call(WATCH, "req-watch"), Draft(typ="admin", operation="raiseAlarm"), work)


def alarms_file(folder: Path, port: int, *, more: str = "") -> Path:
    """A deployment that mails its alarms to a server on loopback."""
    path = folder / "alarms.toml"
    path.write_text(
        f'[mail]\nhost = "127.0.0.1"\nport = {port}\nfrom = "menshen@corp.example"\nto = ["compliance@corp.example"]\n{more}',
        "utf-8",
    )
    path.chmod(0o600)
    return path


def bell(running: Parts, path: Path | None, *, rules: Rules | None = None) -> Bell:
    """What rings, over what the file says."""
    told = load(path, production=False)
    return Bell(units=running.units, carriers=carriers(told, None), rules=rules or told.rules, clock=running.clock)


async def plant(running: Parts, member_id: str) -> None:
    """Make a member a bait, and let the door know."""
    from service.alarms import baits

    async def work(unit):
        return await baits.add(unit, member_id, kept)

    await running.units.change(Call(WATCH, "req-plant"), Draft(typ="admin", operation="plantMember"), work)
    running.guard.know(await baits.names(running.database.read, running.vault, kept, now=running.clock()))
