"""What the program is made of: every pin is in the bill of materials, and an audit finds what affects one."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

from alatau_devnet.supply import audit as audit_module
from alatau_devnet.supply.audit import OsvError, audit, read_osv
from alatau_devnet.supply.locks import LOCKS, LockError, Pinned, normalized, read_lock
from alatau_devnet.supply.sbom import bill_of_materials

ROOT = Path(__file__).parents[3]
PINNED = Pinned("some-thing", "1.4.0", ("ab" * 32,), ())


def real_groups() -> dict[str, list[Pinned]]:
    """The project's locks."""
    return {name: read_lock(ROOT / file) for name, file in LOCKS.items()}


def test_every_pin_of_the_locks_is_read() -> None:
    """As many as there are lines at the margin, each with hashes, and who wants it."""
    for name, file in LOCKS.items():
        packages = real_groups()[name]
        lines = [line for line in (ROOT / file).read_text().splitlines() if "==" in line and not line.startswith(" ")]
        assert len(packages) == len(lines) > 20
        assert all(pinned.hashes and pinned.wanted_by for pinned in packages)
    by_name = {pinned.name: pinned for pinned in real_groups()["runtime"]}
    assert "alatau" in by_name["trio"].wanted_by
    assert by_name["outcome"].wanted_by == ("trio",)


def test_a_lock_without_hashes_is_refused(tmp_path: Path) -> None:
    """An installation from it would take any file."""
    (tmp_path / "lock.txt").write_text("trio==0.33.0\n    # via alatau\n")
    with pytest.raises(LockError, match="make lock"):
        read_lock(tmp_path / "lock.txt")


def test_the_bill_of_materials_is_whole_and_says_the_same_twice() -> None:
    """All pins once, licences of what a node runs, references that lead somewhere, no time and no chance in it."""
    groups = real_groups()
    document = bill_of_materials(groups, "1.0.0")
    assert json.dumps(document) == json.dumps(bill_of_materials(real_groups(), "1.0.0"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    components = {component["name"]: component for component in document["components"]}
    assert set(components) == {pinned.name for group in groups.values() for pinned in group}
    required = {name for name, component in components.items() if component["scope"] == "required"}
    assert required == {pinned.name for pinned in groups["runtime"]}
    assert [name for name in required if "licenses" not in components[name]] == []
    references = {component["bom-ref"] for component in document["components"]}
    references.add(document["metadata"]["component"]["bom-ref"])
    assert len(references) == len(components) + 1
    edges = {entry["ref"]: entry["dependsOn"] for entry in document["dependencies"]}
    assert set(edges) == references
    assert all(set(wanted) <= references for wanted in edges.values())
    root = edges[document["metadata"]["component"]["bom-ref"]]
    assert components["trio"]["bom-ref"] in root
    assert components["outcome"]["bom-ref"] in edges[components["trio"]["bom-ref"]]


def entry(**affected: object) -> dict[str, object]:
    """A vulnerability of the package."""
    package = {"ecosystem": "PyPI", "name": "Some.Thing"}
    return {"id": "OSV-1", "aliases": ["CVE-1"], "summary": "bad", "affected": [{"package": package, **affected}]}


def events(*pairs: tuple[str, str]) -> list[dict[str, object]]:
    """A range."""
    return [{"type": "ECOSYSTEM", "events": [{kind: at} for kind, at in pairs]}]


@pytest.mark.parametrize(
    ("affected", "hit"),
    [
        ({"versions": ["1.3", "1.4"]}, True),
        ({"versions": ["1.4.1"]}, False),
        ({"ranges": events(("introduced", "0"))}, True),
        ({"ranges": events(("introduced", "0"), ("fixed", "1.4.0"))}, False),
        ({"ranges": events(("introduced", "0"), ("fixed", "1.4.1"))}, True),
        ({"ranges": events(("introduced", "1.5"))}, False),
        ({"ranges": events(("introduced", "0"), ("last_affected", "1.4.0"))}, True),
        ({"ranges": events(("introduced", "0"), ("last_affected", "1.3.9"))}, False),
        ({"ranges": events(("fixed", "1.2"), ("introduced", "0"), ("introduced", "1.4.0rc1"))}, True),
        ({"ranges": events(("introduced", "0"), ("fixed", "1.2"), ("introduced", "1.3"), ("fixed", "1.3.5"))}, False),
        ({"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}, False),
    ],
)
def test_versions_and_ranges(affected: dict[str, object], hit: bool) -> None:
    """As the OSV schema evaluates them, names compared as package indexes do."""
    found = audit({"runtime": [PINNED]}, iter([entry(**affected)]))
    assert [(h.id, h.aliases, h.package) for h in found] == ([("OSV-1", ("CVE-1",), PINNED)] if hit else [])


def test_withdrawn_entries_and_other_ecosystems_affect_nothing() -> None:
    """An entry that was taken back is no finding, nor is a package of the same name elsewhere."""
    withdrawn = {**entry(versions=["1.4.0"]), "withdrawn": "2026-01-01T00:00:00Z"}
    package = {"ecosystem": "npm", "name": "some-thing"}
    elsewhere = {"id": "OSV-2", "affected": [{"package": package, "versions": ["1.4.0"]}]}
    assert audit({"runtime": [PINNED]}, iter([withdrawn, elsewhere])) == []
    assert normalized("Some_.-Thing") == "some-thing"


def test_files_folders_and_zips_are_read(tmp_path: Path) -> None:
    """In each form in which entries are published; what is none says so."""
    one = entry(versions=["1.4.0"])
    (tmp_path / "one.json").write_text(json.dumps(one))
    (tmp_path / "list.json").write_text(json.dumps([one, one]))
    (tmp_path / "vulns.json").write_text(json.dumps({"vulns": [one]}))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("PYSEC-1.json", json.dumps(one))
    counts = [len(list(read_osv(tmp_path / name))) for name in ("one.json", "list.json", "vulns.json", "all.zip", ".")]
    assert counts == [1, 2, 1, 1, 4]
    for bad in ("{", '{"a": 1}', "[3]"):
        (tmp_path / "bad.json").write_text(bad)
        with pytest.raises(OsvError):
            list(read_osv(tmp_path / "bad.json"))


def test_the_audit_of_the_locks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a file it says that nothing was looked up; with one that affects a pin it fails and names the fix."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["audit"])
    assert audit_module.main() == 0
    assert "no vulnerability file was given" in capsys.readouterr().out
    package = {"ecosystem": "PyPI", "name": "Trio"}
    ranges = events(("introduced", "0"), ("fixed", "999"))
    bad = {"id": "OSV-9", "affected": [{"package": package, "ranges": ranges}]}
    (tmp_path / "osv.json").write_text(json.dumps(bad))
    monkeypatch.setattr(sys, "argv", ["audit", str(tmp_path / "osv.json")])
    assert audit_module.main() == 1
    assert "OSV-9" in (said := capsys.readouterr().out)
    assert "fixed in 999" in said
    monkeypatch.setattr(sys, "argv", ["audit", str(tmp_path / "missing")])
    assert audit_module.main() == 2
