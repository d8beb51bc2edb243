"""Operational logs: JSON lines with an allow-list of keys (SE-08).

What a log line may hold is written down here; any other key is dropped before it is written, so a careless `log.info(...,
phone=phone)` writes no phone. Messages of foreign exceptions are never logged, because they quote values: types and places are.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

ALLOWED = frozenset(
    {
        *("event", "level", "logger", "timestamp", "code", "type", "path", "operation", "request_id", "status", "duration_ms"),
        *("size", "index", "reason", "key", "setting", "pending", "attempt", "lane", "where", "version", "origin", "scheme"),
        *("error", "kid", "year"),
    }
)
"""Every key that a log line may have."""


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (stderr), as JSON, through the allow-list."""
    # A handler that fails would print the record and a traceback, values and all.
    logging.raiseExceptions = False
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        keep_allowed,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _without_traceback],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def keep_allowed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    """Drop every key that is not on the list; the formatter's own, which begin with an underscore, pass."""
    return {key: value for key, value in event.items() if key in ALLOWED or key.startswith("_")}


def _without_traceback(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401
    """A library's traceback ends with its exception's message: keep the exception's type alone."""
    record = event.get("_record")
    if record is not None and record.exc_info and record.exc_info[0] is not None:
        event["type"] = record.exc_info[0].__name__
        record.exc_info = record.exc_text = None
    return event
