import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from alatau.app.config import LogConfig
from alatau.app.logging import configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
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
