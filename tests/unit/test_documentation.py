"""The documentation's own promises: indexes are complete, commands and metrics that it names exist."""

import re
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import click
import pytest
import yaml

from alatau.app.block_metrics import BlockMetrics
from alatau.app.metrics import Metrics
from alatau.app.node_metrics import register_node_metrics
from alatau.app.peer_metrics import register_peer_metrics
from alatau.app.storage_watch import register_scrub_metrics
from alatau.cli.main import cli
from alatau.p2p.counters import Counters
from alatau.rpc.node import Node
from alatau.storage.scrub import Scrub

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OTHER_TESTS = {Path(), Path("devnet")}
"""Folders of unit tests whose code is not in the package ``alatau``; the top holds tests of the repository."""
CHAPTERS = sorted(path for path in DOCS.rglob("*.md") if "examples" not in path.relative_to(DOCS).parts)
"""Without the projects to copy, which hold what their tools fetch."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *CHAPTERS]


def test_every_decision_is_in_the_index() -> None:
    """With its number and its title."""
    index = (DOCS / "adr/README.md").read_text()
    for path in sorted((DOCS / "adr").glob("0*.md")):
        number, title = path.read_text().splitlines()[0].removeprefix("# ").split(": ", 1)
        assert f"| [{number}]({path.name}) | {title} |" in index


def test_every_chapter_is_in_the_navigation() -> None:
    """A page that nobody can reach is not documentation."""
    navigation = str(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    missing = [
        str(path.relative_to(DOCS))
        for path in CHAPTERS
        if not path.name.startswith("0") and f"'{path.relative_to(DOCS)}'" not in navigation
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """To files of this repository; links to elsewhere are not followed."""
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_are_named_exist(page: Path) -> None:
    """``alatau ...`` in code, as far as it is a command line."""
    for line in re.findall(
        r"(?:^|[`\s/])alatau(?: --home \S+)? ([a-z][a-z -]*)", _code(page.read_text()), re.MULTILINE
    ):
        command: click.Command | None = cli
        for word in line.split():
            if not isinstance(command, click.Group) or word.startswith("-"):
                break
            command = command.get_command(click.Context(command), word)
            assert command is not None, f"{page.name}: alatau {line}"


def test_every_metric_that_is_named_exists() -> None:
    """Tables and alert rules are held to the metrics of a node, and every metric is explained."""
    metrics = Metrics()
    register_node_metrics(metrics, cast("Node", SimpleNamespace()), lambda: 0.0)
    register_peer_metrics(metrics, Counters())
    BlockMetrics(metrics)
    register_scrub_metrics(metrics, cast("Scrub", SimpleNamespace()))
    text = (DOCS / "operators/monitoring.md").read_text()
    named = set(re.findall(r"\b((?:consensus|mempool|p2p|blocksync|certificate|storage)_[a-z_]+[a-z])\b", text))
    assert named == set(metrics.names())


def test_every_layer_is_described() -> None:
    """The table of layers has those that import-linter holds, in their order."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    held = [name.strip() for layer in layers for name in layer.split("|")]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (DOCS / "architecture.md").read_text(), re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"\w+", row)] == held


@pytest.mark.parametrize("package", ["consensus", "evm"])
def test_every_file_is_described(package: str) -> None:
    """A chapter with a table of files leaves none out."""
    named = set(re.findall(r"`(\w+\.py)`", (DOCS / f"{package}.md").read_text()))
    files = {path.name for path in (ROOT / "node/alatau" / package).glob("*.py")} - {"__init__.py"}
    assert files - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    """``folder/file.py`` and the like, from the root, the contracts or the package; a bare name is a file of either."""
    roots = (ROOT, ROOT / "contracts", ROOT / "node/alatau")
    files = {
        path.name
        for folder in ("node", "contracts", "devnet", "protos", "tests")
        for path in (ROOT / folder).rglob("*.*")
    }
    named = re.findall(r"`((?:\w+/)*\w+\.(?:py|proto|vyi?))`", page.read_text())
    missing = [name for name in named if name not in files and not any((root / name).exists() for root in roots)]
    assert missing == []


def test_the_ways_to_add_something_name_their_files() -> None:
    """Each of them, with paths from the root that exist; the licence is where the package says."""
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## How to add")[2].partition("## Dependencies")[0]
    sections = {part.partition("\n")[0]: part for part in text.split("### ")[1:]}
    assert [*sections] == ["An opcode", "An RPC method", "A configuration key", "A contract", "An error reason"]
    for title, section in sections.items():
        named = re.findall(r"`((?:\w+/)+[\w.]*)`", section)
        assert len(named) >= 3, title
        assert [name for name in named if not (ROOT / name).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert [(ROOT / name).exists() for name in project["license-files"]] == [True]


def _code(text: str) -> str:
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def test_there_is_one_word_for_a_refusal() -> None:
    """Names in the package say refuse, as the table of words has it; only the API's old field is called otherwise."""
    files = [path for path in (ROOT / "node/alatau").rglob("*.py") if "pb" not in path.parts]
    assert len(files) > 300
    names = {
        (path.name, name)
        for path in files
        for name in re.findall(r"\b\w*(?:reject|declin)\w*", path.read_text(), re.IGNORECASE)
    }
    others = {name for _, name in names} - {"rejection", "_rejection", "SubmitRejection"}
    assert others == set()


def test_seven_modules_of_ten_have_a_test_of_their_name() -> None:
    """As CONTRIBUTING.md says; and no folder of tests is left of a package that is gone."""
    assert "Seven modules of ten have a test file of their name" in (ROOT / "CONTRIBUTING.md").read_text()
    package, tests = ROOT / "node/alatau", ROOT / "tests/unit"
    modules = [
        path.relative_to(package)
        for path in package.rglob("*.py")
        if "pb" not in path.parts and not path.name.startswith("__")
    ]
    tested = [path for path in modules if (tests / path.parent / f"test_{path.name}").exists()]
    assert 7 / 10 <= len(tested) / len(modules) < 5 / 6, "say in CONTRIBUTING.md how many there are now"
    folders = {path.parent for path in modules}
    assert {path.relative_to(tests).parent for path in tests.rglob("test_*.py")} - folders - OTHER_TESTS == set()
