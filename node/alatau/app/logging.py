"""Logs: structlog, for people on a terminal and JSON lines elsewhere.

Every entry is an event in a few words with its values as fields. ``height`` and ``tx`` are the ids to follow a block
or a transaction by, in every module.

Whatever a process writes comes through here while its node runs: also libraries' entries, Python's warnings, errors
that nobody caught, and lines that C code writes to the standard descriptors. Entries are limited by place
(``log_limits``) and cut to size, so that no stranger fills the disk by what the node says about him.
"""

import logging
import sys
import threading
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import structlog

from alatau.app.config import LogConfig
from alatau.app.log_limits import FOREIGN, OWN_NEWS, OWN_TROUBLE, LogLimiter
from alatau.app.log_streams import LogStream, RotatingFile, UnfailingStream, capture_descriptors, standard_error

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SHOWN_BYTES: Final = 32
"""Longer byte strings are cut: a log is no place for blocks."""
_TEXT_MAX: Final = 2_048
"""Characters of a value; most are a name or a sentence."""
_TRACEBACK_MAX: Final = 8_192
"""Characters of a traceback, of which the end says most."""
_MIB: Final = 1 << 20

_Event = MutableMapping[str, Any]


def start_logging(config: LogConfig, home: Path) -> None:
    """Log as the node in ``home`` is configured to, and capture everything that this process writes until it ends.

    Raises:
        OSError: the configured file cannot be opened.
    """
    stream: LogStream
    if config.file:
        stream = RotatingFile(home / config.file, config.file_mib_max * _MIB, config.files_max)
    else:
        stream = UnfailingStream(standard_error())
    configure_logging(config, stream)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable
    capture_descriptors(_log_captured)


def configure_logging(config: LogConfig, stream: LogStream) -> None:
    """Send all entries, the standard library's and Python's warnings too, to ``stream``."""
    human = config.format == "human" or (config.format == "auto" and stream.isatty())
    limiter = LogLimiter()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if human else "iso", utc=not human),
        _bytes_as_hex,
    ]
    renderers: list[Any] = [structlog.processors.format_exc_info, _cut]
    if human:
        renderers.append(
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(),
                pad_event_to=28,
                exception_formatter=structlog.dev.plain_traceback,  # the fancy one prints locals: keys, passwords
            )
        )
    else:
        renderers.append(structlog.processors.JSONRenderer(ensure_ascii=False, default=repr))
    structlog.configure(
        processors=[_Limited(limiter), *shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[config.level]),
        # It only writes and flushes, whatever its type says.
        logger_factory=structlog.WriteLoggerFactory(stream),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    _take_standard_library(stream, shared, renderers, limiter, _LEVELS[config.level])


class _Limited:
    """Drops an entry of ours whose place has said enough."""

    def __init__(self, limiter: LogLimiter) -> None:
        self._limiter = limiter

    def __call__(self, _logger: object, method: str, event: _Event) -> _Event:
        if "captured" in event:  # A line of C code: its place is where that code says it is.
            place, rate = ("captured", event.pop("captured")), FOREIGN
        else:
            place, rate = ("own", event["event"]), OWN_NEWS if method in ("debug", "info") else OWN_TROUBLE
        suppressed = self._limiter.admit(place, rate)
        if suppressed is None:
            raise structlog.DropEvent
        if suppressed:
            event["suppressed"] = suppressed
        return event


class _LimitedRecords(logging.Filter):
    """Drops an entry of a library whose line of code has said enough."""

    def __init__(self, limiter: LogLimiter) -> None:
        super().__init__()
        self._limiter = limiter

    def filter(self, record: logging.LogRecord) -> bool:
        suppressed = self._limiter.admit(("library", record.name, record.pathname, record.lineno), FOREIGN)
        record.suppressed = suppressed
        return suppressed is not None


def _take_standard_library(
    stream: LogStream, shared: list[Any], renderers: list[Any], limiter: LogLimiter, level: int
) -> None:
    handler = logging.StreamHandler(stream)
    handler.addFilter(_LimitedRecords(limiter))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _name_library],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell at INFO what only their authors want to know.
    root.setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # An entry that cannot be formatted is no reason for a traceback past the log.


def _name_library(_logger: object, _method: str, event: _Event) -> _Event:
    record = event["_record"]
    event["library"] = record.name
    if record.suppressed:
        event["suppressed"] = record.suppressed
    return event


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    structlog.get_logger(__name__).critical("process.crashed", exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        _log_uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _log_unraisable(arguments: "sys.UnraisableHookArgs") -> None:
    structlog.get_logger(__name__).error(
        "process.unraisable", what=repr(arguments.object), error=repr(arguments.exc_value)
    )


def _log_captured(level: str, event: str, place: str, text: str) -> None:
    log = structlog.get_logger(__name__)
    fields = {"place": place, "text": text} if place else {"text": text}
    log.log(logging.getLevelNamesMapping()[level.upper()], event, captured=place, **fields)


def _bytes_as_hex(_logger: object, _method: str, event: _Event) -> _Event:
    for name, value in event.items():
        if isinstance(value, bytes):
            event[name] = "0x" + value[:_SHOWN_BYTES].hex() + ("..." if len(value) > _SHOWN_BYTES else "")
    return event


def _cut(_logger: object, _method: str, event: _Event) -> _Event:
    for name, value in event.items():
        if name == "exception" and isinstance(value, str) and len(value) > _TRACEBACK_MAX:
            event[name] = "..." + value[-_TRACEBACK_MAX:]
        elif name != "exception" and isinstance(value, str) and len(value) > _TEXT_MAX:
            event[name] = value[:_TEXT_MAX] + "..."
    return event
