"""`menshen health`: is the server on this machine ready? A container's runtime asks this every few seconds."""

import json
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

import typer
from rich.console import Console

from service.config import Config

_out = Console(highlight=False, markup=False, soft_wrap=True)
_SECONDS = 3
_LONGEST = 4096
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (where to ask a server that listens everywhere)


def health() -> None:
    """健康检查 · Ask the server on this machine whether it is ready: exit 0 or 1. For a container's health check."""
    wrong = _wrong(Config.load())
    _out.print(f"未就绪 not ready: {wrong}" if wrong else "ok")
    if wrong:
        raise typer.Exit(1)


def _wrong(config: Config) -> str:
    """What keeps it from answering; empty when nothing does."""
    # Straight to the server: a proxy named in the environment (urllib would take it) knows nothing of this machine's loopback.
    host = _EVERY_ADDRESS.get(config.host, config.host)
    with closing(HTTPConnection(host, config.port, timeout=_SECONDS)) as connection:
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            body = answer.read(_LONGEST)
        except (OSError, HTTPException):
            return f"端口 {config.port} 无应答 nothing answers on port {config.port}"
    return "" if answer.status == HTTPStatus.OK else _named(answer.status, body)


def breaker(config: Config) -> str:
    """What the server on this machine says of the log: "ok", "unavailable", "broken"; "unknown" when no server answers."""
    host = _EVERY_ADDRESS.get(config.host, config.host)
    with closing(HTTPConnection(host, config.port, timeout=_SECONDS)) as connection:
        try:
            connection.request("GET", "/readyz")
            return str(json.loads(connection.getresponse().read(_LONGEST))["parts"]["audit"])
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            return "unknown"


def _named(status: int, body: bytes) -> str:
    """The parts that are not there, as /readyz tells them; from whoever else listens on that port, its status."""
    try:
        parts = {str(name): str(found) for name, found in json.loads(body)["parts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {status}"
    return ", ".join(f"{name} {found}" for name, found in parts.items() if found != "ok")
