"""Fuzz everything that a peer can send, guided by coverage: ``make fuzz-peers``.

    python -m alatau_devnet.fuzz_peers --minutes 5      go on from the corpus in build/fuzz_peers
    python -m alatau_devnet.fuzz_peers --show FILE      live through one story again, and say what came of it

libFuzzer (by Atheris) changes stories of peers (``tests/support/peer_stories.py``) and keeps those that reach code
which no story has reached: of the bounds and readers of ``wire/``, of sessions, and of the consensus core behind them.
A story that raises anything but a refusal, piles something up, makes the core halt, takes five seconds or a gibibyte is
a finding: it is written to build/fuzz_peers/found-*, and the exit status is 1.
"""

import argparse
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_FOLDER: Final = _ROOT / "build" / "fuzz_peers"
_CORPUS: Final = _FOLDER / "corpus"
_STORY_BYTES_MAX: Final = 16_384
_STORY_S: Final = 5
_MEMORY_MB: Final = 1_024
_INSTRUMENTED: Final = (
    "alatau.codec",
    "alatau.consensus",
    "alatau.p2p",
    "alatau.transport",
    "alatau.types",
    "alatau.wire",
)


def main() -> int:
    """Fuzz in a process of its own, on pure Python, since only that can be instrumented; 1 if something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--show", type=Path, help="a story to live through again; no fuzzing")
    parser.add_argument("--worker", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path[:0] = [str(_ROOT)]
    if arguments.show is not None:
        return _show(arguments.show)
    if arguments.worker is not None:
        return _fuzz(arguments.worker)
    _write_seeds()
    before, began = set(_FOLDER.glob("found-*")), time.monotonic()
    command = [sys.executable, "-m", "alatau_devnet.fuzz_peers", "--worker", str(arguments.minutes)]
    subprocess.run(command, env=os.environ | {"ALATAU_PURE": "1"}, check=False)
    found = sorted(set(_FOLDER.glob("found-*")) - before)
    print(f"{time.monotonic() - began:.0f} s; {len(list(_CORPUS.iterdir()))} stories in {_CORPUS.relative_to(_ROOT)}")
    for path in found:
        print(f"found: {path}; look at it with --show")
    return 1 if found else 0


def _write_seeds() -> None:
    from tests.support.peer_stories import seeds  # noqa: PLC0415  found through the path above

    _CORPUS.mkdir(parents=True, exist_ok=True)
    for name, story in seeds().items():
        (_CORPUS / f"seed-{name}").write_bytes(story)


def _fuzz(minutes: float) -> int:
    import atheris  # noqa: PLC0415  of requirements/fuzz.txt, which nothing else needs

    _quieten()
    with atheris.instrument_imports(include=_INSTRUMENTED):
        from tests.support.peer_stories import live_through  # noqa: PLC0415

    options = [
        f"-max_total_time={int(minutes * 60)}",
        f"-max_len={_STORY_BYTES_MAX}",
        f"-timeout={_STORY_S}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-artifact_prefix={_FOLDER}/found-",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(_CORPUS)], lambda story: live_through(story) and None)
    atheris.Fuzz()
    return 0


def _show(path: Path) -> int:
    from tests.support.peer_stories import live_through, scenes_of  # noqa: PLC0415

    _quieten()
    story = path.read_bytes()
    for scene in scenes_of(story):
        signed = "signed, " if scene.signed else ""
        print(f"{scene.surface.name.lower()} by v{scene.by}: {signed}{len(scene.data)} bytes {scene.data[:40].hex()}")
    print(live_through(story))
    return 0


def _quieten() -> None:
    import structlog  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


if __name__ == "__main__":
    sys.exit(main())
