"""``make sbom``: a software bill of materials (CycloneDX 1.6) from the locks and the installed packages' metadata.

It needs no network and depends on nothing but its input: the same locks give the same bytes, so that two people who
build one release can compare theirs. Writes ``build/sbom.cdx.json``.
"""

import json
import sys
import uuid
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Final

import alatau
from alatau_devnet.supply.locks import LOCKS, Pinned, normalized, read_lock

_FILE: Final = Path("build/sbom.cdx.json")
_ROOT: Final = "alatau"
_LICENCE_TEXT_MAX: Final = 80
"""A longer ``License`` field is the licence's text, not its name."""


def bill_of_materials(groups: dict[str, list[Pinned]], version: str) -> dict[str, Any]:
    """The document. A package of several locks is *required* where it is in ``runtime``, else *excluded*."""
    packages: dict[str, Pinned] = {}
    for pinned in (pinned for group in groups.values() for pinned in group):
        packages.setdefault(pinned.name, pinned)
    required = {pinned.name for pinned in groups.get("runtime", [])}
    root = f"pkg:pypi/{_ROOT}@{version}"
    components = [_component(pinned, pinned.name in required) for _, pinned in sorted(packages.items())]
    content = json.dumps([root, components], sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": _ROOT,
                "version": version,
                "purl": root,
                "licenses": [{"expression": "Apache-2.0"}],
            }
        },
        "components": components,
        "dependencies": _dependencies(packages, required, root),
    }


def _component(pinned: Pinned, required: bool) -> dict[str, Any]:
    purl = _purl(pinned)
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": pinned.name,
        "version": pinned.version,
        "scope": "required" if required else "excluded",
        "purl": purl,
        "externalReferences": [
            {
                "type": "distribution",
                "url": purl,
                "comment": "each hash is of one published file; installing accepts no other",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in sorted(pinned.hashes)],
            }
        ],
    }
    licence = licence_of(pinned.name)
    if licence is not None:
        component["licenses"] = [licence]
    return component


def licence_of(name: str) -> dict[str, Any] | None:
    """What an installed package says of its licence; None where it says nothing, or is not installed."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return None
    if "License-Expression" in said:
        return {"expression": said["License-Expression"]}
    named = said["License"].strip() if "License" in said else ""
    if named and named.upper() != "UNKNOWN" and len(named) <= _LICENCE_TEXT_MAX and "\n" not in named:
        return {"license": {"name": named}}
    classifiers = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or () if c.startswith("License ::")]
    return {"license": {"name": " OR ".join(classifiers)}} if classifiers else None


def _dependencies(packages: dict[str, Pinned], required: set[str], root: str) -> list[dict[str, Any]]:
    """Who needs what, by references; what a requirement file or this project asks for hangs on the root."""
    needs: dict[str, set[str]] = {root: set(), **{_purl(pinned): set() for pinned in packages.values()}}
    for pinned in packages.values():
        for wanter in pinned.wanted_by:
            if wanter in packages:
                needs[_purl(packages[wanter])].add(_purl(pinned))
            elif wanter == _ROOT and pinned.name in required:
                needs[root].add(_purl(pinned))
    return [{"ref": reference, "dependsOn": sorted(wanted)} for reference, wanted in sorted(needs.items())]


def _purl(pinned: Pinned) -> str:
    return f"pkg:pypi/{normalized(pinned.name)}@{pinned.version}"


def main() -> int:
    """Write the document and say what is in it."""
    groups = {name: read_lock(file) for name, file in LOCKS.items()}
    document = bill_of_materials(groups, alatau.__version__)
    _FILE.parent.mkdir(parents=True, exist_ok=True)
    _FILE.write_text(json.dumps(document, indent=2) + "\n")
    components = document["components"]
    unknown = [c["name"] for c in components if c["scope"] == "required" and "licenses" not in c]
    required = sum(c["scope"] == "required" for c in components)
    print(f"{_FILE}: {required} packages of a node, {len(components) - required} that only build and test")
    if unknown:
        print(f"no licence known: {', '.join(unknown)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
