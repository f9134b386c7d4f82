"""Generates ``node/alatau/pb`` from the definitions beside this file; ``--check`` only compares.

``protoc`` writes imports that follow the proto path (``from alatau.types.v1 import ...``), where the node has
packages of its own; the imports, and nothing else, are moved under ``alatau.pb``. Names on the wire stay. What
others define (``third_party``) comes from their packages.
Needs ``grpcio-tools`` and ``mypy-protobuf`` (for the type stubs), no network.
"""

import filecmp
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
TARGET = PROTOS.parent / "node" / "alatau" / "pb"

_IMPORT = re.compile(r"^(from|import) alatau\.(?=(?:types|p2p|api|channel)\b)", re.MULTILINE)
_STUB_NAME = re.compile(r"\b_?alatau\.(types|p2p|api|channel)\.(v\d+)\.")
_PACKAGE_DOC = '"""Generated from protos/ by protos/generate.py; never edited."""\n'


def generate(target: Path) -> None:
    """Write the whole package to ``target``, an empty or missing folder."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder)
        sources = sorted(str(path.relative_to(PROTOS)) for path in (PROTOS / "alatau").rglob("*.proto"))
        bundled = Path(grpc_tools.__file__).parent / "_proto"
        folders = [f"-I{folder}" for folder in (PROTOS, PROTOS / "third_party", bundled)]
        arguments = ["protoc", *folders, f"--python_out={raw}", f"--mypy_out=quiet:{raw}"]
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        if protoc.main([*arguments, *sources]) != 0:
            sys.exit("protoc failed; its message above names the file and line")
        for source in sorted(raw.rglob("*_pb2.py*")):
            _rewrite(source, target / source.relative_to(raw / "alatau"))
        for package in [target, *(path for path in sorted(target.rglob("*")) if path.is_dir())]:
            (package / "__init__.py").write_text(_PACKAGE_DOC)


def _rewrite(source: Path, destination: Path) -> None:
    text = _IMPORT.sub(r"\1 alatau.pb.", source.read_text())
    if source.suffix == ".pyi":
        text = _STUB_NAME.sub(lambda m: f"alatau.pb.{m[1]}.{m[2]}.", text)
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_text(text)


def differences(fresh: Path, committed: Path) -> list[str]:
    """Files that differ between two generated packages, or exist in one only."""
    names = {str(p.relative_to(root)) for root in (fresh, committed) for p in root.rglob("*.py*") if p.suffix != ".pyc"}
    _, different, missing = filecmp.cmpfiles(fresh, committed, sorted(names), shallow=False)
    return sorted(different + missing)


def _install(fresh: Path, committed: Path) -> None:
    if not fresh.exists():
        committed.unlink()
        return
    committed.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(fresh, committed)


def main() -> None:
    """Generate, or check that what is committed is what would be generated."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "pb"
        generate(fresh)
        stale = differences(fresh, TARGET)
        if sys.argv[1:] == ["--check"]:
            if stale:
                sys.exit("node/alatau/pb is stale, run protos/generate.py: " + ", ".join(stale))
            return
        for name in stale:  # only what changed, so that a running import never meets an empty package
            _install(fresh / name, TARGET / name)


if __name__ == "__main__":
    main()
