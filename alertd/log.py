"""Logging: one stream of events to stderr, JSON unless a person reads along at a terminal.

An event is a constant dotted name, everything variable is a key: ``log.warning("delivery.retry", receiver=name, wait_seconds=15)``. Lines of
other libraries come through the same pipe. Every line passes redaction last, so a credential that slipped into an
exception's text does not reach a file. Instants are UTC in ISO 8601.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from alertd.model.secret import Secret
from alertd.redaction import redact

# They log routine work at INFO, some with whole URLs; what they have to say is said by our own events.
_QUIETED = (
    "aiohttp",
    "alembic",
    "apscheduler",
    "asyncio",
    "httpcore",
    "httpx",
    "msal",
    "sqlalchemy",
    "urllib3",
    "uvicorn",
)


def configure(level: str = "info", line_format: str = "auto", stream: TextIO | None = None) -> None:
    """Send events of this level and above to `stream` (stderr), replacing what was set before; safe to call again after a reload.

    line_format: ``json``, ``console``, or ``auto``: console if the stream is a terminal.
    """
    stream = stream if stream is not None else sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(_renderer(line_format, stream)))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in _QUIETED:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a reload may change the level
    )


def _renderer(line_format: str, stream: TextIO) -> Processor:
    if line_format == "json" or (line_format == "auto" and not stream.isatty()):
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _formatter(renderer: Processor) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact_event, renderer],
    )


def _shared() -> list[Processor]:
    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def redact_event(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG001 - structlog's signature
    """Take credentials out of every value of an event, however deep."""
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(item) for item in value]
    return redact(value if isinstance(value, str) else str(value))
