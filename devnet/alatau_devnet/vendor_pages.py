"""The pages' libraries, out of npm's packages: ``python -m alatau_devnet.vendor_pages``; first ``npm ci`` there.

A browser finds no package by its name, and an import map would be a script in the page's text. So imports between
packages are made relative; nothing else is changed. ``vendor.json`` says from which package each file is, the hash that
npm's lock has for the package, and the hash of the file as it lies here.
"""

import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

SOURCE: Final = Path("tests/e2e/js")
TARGET: Final = Path("node/alatau/pages/static/vendor")
ENTRIES: Final = (
    "@noble/curves/nist.js",
    "@noble/curves/secp256k1.js",
    "@noble/hashes/sha2.js",
    "@noble/hashes/sha3.js",
    "qr/decode.js",
    "qr/index.js",
)
"""What the pages import; what these import comes with them."""

_IMPORT: Final = re.compile(
    r"""(?P<before>^(?:import|export)\b(?:[\w\s{},*$]*?\bfrom\s*)?\s*['"])(?P<what>[^'"]+)(?P<after>['"];?)""",
    re.MULTILINE,
)


def vendored(modules: Path) -> dict[str, bytes]:
    """All files by their path below ``TARGET``, with licences."""
    found: dict[str, bytes] = {}
    waiting = list(ENTRIES)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        text, needed = _with_relative_imports(name, (modules / name).read_text())
        found[name] = text.encode()
        waiting += needed
    for package in sorted({package_of(name) for name in found}):
        found[f"{package}/LICENSE.txt"] = (modules / package / "LICENSE").read_bytes()
    return dict(sorted(found.items()))


def manifest(files: dict[str, bytes], lock: dict[str, Any]) -> dict[str, Any]:
    """What ``vendor.json`` says."""
    packages = {}
    for package in sorted({package_of(name) for name in files}):
        locked = lock["packages"][f"node_modules/{package}"]
        packages[package] = {key: locked[key] for key in ("version", "license", "integrity")}
    return {"packages": packages, "files": {name: sha256(data).hexdigest() for name, data in files.items()}}


def package_of(name: str) -> str:
    """Of a file: ``@noble/curves``, ``qr``."""
    parts = name.split("/")
    return "/".join(parts[:2]) if name.startswith("@") else parts[0]


def _with_relative_imports(name: str, text: str) -> tuple[str, list[str]]:
    """The text, and what it imports."""
    folder, needed = Path(name).parent, []

    def relative(match: re.Match[str]) -> str:
        what = match["what"]
        target = Path(*_normal(folder / what if what.startswith(".") else Path(what)))
        needed.append(str(target))
        return f"{match['before']}{_relative_path(folder, target)}{match['after']}"

    return _IMPORT.sub(relative, text), needed


def _normal(path: Path) -> list[str]:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return parts


def _relative_path(folder: Path, target: Path) -> str:
    here, there = list(folder.parts), list(target.parts)
    while here and there and here[0] == there[0]:
        here.pop(0)
        there.pop(0)
    up = "../" * len(here)
    return (up or "./") + "/".join(there)


def main() -> None:
    """Write them."""
    modules = SOURCE / "node_modules"
    if not modules.exists():
        sys.exit(f"{modules} is missing: run npm ci --ignore-scripts in {SOURCE}")
    files = vendored(modules)
    for name, data in files.items():
        path = TARGET / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    (TARGET / "vendor.json").write_text(json.dumps(manifest(files, lock), indent=1) + "\n")
    print(f"{len(files)} files, {sum(map(len, files.values()))} bytes")


if __name__ == "__main__":
    main()
