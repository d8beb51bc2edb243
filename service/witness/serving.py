"""The process of a witness: its file, its key, its server. It knows no database of Menshen's and no setting of it."""

import asyncio
from contextlib import ExitStack

import uvicorn
from prometheus_client.registry import CollectorRegistry
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import ConfigError
from service.values import Clock
from service.witness import cosigner
from service.witness.evidence import Evidence
from service.witness.judging import Witness
from service.witness.server import Counts, application
from service.witness.settings import Settings
from service.witness.store import Store

_CONNECTIONS = 256


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


def opened(stack: ExitStack, settings: Settings, *, clock: Clock) -> Starlette:
    """The application over what the settings name; what it opens is closed with `stack`. Raises ConfigError or StoreUnavailable."""
    signer = cosigner.read(settings.key)
    try:
        settings.store.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        raise ConfigError("the witness's settings: store: the folder cannot be made") from None
    logs = {log.origin: log.keys for log in settings.logs}
    store = stack.enter_context(Store(settings.store / "witness.db"))
    evidence = Evidence(settings.store / "evidence")
    witness = Witness(logs=logs, cosigner=signer, store=store, evidence=evidence, clock=clock)
    return application(witness, origins=logs, counts=Counts(CollectorRegistry()), more=[])


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
