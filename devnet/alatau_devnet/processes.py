"""Nodes as processes that outlive their launcher, known by the lock that each holds on its home."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from alatau.app.home import Home, home_user

LOG_NAME: Final = "node.log"
_CHILDREN: Final[dict[Path, subprocess.Popen[bytes]]] = {}
"""Nodes that this process started, by home. They outlive it; while it lives it must take their exit status."""

_POLL_S: Final = 0.05
_STOP_S: Final = 15.0
"""A node stops in order within seconds; after this it is killed."""


def start_process(
    home: Path,
    program: Sequence[str] = ("alatau.cli",),
    sources: Path | None = None,
    command: Sequence[str] = ("start",),
) -> subprocess.Popen[bytes]:
    """Run ``alatau start`` on ``home`` in a session of its own; what it says goes to ``node.log`` in its home.

    Args:
        home: the node's home.
        program: the module that runs it, and its arguments before those of ``alatau``.
        sources: a folder whose packages are taken before the installed ones: a node of another version.
        command: what is run in place of ``start``, such as ``tower start``.
    """
    line = [sys.executable, "-m", *program, "--home", str(home), *command]
    environment = os.environ | ({} if sources is None else {"PYTHONPATH": str(sources)})
    with (home / LOG_NAME).open("ab") as log:
        child = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    _reap(home)
    _CHILDREN[home] = child
    return child


def running_pid(home: Path) -> int | None:
    """The process that runs the node in ``home``, if one does."""
    return home_user(Home(home))


def stop_processes(homes: Iterable[Path]) -> list[int]:
    """Ask the nodes to stop, wait, kill those that do not; gives the ids of those that ran."""
    running = {home: pid for home in homes if (pid := running_pid(home)) is not None}
    for pid in running.values():
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while (alive := [home for home in running if running_pid(home) is not None]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    for home in alive:
        kill_process(home)
    for home in running:
        _reap(home)
    return list(running.values())


def kill_process(home: Path) -> int | None:
    """Kill the node with -9 and wait until the kernel has let go of its home; None where none ran."""
    pid = running_pid(home)
    if pid is None:
        return None
    _signal(pid, signal.SIGKILL)
    while running_pid(home) is not None:
        time.sleep(_POLL_S)
    _reap(home)
    return pid


def log_tail(home: Path, lines: int = 20) -> str:
    """The end of what the node said."""
    try:
        text = (home / LOG_NAME).read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _reap(home: Path) -> None:
    """Take the exit status of a child that has let go of its home, if it is ours."""
    child = _CHILDREN.pop(home, None)
    if child is not None:
        child.wait(_STOP_S)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # It ended on its own between the look and the signal.
