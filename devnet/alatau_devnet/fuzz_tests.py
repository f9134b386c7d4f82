"""Run the property tests with fresh seeds until time is up: ``make fuzz-tests MINUTES=5``.

``make test`` draws the same examples at every run. This draws new ones, a file of tests at a time, and where a
test fails prints its smallest example: keep it as an ``@example`` (or a test of its own) beside the fix. Exit code 1
says that something was found.
"""

import argparse
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_ROOT: Final = Path(__file__).resolve().parents[2]
_LONGEST_S: Final = 900
"""A file that takes longer than this with one seed is ended; shrinking a failure is the slow part."""


def main() -> int:
    """Parse the command line, fuzz, tell."""
    parser = argparse.ArgumentParser(prog="make fuzz-tests", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, help="draw the files and seeds from this one; a fresh one otherwise")
    parser.add_argument("places", nargs="*", type=Path, help="files or folders; all tests otherwise")
    arguments = parser.parse_args()
    files = property_tests([place.resolve() for place in arguments.places or [_ROOT / "tests"]])
    if not files:
        sys.stderr.write("no property tests there\n")
        return 2
    first = random.SystemRandom().getrandbits(32) if arguments.seed is None else arguments.seed
    print(f"{len(files)} files of property tests, seed {first}")
    return 1 if explore(files, first, arguments.minutes * 60) else 0


def property_tests(places: list[Path]) -> list[Path]:
    """The test files under ``places`` that draw examples."""
    found = {file for place in places for file in ([place] if place.is_file() else place.rglob("test_*.py"))}
    return sorted(file for file in found if re.search(r"^(from|import) hypothesis", file.read_text(), re.MULTILINE))


def explore(files: list[Path], first_seed: int, seconds: float) -> list[Path]:
    """Run each file in turn with one seed after another; the files in which something was found."""
    draw = random.Random(first_seed)  # noqa: S311  repeatable, not secret
    began, runs = time.monotonic(), 0
    failed: list[Path] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=seconds)
        while time.monotonic() - began < seconds and len(failed) < len(files):
            waiting = [file for file in files if file not in failed]
            draw.shuffle(waiting)
            for file in waiting:
                passed = time.monotonic() - began
                if passed >= seconds:
                    break
                progress.update(task, completed=passed, description=f"{runs} runs, {file.relative_to(_ROOT)}")
                seed, runs = draw.getrandbits(32), runs + 1
                report = run_once(file, seed)
                if report:
                    failed.append(file)
                    progress.console.print(
                        f"\n{file.relative_to(_ROOT)}, seed {seed}:\n{report}", markup=False, soft_wrap=True
                    )
    print(f"{runs} runs in {time.monotonic() - began:.0f} s, {len(failed)} files with a failure")
    return failed


def run_once(file: Path, seed: int) -> str:
    """Run one file with one seed; what failed, with its example and how to run it again, or nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=short", "--color=no", "-p", "no:cacheprovider"]
    command += ["-m", "not e2e and not slow", "--hypothesis-profile=explore", f"--hypothesis-seed={seed}", str(file)]
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        return f"took longer than {_LONGEST_S} s"
    if done.returncode in (0, 5):
        return ""
    again = f"again: {' '.join(command[1:])}"
    at = done.stdout.find("Falsifying example")
    at = done.stdout.find("Failing test case") if at < 0 else at
    lines = (done.stdout[at:] if at >= 0 else done.stdout[-3_000:] + done.stderr[-1_000:]).splitlines()
    return "\n".join([*lines[:60], again])


if __name__ == "__main__":
    sys.exit(main())
