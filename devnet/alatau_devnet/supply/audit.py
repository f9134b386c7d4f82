"""``make audit OSV=path``: known vulnerabilities in what the locks pin, from a file in OSV format, without a network.

The file is what vulnerability databases publish (https://ossf.github.io/osv-schema/): a JSON document with one entry, a
list of entries or an object with ``vulns``; a folder of such files; or a zip of them, as the whole ecosystem is offered
for download. The exit status is 1 where something is affected, 2 where the file is none.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packaging.version import InvalidVersion, Version

from alatau_devnet.supply.locks import LOCKS, Pinned, normalized, read_lock

_ECOSYSTEM: Final = "PyPI"
_ENTRY_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of one document; a zip names the size of each of its own."""


class OsvError(ValueError):
    """The file is not in OSV format. The message says where."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A pinned package that an entry affects."""

    package: Pinned
    group: str
    id: str
    aliases: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]
    """Versions that mend it; empty where none is known."""


def audit(groups: dict[str, list[Pinned]], entries: Iterator[dict[str, Any]]) -> list[Hit]:
    """Every pinned package that an entry affects, by group, in the order of the entries."""
    by_name: dict[str, list[tuple[str, Pinned]]] = {}
    for group, packages in groups.items():
        for pinned in packages:
            by_name.setdefault(pinned.name, []).append((group, pinned))
    hits = []
    for entry in entries:
        if entry.get("withdrawn"):
            continue
        for affected in entry.get("affected") or ():
            package = affected.get("package") or {}
            if package.get("ecosystem") != _ECOSYSTEM:
                continue
            for group, pinned in by_name.get(normalized(package.get("name", "")), ()):
                if _affects(affected, pinned.version):
                    hits.append(_hit(entry, affected, group, pinned))
    return hits


def _affects(affected: dict[str, Any], version: str) -> bool:
    """Whether a version is listed, or lies in a range (OSV schema, "evaluation")."""
    ours = _version(version)
    if any(_version(listed) == ours for listed in affected.get("versions") or ()):
        return True
    ranges = [r for r in affected.get("ranges") or () if r.get("type") == "ECOSYSTEM"]
    return any(_in_range(r.get("events") or [], ours) for r in ranges)


def _in_range(events: list[dict[str, str]], version: Version) -> bool:
    """Go through the events in the order of their versions; what was introduced last and not fixed counts."""
    vulnerable = False
    for event in sorted(events, key=_place):
        kind, at = next(iter(event.items()))
        if kind == "introduced":
            vulnerable = vulnerable or at == "0" or version >= _version(at)
        elif (kind == "fixed" and version >= _version(at)) or (kind == "last_affected" and version > _version(at)):
            vulnerable = False
    return vulnerable


def _place(event: dict[str, str]) -> tuple[Version, int]:
    kind, at = next(iter(event.items()))
    return (Version("0.dev0") if at == "0" else _version(at)), kind == "introduced"


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise OsvError(f"{text!r} is no version (PEP 440)") from error


def _hit(entry: dict[str, Any], affected: dict[str, Any], group: str, pinned: Pinned) -> Hit:
    events = [event for r in affected.get("ranges") or () for event in r.get("events") or ()]
    return Hit(
        package=pinned,
        group=group,
        id=str(entry.get("id", "?")),
        aliases=tuple(map(str, entry.get("aliases") or ())),
        summary=str(entry.get("summary") or (entry.get("details") or "")[:100]),
        fixed=tuple(event["fixed"] for event in events if "fixed" in event),
    )


def read_osv(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a file, folder or zip. Raises ``OsvError`` or ``OSError``."""
    if path.is_dir():
        for file in sorted(path.glob("*.json")):
            yield from _entries(str(file), file.read_bytes())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".json"):
                    if member.file_size > _ENTRY_BYTES_MAX:
                        raise OsvError(f"{path}: {member.filename} has {member.file_size} bytes")
                    yield from _entries(f"{path}: {member.filename}", archive.read(member))
    else:
        yield from _entries(str(path), path.read_bytes())


def _entries(where: str, data: bytes) -> Iterator[dict[str, Any]]:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise OsvError(f"{where} is no JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("vulns"), list):
        document = document["vulns"]
    for entry in document if isinstance(document, list) else [document]:
        if not isinstance(entry, dict) or "id" not in entry or not isinstance(entry.get("affected", []), list):
            raise OsvError(f"{where} holds no OSV entry: an object with `id` and `affected`")
        yield entry


def main() -> int:
    """Audit the locks; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("osv", type=Path, nargs="?", help="file, folder or zip in OSV format")
    osv = parser.parse_args().osv
    groups = {name: read_lock(file) for name, file in LOCKS.items()}
    count = sum(map(len, groups.values()))
    if osv is None:
        print(f"audit: no vulnerability file was given (make audit OSV=path), so none of {count} pins was looked up")
        return 0
    try:
        hits = audit(groups, read_osv(osv))
    except (OsvError, OSError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 2
    for hit in hits:
        mend = f"fixed in {', '.join(hit.fixed)}" if hit.fixed else "no fix is known"
        names = ", ".join((hit.id, *hit.aliases))
        print(f"{hit.package.name} {hit.package.version} ({hit.group}): {names}: {hit.summary}; {mend}")
    print(f"audit: {len(hits)} findings in {count} pins")
    return 1 if hits else 0


if __name__ == "__main__":
    sys.exit(main())
