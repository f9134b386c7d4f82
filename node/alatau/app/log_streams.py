"""Where log lines go, and how lines that are written past the log come into it.

Libraries in C write to file descriptor 2 themselves (grpc's core: ``I1126 00:36:59.77 7614 ssl.cc:12] ...``), and a
dying interpreter does. :func:`capture_descriptors` puts a pipe in place of both standard descriptors and hands each
line to the log; the log writes to what they were before.
"""

import atexit
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import Final, Protocol, TextIO

_LINE_BYTES_MAX: Final = 8 * 1024
"""A longer line is cut into several."""
_READ_SIZE: Final = 64 * 1024
_DRAIN_S: Final = 5.0
"""How long the end of the process waits until what was written before it is in the log."""
_GRPC_LINE: Final = re.compile(r"([IWEF])\d{4} [\d:.]+\s+\d+ (\S+:\d+)\] (.*)", re.DOTALL)
_GRPC_LEVELS: Final = {"I": "info", "W": "warning", "E": "error", "F": "critical"}


class LogStream(Protocol):
    """What the log writes to."""

    def write(self, text: str, /) -> int:
        """Write whole lines."""

    def flush(self) -> None:
        """Hand them to the system."""

    def isatty(self) -> bool:
        """Whether a person reads along."""


class UnfailingStream:
    """A stream that drops what cannot be written: a full disk or a closed pipe must not end a node by its log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        """Flush, or not."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return

    def isatty(self) -> bool:
        """As the stream says."""
        return self._stream.isatty()


class RotatingFile:
    """A log file that is set aside as ``<name>.1`` when it is full, the older ones counted up, the oldest dropped.

    What cannot be written is dropped. Readable by its owner and group.
    """

    def __init__(self, path: Path, size_max: int, files_max: int) -> None:
        """Append to ``path``; raises ``OSError``. ``size_max`` is in bytes, ``files_max`` counts ``path``, too."""
        self._path = path
        self._size_max = size_max
        self._files_max = files_max
        self._lock = Lock()
        self._descriptor = self._open()
        self._size = os.fstat(self._descriptor).st_size

    def write(self, text: str) -> int:
        """Write whole lines."""
        data = text.encode(errors="backslashreplace")
        with self._lock:
            try:
                if self._size and self._size + len(data) > self._size_max:
                    self._rotate()
                self._size += os.write(self._descriptor, data)
            except OSError:
                return 0
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""

    def isatty(self) -> bool:
        """Nobody reads along."""
        return False

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)

    def _rotate(self) -> None:
        for number in range(self._files_max - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
        if self._files_max == 1:
            self._path.unlink(missing_ok=True)
        fresh = self._open()
        os.close(self._descriptor)
        self._descriptor, self._size = fresh, 0


def standard_error() -> TextIO:
    """What descriptor 2 is now, as a stream of its own that stays so when the descriptor is captured."""
    return os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="backslashreplace", buffering=1)


Emit = Callable[[str, str, str, str], None]
"""Takes level, event, place and text of a line that was written past the log."""


def capture_descriptors(emit: Emit) -> None:
    """From now on until the process ends, hand each line written to descriptors 1 and 2 to ``emit``, on a thread."""
    before = [os.dup(1), os.dup(2)]
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(writer, 1)
    os.dup2(writer, 2)
    os.close(writer)
    thread = Thread(target=_read_lines, args=(reader, emit), name="captured output", daemon=True)
    thread.start()

    def release() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate(before, start=1):
            os.dup2(descriptor, number)  # The last writing end closes, so that the reader comes to its end.
        thread.join(_DRAIN_S)

    atexit.register(release)


def _read_lines(reader: int, emit: Emit) -> None:
    waiting = b""
    while data := os.read(reader, _READ_SIZE):
        *lines, waiting = (waiting + data).split(b"\n")
        while len(waiting) > _LINE_BYTES_MAX:
            lines.append(waiting[:_LINE_BYTES_MAX])
            waiting = waiting[_LINE_BYTES_MAX:]
        for line in lines:
            _emit_line(line, emit)
    _emit_line(waiting, emit)


def _emit_line(line: bytes, emit: Emit) -> None:
    text = line[:_LINE_BYTES_MAX].decode(errors="backslashreplace").rstrip()
    if not text:
        return
    if match := _GRPC_LINE.fullmatch(text):
        emit(_GRPC_LEVELS[match[1]], "grpc.core", match[2], match[3])
    else:
        emit("error" if text.startswith("error: ") else "warning", "process.output", "", text)
