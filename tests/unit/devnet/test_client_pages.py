"""What the pages about clients show is what the projects hold."""

import re
from pathlib import Path

import pytest

from alatau.artifacts.artifact import load
from alatau_devnet.client_pages import filled, pages, shown, source_of
from alatau_devnet.client_projects import PROJECTS, ClientProject, environment_of, options_of
from alatau_devnet.client_walk import walk_of

ROOT = Path(__file__).parents[3]
PAGES = list(pages(ROOT))
COMPILED = re.compile(r"^(.*)\n```(?:go|java|typescript|ts|js|rust|yaml|xml|toml)\n", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_the_project_as_it_is(page: Path) -> None:
    """Where it does not: ``PYTHONPATH=.:devnet .venv/bin/python -m alatau_devnet.client_pages``."""
    assert filled(ROOT, page.read_text()) == page.read_text()


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name == "clients"], ids=lambda page: page.stem)
def test_no_code_is_of_the_page_alone(page: Path) -> None:
    """A block in a language that is compiled says which file it is from."""
    before = COMPILED.findall(page.read_text())
    assert [line for line in before if not line.startswith("<!-- from: ")] == []
    assert len(before) == len(shown(page.read_text()))


def test_every_project_is_shown() -> None:
    """Each has a page, and there connecting, paying, following, errors and proofs."""
    for project in PROJECTS:
        page = ROOT / "docs" / "clients" / f"{project.language}.md"
        parts = {part for file, part in shown(page.read_text()) if file.startswith(f"{project.language}/")}
        assert {"connect", "wallet", "pay", "follow", "failure", "prove"} <= parts, project.language


def test_every_project_proves_the_slot_of_balances() -> None:
    """The one in which the compiler put them: another slot proves that nobody holds anything."""
    slot = load("SettlementToken").layout["storage_layout"]["balances"]["_accounts"]["slot"]
    folder = ROOT / "docs" / "examples" / "clients"
    said = {
        project.language: re.findall(
            r"accounts_?slot(?:: u64)? = (\d+)", "".join(_sources(folder, project)), re.IGNORECASE
        )
        for project in PROJECTS
    }
    assert said == {project.language: [str(slot)] for project in PROJECTS}


def test_a_part_that_is_not_there_is_an_error() -> None:
    """A page that names one cannot be written."""
    with pytest.raises(LookupError, match="no part sing"):
        source_of(ROOT, "go/pay.go", "sing")
    assert filled(ROOT, "<!-- from: go/buf.gen.yaml -->\n```yaml\nold\n```\n").count("local: [go, tool") == 2


def test_a_walk_is_what_the_page_says() -> None:
    """Its variables and its node are the machine's; files and commands are the page's, in its order."""
    script = walk_of(ROOT, "go", "localhost:9", {"ALATAU": Path("/a b"), "NET": Path("/n")})
    assert script is not None
    lines = script.splitlines()
    assert "ALATAU='/a b'" in lines
    assert "NET=/n" in lines
    assert "go run . -node localhost:9 -ca $NET/ca.pem \\" in lines
    order = [lines.index(line) for line in ("go mod init alatau.example/pay", "package main", "go mod tidy")]
    assert order == sorted(order)
    assert walk_of(ROOT, "index", "localhost:9", {}) is None


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.language)
def test_every_language_has_a_walk(project: ClientProject) -> None:
    """From an empty folder: it writes a file of the project and pays through the node named, trusting the CA."""
    script = walk_of(ROOT, project.language, "localhost:9", {"ALATAU": Path("/a"), "NET": Path("/n")})
    assert script is not None
    assert "\nALATAU=/a\n" in script
    assert "\nNET=/n\n" in script
    assert "\ncat > " in script
    assert "-node localhost:9 --ca $NET/ca.pem" in script.replace(" -ca ", " --ca ")
    assert "localhost:7101 " not in script


def test_a_language_without_its_tools_is_told() -> None:
    """What is missing on the path, and only that."""
    go = PROJECTS[0]
    assert go.missing_tools("/nowhere") == ["go"]
    assert options_of({"password_file": "p", "to": "0x"}) == ["--password-file", "p", "--to", "0x"]
    assert environment_of({"password_file": "p"}) == {"ALATAU_PASSWORD_FILE": "p"}


def _sources(folder: Path, project: ClientProject) -> list[str]:
    files = folder.joinpath(project.language).rglob("*")
    kept = (
        path for path in files if "node_modules" not in path.parts and path.suffix in (".go", ".java", ".ts", ".rs")
    )
    return [path.read_text() for path in kept if path.is_file()]
