"""The oracle's process: its venv, its start, one question at a time, and its end."""

import json
import selectors
import subprocess
import sys
import venv
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).parents[3]
REQUIREMENTS = _ROOT / "requirements" / "oracle.txt"
VENV = _ROOT / ".venv-oracle"
_ANSWER_TIMEOUT_S = 60.0
"""The specification takes seconds for a deep recursion, and pairings in pure Python take longer still."""


class OracleTimeoutError(Exception):
    """The oracle did not answer in time. The case is left out; the process has been ended."""


def ensure_venv() -> Path:
    """The Python of the oracle's venv, which is made and filled if it is not there."""
    python = VENV / "bin" / "python"
    marker = VENV / ".setup-done"
    if not marker.exists() or marker.stat().st_mtime < REQUIREMENTS.stat().st_mtime:
        sys.stderr.write(f"setting up {VENV} (once)\n")
        venv.create(VENV, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        # Without --no-deps pip would resolve again, and a release published since the lock was written would stop it.
        subprocess.run([*pip, "install", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)], check=True)
        subprocess.run([*pip, "check"], check=True)
        marker.touch()
    return python


class Oracle:
    """Asks the executable specification. A context manager; restarts its process after a timeout."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def answer(self, case: dict[str, Any]) -> dict[str, Any]:
        """What the specification says.

        Raises:
            OracleTimeoutError: it takes too long.
            RuntimeError: the process ended; its own message is on standard error.
        """
        if self._process is None:
            command = [str(self._python), str(Path(__file__).with_name("oracle.py"))]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(case).encode() + b"\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(_ANSWER_TIMEOUT_S):
                self.close()
                raise OracleTimeoutError
        line = process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError("the oracle's process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
