"""The locks as data: every package pinned, with the hashes of its files and who asked for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOCKS: Final = {"runtime": Path("requirements/runtime.txt"), "dev": Path("requirements/dev.txt")}
"""Group -> lock. ``dev`` builds and tests; only ``runtime`` is on a node."""
_PIN: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class LockError(ValueError):
    """A lock has a line that is none. Write it anew with ``make lock``."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A package of a lock."""

    name: str
    """Normalized (PEP 503)."""
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of each published file, hex."""
    wanted_by: tuple[str, ...]
    """Normalized names of the packages that need it, and of requirement files."""


def normalized(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(file: Path) -> list[Pinned]:
    """The packages of a lock, in its order. Raises ``LockError`` or ``OSError``."""
    return [_pinned(file, block) for block in _blocks(file.read_text())]


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of each package: one that begins at the margin, and those indented below it."""
    block: list[str] = []
    for line in text.splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            if block:
                yield block
            block = [line]
        elif block:
            block.append(line)
    if block:
        yield block


def _pinned(file: Path, block: list[str]) -> Pinned:
    pin = _PIN.match(block[0])
    hashes = tuple(_HASH.findall("\n".join(block)))
    if pin is None or not hashes:
        raise LockError(f"{file}: {block[0]!r} is no pinned package with hashes; write it anew with make lock")
    comments = [line.strip().lstrip("# ").strip() for line in block if line.strip().startswith("#")]
    wanted = [comment.removeprefix("via").strip() for comment in comments]
    names = tuple(normalized(entry.split(" ")[0]) for entry in wanted if entry)
    return Pinned(normalized(pin[1]), pin[2], hashes, names)
