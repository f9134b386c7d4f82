"""Numbers in the documentation are those of the code.

A number that states a constant is followed by a comment that names it, from the package ``alatau`` on::

    A ping goes out every 5 s<!--=p2p.settings.Settings.ping_interval_s-->

A reader of the page does not see the comment; this test compares the two. A constant whose name ends in ``_ms`` or
``_s``, or in ``_S``, is in milliseconds or seconds; bytes are bytes; everything else is a count.
"""

import re
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path

import pytest

from alatau.mempool.limits import MempoolLimits

DOCS = Path(__file__).parents[2] / "docs"

UNIT = r"(?:[ \n](?:[KMG]iB|bytes|ms|s|seconds|minutes|hours)\b)?"
MARK = re.compile(rf"([\w.,]+{UNIT})<!--=([\w.]+)-->")

WORDS = {"two": 2, "three": 3, "third": 3, "four": 4, "five": 5, "ten": 10, "sixteenth": 16}
SIZES = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
TIMES = {"ms": 1e-3, "s": 1, "seconds": 1, "minutes": 60, "hours": 3_600}

MARKED_PAGES = ("api.md", "architecture.md", "consensus.md", "evm.md", "networking.md", "storage.md")
"""Pages on which a bound must not stand without its constant."""

BOUND = re.compile(rf"\b(?:up to|at most|the last|no more than) (?:about )?(\d+(?:[.,]\d+)*{UNIT})(<!--=)?")
"""Words that announce a bound, with the number behind them, where no constant is named."""

NO_CONSTANT = {
    "api.md": {"256": "bits of an amount"},
    "evm.md": {"0.06": "microseconds for a gas, which follows from the price of a translation"},
}
"""Numbers behind such words that are no bound of the code, and what they are."""


def value_of(path: str) -> float:
    """The constant at ``path``: of a module, or the default of a field of one of its classes."""
    parts = path.split(".")
    for depth in range(len(parts) - 1, 0, -1):
        try:
            found = import_module("alatau." + ".".join(parts[:depth]))
        except ModuleNotFoundError:
            continue
        for name in parts[depth:-1]:
            found = getattr(found, name)
        if is_dataclass(found):
            (field,) = [f for f in fields(found) if f.name == parts[-1]]
            assert field.default is not MISSING, path
            return float(field.default)
        return float(getattr(found, parts[-1]))
    raise LookupError(path)


def stated(text: str, constant: str) -> float:
    """The number as written, in the unit of the constant."""
    number, _, unit = text.replace("\n", " ").partition(" ")
    value = WORDS[number] if number in WORDS else float(number.replace(",", ""))
    if unit in TIMES:
        return value * TIMES[unit] * (1_000 if constant.lower().endswith("_ms") else 1)
    return value * SIZES[unit] if unit else float(value)


def marks() -> list[tuple[str, str, str]]:
    """Page, number as written, constant."""
    return [
        (str(page.relative_to(DOCS)), text, constant)
        for page in sorted(DOCS.rglob("*.md"))
        for text, constant in MARK.findall(page.read_text())
    ]


@pytest.mark.parametrize(("page", "text", "constant"), marks())
def test_a_number_is_its_constants(page: str, text: str, constant: str) -> None:
    """Whoever changes the one is told of the other."""
    assert stated(text, constant) == pytest.approx(value_of(constant)), f"docs/{page} says {text} of {constant}"


def test_every_mark_is_read() -> None:
    """A comment of this kind that the pattern does not take would check nothing."""
    written = sum(page.read_text().count("<!--=") for page in DOCS.rglob("*.md"))
    assert len(marks()) == written
    assert written > 80


@pytest.mark.parametrize("name", MARKED_PAGES)
def test_a_row_of_bounds_names_its_constants(name: str) -> None:
    """In a table with a column "bound" or "limit", every row that has a number there names a constant."""
    column = None
    for line in (DOCS / name).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            column = None
        elif column is None:
            column = next((i for i, cell in enumerate(cells) if cell in ("bound", "limit")), -1)
        elif column >= 0 and re.search(r"\d", cells[column]):
            assert "<!--=" in cells[column], line


@pytest.mark.parametrize("name", MARKED_PAGES)
def test_a_bound_in_prose_names_its_constant(name: str) -> None:
    """After "up to", "at most" and the like."""
    found = {number for number, mark in BOUND.findall((DOCS / name).read_text()) if not mark}
    assert found == set(NO_CONSTANT.get(name, {}))


def test_wrong_numbers_are_found() -> None:
    """Each kind of number, as text and as constant."""
    assert stated("16,384", "mempool.limits.MempoolLimits.count_max") == 16_384
    assert stated("32 MiB", "x.size_bytes_max") == 32 * 2**20
    assert stated("three hours", "x.lifetime_ms") == 3 * 3_600_000
    assert stated("20 ms", "x.gossip_interval_s") == pytest.approx(0.02)
    assert value_of("p2p.settings.Settings.ping_interval_s") == 5
    assert value_of("storage.history.HISTORY_BLOCKS") == 1_024
    with pytest.raises(LookupError):
        value_of("no.such.thing")
    with pytest.raises(AttributeError):
        value_of("storage.history.NO_SUCH")


def test_a_pool_that_is_full_raises_the_alarm() -> None:
    """The thresholds lie closely below a pool's default bounds: above them the alert could not fire."""
    (expression,) = re.findall(r"alert: PoolFull\n +expr: (.+)", (DOCS / "operators/monitoring.md").read_text())
    thresholds = {name: float(value) for name, value in re.findall(r"(\w+) > ([\d.e]+)", expression)}
    bounds = MempoolLimits()
    assert thresholds.keys() == {"mempool_size", "mempool_size_bytes"}
    assert 0.85 <= thresholds["mempool_size"] / bounds.count_max <= 0.95
    assert 0.85 <= thresholds["mempool_size_bytes"] / bounds.size_bytes_max <= 0.95
