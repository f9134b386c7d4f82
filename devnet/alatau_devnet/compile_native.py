"""``make compiled``: the hot modules as C extensions, made with mypyc from the same sources.

    python -m alatau_devnet.compile_native              build, unless there is a build of these very sources
    python -m alatau_devnet.compile_native --optional   the same for set-up: what is in the way is said, and no failure

The modules are one group, so that calls among them are C calls; it takes about 100 s on one core. Where they lie and
when they run is in :mod:`alatau.build_form`.
"""

import argparse
import contextlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alatau.build_form import BUILDS, PACKAGE, folder_name

MODULES: Final = (
    "chain/*.py",
    "codec/*.py",
    "crypto/keccak.py",
    "evm/calls.py",
    "evm/message.py",
    "evm/operations.py",
    "mempool/*.py",
    "state/*.py",
    "trie/*.py",
    "types/*.py",
    "wire/*.py",
)
"""What is compiled: by a profile, what a payment passes through in Python. Consensus and storage are not: their share
of the time is small. Nor are the interpreter and the translator: what they run is made while the node runs."""

LEFT_OUT: Final = ("wire/bounds.py", "wire/channel.py", "wire/tower.py", "wire/channel_session.py", "wire/day_proof.py")
"""The first subclasses ``int``, which mypyc cannot; the others are the hub's and the tower's and not the node's."""

OPTIMIZATION: Final = "3"
GROUP: Final = "alatau"
"""The shared library is ``alatau__mypyc``."""

KEPT: Final = 3
"""Builds beside the newest are for branches between which one switches; 6 MB each."""

_WORK: Final = PACKAGE.parents[1] / "build" / "native"
_RECIPE: Final = "recipe"
"""The file in a build that says what made it."""


def compiled_files() -> list[Path]:
    """The sources of the group, relative to the folder that holds the package."""
    found = {path for pattern in MODULES for path in PACKAGE.glob(pattern) if path.name != "__init__.py"}
    return sorted(path.relative_to(PACKAGE.parent) for path in found - {PACKAGE / name for name in LEFT_OUT})


def obstacle() -> str | None:
    """What is missing here to compile, if anything is."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"no C compiler ({compiler})"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        return "no Python.h (the package python3-dev or python3-devel)"
    return None


def _recipe() -> str:
    """What decides about a build besides the contents of the sources."""
    return "\n".join((f"mypyc {importlib.metadata.version('mypy')} -O{OPTIMIZATION}", *map(str, compiled_files()), ""))


@contextlib.contextmanager
def _progress(what: str) -> Iterator[None]:
    began = time.monotonic()
    print(f"{what} ... ", end="", flush=True)
    yield
    print(f"{time.monotonic() - began:.0f} s", flush=True)


def _extensions(folder: Path) -> None:
    """Run mypyc and the C compiler, and gather what they make in ``folder``."""
    scratch = folder.with_name(folder.name + "-work")
    log = _WORK / "log"
    program = [sys.executable, __file__, "--worker", str(scratch)]
    try:
        with log.open("w") as output:
            done = subprocess.run(program, cwd=PACKAGE.parent, stdout=output, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise SystemExit(f"failed\n{log.read_text()[-2000:]}\nnot compiled: mypyc failed; all of it is in {log}")
        folder.mkdir()
        for path in (scratch / "lib").rglob("*.so"):
            path.rename(folder / ".".join(path.relative_to(scratch / "lib").parts))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _work(scratch: Path) -> None:
    """In the process of its own that the build runs in: setuptools wants a command line and prints a great deal."""
    from mypyc.build import mypycify  # noqa: PLC0415 - only this process needs it; importing takes a second
    from setuptools import setup  # noqa: PLC0415

    target = scratch / "c"
    target.mkdir(parents=True)
    files = [str(path) for path in compiled_files()]
    extensions = mypycify(
        [f"--cache-dir={_WORK / 'mypy'}", *files], opt_level=OPTIMIZATION, group_name=GROUP, target_dir=str(target)
    )
    arguments = ["build_ext", f"--build-lib={scratch / 'lib'}", f"--build-temp={scratch / 'o'}"]
    setup(name="alatau", packages=[], ext_modules=extensions, script_args=arguments)


def _prune() -> None:
    """Keep the builds that were used last, and nothing half made."""
    builds = sorted(BUILDS.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in builds[KEPT:]:
        shutil.rmtree(path)


def build() -> str:
    """Make the build of the sources as they are, unless it is there; the line to print."""
    if missing := obstacle():
        raise SystemExit(f"not compiled: {missing}")
    name = folder_name()
    final = BUILDS / name
    if (final / _RECIPE).exists() and (final / _RECIPE).read_text() == _recipe():
        final.touch()
        return f"compiled already: {len(list(final.glob('*.so')))} extensions for these sources"
    _WORK.mkdir(parents=True, exist_ok=True)
    BUILDS.mkdir(exist_ok=True)
    made = _WORK / f"{name}-{os.getpid()}"
    with _progress(f"compiling {len(compiled_files())} modules with mypyc (once for these sources, about two minutes)"):
        _extensions(made)
    if folder_name() != name:
        shutil.rmtree(made)
        raise SystemExit("the sources changed while they were compiled; start again")
    (made / _RECIPE).write_text(_recipe())
    if final.exists():
        final.rename(made.with_name(made.name + "-replaced"))
    made.rename(final)
    shutil.rmtree(made.with_name(made.name + "-replaced"), ignore_errors=True)
    _prune()
    return "the hot modules run compiled; ALATAU_PURE=1 asks for pure Python"


def main() -> None:
    """Build, or say what is in the way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--optional", action="store_true", help="succeed where it cannot be done")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        _work(given.worker)
        return
    try:
        print(build())
    except SystemExit as failure:
        if not given.optional:
            raise
        print(f"{failure}\nthe hot modules run as pure Python; `make compiled` tries again once that is mended")


if __name__ == "__main__":
    main()
