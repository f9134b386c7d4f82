"""``make e2e-connect``: the conformance suite of Connect against the HTTP face; skipped, with a line, without Go."""

import argparse
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from grpc_tools import protoc  # type: ignore[import-untyped]

_MODULE: Final = "connectrpc.com/conformance"
_VERSION: Final = "v1.0.7"
_FOLDER: Final = Path("build/connect")
_PROTOS: Final = ("config", "server_compat", "service")
_HERE: Final = Path(__file__).parent


def _install(go: str) -> Path:
    """The suite's program, built once; gives the folder of its definitions."""
    tools = _FOLDER.resolve()
    command = [go, "install", f"{_MODULE}/cmd/connectconformance@{_VERSION}"]
    subprocess.run(command, env={**os.environ, "GOBIN": str(tools)}, check=True)
    found = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip()) / f"{_MODULE}@{_VERSION}" / "proto"


def _compile(protos: Path) -> Path:
    out = _FOLDER.resolve() / "python"
    out.mkdir(parents=True, exist_ok=True)
    include = [f"-I{protos}", f"-I{files('grpc_tools') / '_proto'}"]
    names = [f"connectrpc/conformance/v1/{name}.proto" for name in _PROTOS]
    if protoc.main(["protoc", *include, f"--python_out={out}", *names]):
        raise SystemExit(1)
    return out


def main() -> None:
    """Build, run, and end with the suite's verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    _, further = parser.parse_known_args()
    go = shutil.which("go")
    if go is None:
        print("skipped: no Go, in which the conformance suite of Connect is written")
        return
    python = _compile(_install(go))
    command = [
        str(_FOLDER / "connectconformance"), "--mode", "server", "--conf", str(_HERE / "suite.yaml"),
        *further, "--",
        sys.executable, "-m", "alatau_devnet.connect.server",
    ]  # fmt: skip
    path = os.pathsep.join(filter(None, (str(python), os.environ.get("PYTHONPATH"))))
    raise SystemExit(subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False).returncode)


if __name__ == "__main__":
    main()
