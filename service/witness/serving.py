"""The process of a witness: its file, its key, its server. It knows no database of Menshen's and no setting of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

import uvicorn
from prometheus_client.registry import CollectorRegistry
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.background import beside
from service.checkpoints.outside import Outside
from service.config import private_bytes
from service.errors import ConfigError
from service.values import Clock
from service.witness import cosigner
from service.witness.evidence import Evidence
from service.witness.judging import Witness
from service.witness.mirror import Mirror
from service.witness.server import Counts, application, mirrored
from service.witness.settings import Settings
from service.witness.store import Store

_CONNECTIONS = 256
FETCH_SECONDS = 30.0


class Patient(HttpToolsProtocol):
    """A connection that must say what it wants within ten seconds: whoever sends a letter of a header a second is cut off."""

    head_seconds = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The clock runs from here, and from the beginning of each further request."""
        super().connection_made(transport)
        self._wait = self.loop.call_later(self.head_seconds, self._cut)

    def on_message_begin(self) -> None:
        """See `connection_made`."""
        super().on_message_begin()
        self._wait.cancel()
        self._wait = self.loop.call_later(self.head_seconds, self._cut)

    def on_headers_complete(self) -> None:
        """The head has come; the body has a time of its own."""
        self._wait.cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._wait.cancel()
        super().connection_lost(exc)

    def _cut(self) -> None:
        self.transport.abort()


def opened(stack: ExitStack, settings: Settings, *, clock: Clock) -> tuple[Starlette, list[Mirror]]:
    """The application over what the settings name, and the copies that it serves; what it opens is closed with `stack`.

    Raises ConfigError or StoreUnavailable.
    """
    signer = cosigner.read(settings.key)
    try:
        settings.store.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        raise ConfigError("the witness's settings: store: the folder cannot be made") from None
    logs = {log.origin: log.keys for log in settings.logs}
    store = stack.enter_context(Store(settings.store / "witness.db"))
    evidence = Evidence(settings.store / "evidence")
    witness = Witness(logs=logs, cosigner=signer, store=store, evidence=evidence, clock=clock)
    mirrors = _mirrors(settings, witness, signer, clock=clock)
    more = mirrored(mirrors, _token(settings.mirror_token))
    counts = Counts(CollectorRegistry(), mirrors={mirror.origin: mirror.state for mirror in mirrors.values()})
    return application(witness, origins=logs, counts=counts, more=more), list(mirrors.values())


def _mirrors(settings: Settings, witness: Witness, signer: cosigner.Cosigner, *, clock: Clock) -> dict[str, Mirror]:
    """The copies by the hash of their origin."""
    if settings.mirror_key is None:
        return {}
    own = cosigner.read(settings.mirror_key)
    if own.name == signer.name:
        raise ConfigError("the witness's settings: mirror_key: a mirror's name is not the witness's")
    found = {}
    for log in settings.logs:
        name = sha256(log.origin.encode()).hexdigest()
        if log.tiles:
            found[name] = Mirror(
                origin=log.origin,
                folder=settings.store / "mirror" / name,
                tiles=log.tiles,
                token=log.token,
                newest=partial(witness.newest, log.origin),
                cosigner=own,
                outside=Outside(seconds=FETCH_SECONDS),
                clock=clock,
            )
    return found


def _token(path: Path | None) -> str:
    return "" if path is None else private_bytes(path, "the witness's settings: mirror_token").decode("ascii", "replace").strip()


@asynccontextmanager
async def mirroring(mirrors: Sequence[Mirror]) -> AsyncIterator[None]:
    """Copies are kept in the background."""
    try:
        async with beside(*(mirror.run for mirror in mirrors), grace=0):
            yield
    finally:
        for mirror in mirrors:
            await mirror.outside.close()


def configured(settings: Settings, made: Starlette) -> uvicorn.Config:
    """The server: few connections, each in a hurry, and no word about who came."""
    return uvicorn.Config(
        made,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        http=Patient,
        ws="none",
        lifespan="off",
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.certificate_key,
    )
