"""Set-up is a function of the locks alone; and every check's result is the commit's."""

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest
from hypothesis import settings
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
INSTALLERS = [ROOT / "Makefile", *(ROOT / ".ci").iterdir(), *(ROOT / "devnet").rglob("*.py")]


def locked(lock: Path) -> list[str]:
    """Each requirement of a lock with its hashes, as one line."""
    text = re.sub(r"^\s*#.*$", "", lock.read_text(), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_locks_pin_and_hash_everything(lock: Path) -> None:
    """One exact version and at least one hash each; no address of an index."""
    lines = locked(lock)
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[^ ]+( +--hash=sha256:[0-9a-f]{64})+ *", line), line
    assert "://" not in lock.read_text()


def test_locks_are_installed_without_resolving_again() -> None:
    """A lock is complete; an installer that resolves again breaks as soon as somebody publishes a release."""
    installs = [
        (file.name, line)
        for file in INSTALLERS
        if file.is_file()
        for line in file.read_text().splitlines()
        if "--require-hashes" in line and not line.lstrip().startswith("#")
    ]
    assert len(installs) >= 2, "the Makefile's and the oracle's"
    for place, line in installs:
        assert "--no-deps" in line, f"{place}: {line.strip()}"


def test_what_is_installed_is_what_is_locked() -> None:
    """Every dependency of every package in this environment is pinned by the locks, under this Python's markers."""
    pins = {canonicalize_name(line.split("==")[0]) for lock in LOCKS for line in locked(lock)}
    pins |= {canonicalize_name(name) for name in ("alatau", "pip")}
    environment = {**default_environment(), "extra": ""}
    missing = {
        f"{requirement.name} (for {distribution.name})"
        for distribution in distributions()
        for requirement in map(Requirement, distribution.requires or ())
        if requirement.marker is None or requirement.marker.evaluate(environment)
        if canonicalize_name(requirement.name) not in pins
    }
    assert not missing


def test_checks_draw_the_same_examples_every_time() -> None:
    """Property tests run from a fixed seed; ``make fuzz-tests`` explores."""
    assert settings.default is not None
    assert settings.default.derandomize
    assert not settings.get_profile("explore").derandomize
