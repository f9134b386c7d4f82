"""Logs: structlog, for people on a terminal and JSON lines elsewhere.

Every entry is an event in a few words with its values as fields. ``height`` and ``tx`` are the ids to follow a block
or a transaction by, in every module.
"""

import logging
import sys
from typing import Any, Final, TextIO

import structlog

from alatau.app.config import LogConfig

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SHOWN_BYTES: Final = 32
"""Longer byte strings are cut: a log is no place for blocks."""


def configure_logging(config: LogConfig, stream: TextIO = sys.stderr) -> None:
    """Send all entries, the standard library's too, to ``stream``."""
    human = config.format == "human" or (config.format == "auto" and stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if human else "iso", utc=not human),
        _bytes_as_hex,
    ]
    renderers: list[Any] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(),
                pad_event_to=28,
                exception_formatter=structlog.dev.plain_traceback,  # the fancy one prints locals: keys, passwords
            )
        ]
        if human
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    structlog.configure(
        processors=shared + renderers,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[config.level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    _capture_standard_library(stream, shared, renderers, _LEVELS[config.level])


def _capture_standard_library(stream: TextIO, shared: list[Any], renderers: list[Any], level: int) -> None:
    handler = logging.StreamHandler(stream)
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove_meta, *renderers])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell at INFO what only their authors want to know.
    root.setLevel(max(level, logging.WARNING))


def _bytes_as_hex(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    for name, value in event.items():
        if isinstance(value, bytes):
            event[name] = "0x" + value[:_SHOWN_BYTES].hex() + ("..." if len(value) > _SHOWN_BYTES else "")
    return event
