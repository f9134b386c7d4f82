"""A real browser for tests: Chromium, driven by puppeteer, with a virtual authenticator for each device."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FOLDER = Path(__file__).parents[1] / "e2e" / "js"


class Browser:
    """Commands of ``tests/e2e/js/pages.mjs``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.errors: list[str] = []
        """What pages logged as errors, of all commands."""

    def ask(self, command: str, **parameters: Any) -> Any:
        """Do one thing. Raises ``AssertionError`` with what went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **parameters}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the browser is gone at {command}"
        answer = json.loads(line)
        self.errors += answer["errors"]
        assert "failed" not in answer, f"{command} {parameters}: {answer['failed']}; logged: {self.errors[-5:]}"
        return answer["result"]

    def page(self, name: str) -> "PageDriver":
        """One that is open."""
        return PageDriver(self, name)


class PageDriver:
    """One page."""

    def __init__(self, browser: Browser, name: str) -> None:
        self._browser = browser
        self.name = name

    def ask(self, command: str, **parameters: Any) -> Any:
        """A command about this page."""
        return self._browser.ask(command, name=self.name, **parameters)

    def click(self, selector: str) -> None:
        """Press what is there, or will be."""
        self.ask("click", selector=selector)

    def press(self, text: str) -> None:
        """Press the button with a text."""
        self.ask("clickText", text=text)

    def text(self, selector: str) -> str:
        """What it says."""
        return str(self.ask("text", selector=selector))

    def wait(self, selector: str, timeout_s: float = 30) -> None:
        """Until it is there."""
        self.ask("wait", selector=selector, timeout=int(timeout_s * 1_000))

    def fill(self, selector: str, value: str) -> None:
        """Type into a field."""
        self.ask("fill", selector=selector, value=value)


@contextmanager
def browser(folder: Path, *, camera: Path | None = None) -> Iterator[Browser]:
    """A browser with an empty profile; ``camera`` is a file that its camera shows."""
    with (
        (folder / "browser.log").open("w") as log,
        subprocess.Popen(
            ["node", "pages.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        opened = Browser(process)
        try:
            opened.ask(
                "start",
                executable=CHROMIUM,
                profile=str(folder / "profile"),
                camera=None if camera is None else str(camera),
            )
            yield opened
        finally:
            try:
                opened.ask("stop")
                process.wait(15)
            except (AssertionError, BrokenPipeError, subprocess.TimeoutExpired):
                process.kill()
