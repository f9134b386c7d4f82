import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from alatau.app.config import LogConfig
from alatau.app.log_limits import FOREIGN
from alatau.app.logging import configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    raises = logging.raiseExceptions
    yield
    logging.captureWarnings(capture=False)
    logging.raiseExceptions = raises
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def test_entries_are_json_lines_off_a_terminal() -> None:
    """One object a line, bytes as hexadecimal, long ones cut."""
    stream = io.StringIO()
    configure_logging(LogConfig(level="info"), stream)
    log = structlog.get_logger()
    log.debug("hidden")
    log.info("block committed", height=5, hash=b"\x01" * 32, block=b"\x02" * 1000)
    entry = json.loads(stream.getvalue())
    assert entry["event"] == "block committed"
    assert entry["level"] == "info"
    assert entry["height"] == 5
    assert entry["hash"] == "0x" + "01" * 32
    assert entry["block"] == "0x" + "02" * 32 + "..."
    assert entry["timestamp"].endswith("Z")


def test_the_standard_librarys_warnings_come_in_the_same_form() -> None:
    """Libraries log through it; their chatter below WARNING stays out."""
    stream = io.StringIO()
    configure_logging(LogConfig(level="debug"), stream)
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("trouble %d", 7)
    assert json.loads(stream.getvalue())["event"] == "trouble 7"


def test_a_traceback_never_prints_local_variables() -> None:
    """They may hold keys and passwords."""
    for form in ("human", "json"):
        stream = io.StringIO()
        configure_logging(LogConfig(format=form), stream)
        password = "hunter" + "2"
        try:
            int("x" if password else "")
        except ValueError:
            structlog.get_logger().exception("failed")
        assert "ValueError" in stream.getvalue()
        assert "hunter2" not in stream.getvalue()


def test_long_values_are_cut() -> None:
    """A stranger's header or a contract's revert reason is quoted, not copied."""
    stream = io.StringIO()
    configure_logging(LogConfig(), stream)
    structlog.get_logger().warning("refused", name="x" * 100_000)
    try:
        {}["y" * 100_000]
    except KeyError:
        logging.getLogger("library").exception("z" * 100_000)
    for line in stream.getvalue().splitlines():
        json.loads(line)
        assert len(line) < 12_000


def test_a_library_that_repeats_itself_is_counted() -> None:
    """Whatever it puts into the message: the place is its line of code."""
    stream = io.StringIO()
    configure_logging(LogConfig(), stream)
    for number in range(1_000):
        logging.getLogger("grpc._cython.cygrpc").error("header %d cannot be read", number)
    assert len(stream.getvalue().splitlines()) <= 2 * FOREIGN.burst
    logging.getLogger("grpc._cython.cygrpc").error("something else")
    assert json.loads(stream.getvalue().splitlines()[-1])["event"] == "something else"


_NOISE = """
import asyncio, logging, os, sys, threading, warnings
from pathlib import Path
from alatau.app.config import LogConfig
from alatau.app.log_limits import FOREIGN
from alatau.app.logging import start_logging
import structlog

start_logging(LogConfig(), Path("."))
structlog.get_logger().info("node.started", name="Қаржы")
warnings.warn("a warning", stacklevel=1)
print("printed")
os.write(2, b"I1126 00:36:59.775531    7614 ssl_transport_security.cc:2563] Handshake failed with error\\n")
os.write(2, b"E1126 00:36:59.775531    7614 tcp.cc:7] read \\xff failed\\n")
os.write(2, b"\\x00\\xff\\n\\n" + b"w" * 30_000 + b"\\n")
for number in range(5_000):
    os.write(2, b"I1126 00:36:59.775531    7614 flood.cc:1] stranger %d\\n" % number)
def fail(): raise KeyError("in a thread")
thread = threading.Thread(target=fail); thread.start(); thread.join()
class Hidden:
    def __del__(self): raise OSError("in a finaliser")
del (hidden := [Hidden()])[0]
async def main():
    asyncio.get_running_loop().call_exception_handler({"message": "from the loop", "exception": OSError("lost")})
asyncio.run(main())
os.write(2, b"no end of line")
raise RuntimeError("nobody caught it")
"""


def test_all_that_a_process_writes_is_json(tmp_path: Path) -> None:
    """Warnings, prints, lines of C code, errors in threads, finalisers and loops, and the one that ends it."""
    done = subprocess.run(
        [sys.executable, "-c", _NOISE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == b""
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    assert all(entry["level"] and entry["timestamp"] and entry["event"] for entry in entries)
    events = {entry["event"] for entry in entries}
    assert {"node.started", "grpc.core", "process.output", "process.crashed", "process.unraisable"} < events
    text = done.stderr.decode()
    for said in (
        *("a warning", "printed", "Handshake failed", "tcp.cc:7", "in a thread", "in a finaliser", "from the loop"),
        *("no end of line", "nobody caught it"),
    ):
        assert said in text, said
    assert sum(entry.get("place") == "flood.cc:1" for entry in entries) <= 2 * FOREIGN.burst
    assert len(text) < 100_000
