"""One server a SQLite file."""

import fcntl
from pathlib import Path
from typing import IO

from service.config import Config
from service.errors import ConfigError


def only_server(config: Config) -> IO[str]:
    """The lock lasts as long as this process. Raises ConfigError while another holds it."""
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not config.database.startswith("sqlite"):
        return (config.home / "serve.lock").open("w")
    lock = Path(config.database.removeprefix("sqlite:///") + ".lock").open("w")  # noqa: SIM115  (held as long as the process serves)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise ConfigError("another server uses this SQLite file; use PostgreSQL for several") from None
    return lock
