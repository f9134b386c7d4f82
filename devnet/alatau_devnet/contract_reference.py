"""Write a page of reference for every contract: ``make contract-pages``.

Functions, parameters, results, state and who can stop what come from the sources and their NatSpec. The reasons for
which a function reverts and the events that it logs are collected along its calls, through the modules that the
contract imports. Who may call it is read from the measured table, ``docs/contracts/roles.md``. What no source says,
the invariants, is written by hand in ``docs/contracts/reference/invariants.toml``.
"""

import re
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import click

from alatau.artifacts.artifact import SOURCES, load
from alatau_devnet.contract_sources import Function, Program, explained, natspec, program

_ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = _ROOT / "docs" / "contracts" / "reference"
_ROLES: Final = _ROOT / "docs" / "contracts" / "roles.md"
_BY_HAND: Final = FOLDER / "invariants.toml"
_GETTER: Final = re.compile(r"^(\w+): (?:reentrant\(public\((.*)\)\)|public\((.*)\))$")


def page(name: str) -> str:
    """The page of a contract, in Markdown."""
    made, by_hand = program(name), tomllib.loads(_BY_HAND.read_text())[name]
    doc = made.sources[SOURCES[name]].tree.doc_string.value
    title, (about, stops) = natspec(doc)["title"][0], _introduction(doc)
    entries = [e for e in load(name).abi if e["type"] == "function"]
    listed = list(dict.fromkeys(e["name"] for e in entries))
    written = [f for called in listed for f in _in_abi(made, called, entries)]
    lines = [
        f"# {name}", "", _OPENING.format(title=title, source=SOURCES[name]), "", about, "",
        "## Who can stop what", "", *stops, "",
        "## Invariants", "", *(_item(each) for each in by_hand), "",
        "## Functions that change something", "",
    ]  # fmt: skip
    for function in written:
        if not function.marks & {"view", "pure"}:
            lines += _section(made, function, _callers(name, function))
    lines += ["## Functions that answer", ""]
    for function in written:
        if function.marks & {"view", "pure"}:
            lines += _section(made, function, "")
    lines += [*_state(made, listed), *_events(name), *_structs(made)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _introduction(doc: str) -> tuple[str, list[str]]:
    """Of a contract's docstring: what it is about, and the list of who can stop what."""
    notice = re.split(r"^@dev ", doc.partition("@notice ")[2], flags=re.MULTILINE)[0]
    first, _, rest = notice.partition("\n")
    about, _, stops = f"{first}\n{textwrap.dedent(rest)}".partition("Who can stop what:")
    return about.strip(), [_item(one) for one in re.split(r"^\* ", stops.strip(), flags=re.MULTILINE) if one]


def _item(text: str) -> str:
    return textwrap.fill(" ".join(text.split()).removesuffix(";"), 120, break_long_words=False, break_on_hyphens=False,
                         initial_indent="* ", subsequent_indent="  ")  # fmt: skip


def _in_abi(made: Program, called: str, entries: Sequence[dict[str, Any]]) -> list[Function]:
    """Functions of that name with as many parameters as the ABI says: a module has some that are not exported."""
    most = max(len(e["inputs"]) for e in entries if e["name"] == called)
    return [f for f in made.of(called) if len(f.parameters) == most][:1]


def _section(made: Program, function: Function, callers: str) -> Iterator[str]:
    signature = ", ".join(f"{name}: {_flat(kind)}" for name, kind in function.parameters)
    arrow = f" -> {_flat(function.returns)}" if function.returns else ""
    yield f"### `{function.name}({signature}){arrow}`"
    yield ""
    for tag in ("notice", "dev"):
        yield from (textwrap.fill(said, 120, break_long_words=False, break_on_hyphens=False)
                    for said in function.says.get(tag, ()))  # fmt: skip
        yield ""
    if callers:
        yield from (f"Who may call it: {callers}.", "")
    meanings = explained(function)
    if function.parameters:
        yield from ("| parameter | type | meaning |", "|---|---|---|")
        for name, kind in function.parameters:
            yield f"| `{name}` | `{_flat(kind)}` | {_cell(meanings.get(name, ''))} |"
        yield ""
    yield from (f"Returns: {said}\n" for said in function.says.get("return", ()))
    reached = made.reached(function)
    reasons = sorted({reason for one in reached for reason in one.reasons})
    events = sorted({event for one in reached for event in one.events})
    if reasons:
        yield from (f"Reverts with {_quoted(reasons)}.", "")
    if events:
        yield from (f"Logs {_quoted(events)}.", "")


def _callers(contract: str, function: Function) -> str:
    """Who may call a function, as the measured table says; nothing where the contract is not in it."""
    section = _ROLES.read_text().partition(f"## {contract}\n")[2].partition("\n## ")[0]
    anyone = section.partition("Anyone: ")[2].partition("\n")[0]
    if re.search(rf"`{function.name}[`(]", anyone):
        return "anyone"
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:1] == "|"]
    row = next((row for row in rows if re.match(rf"`{function.name}[`(]", row[0])), None)
    if row is None:
        return ""
    people = [person for person, may in zip(rows[0][1:], row[1:], strict=True) if may == "yes"]
    return ", ".join(people) or "other contracts of the network"


def _state(made: Program, listed: Sequence[str]) -> Iterator[str]:
    """Getters of the state, with the comment above each variable."""
    rows = []
    for file, source in made.sources.items():
        lines = source.text.splitlines()
        for number, line in enumerate(lines):
            match = _GETTER.match(line)
            if match is None or match[1] not in listed or made.of(match[1]):
                continue
            above = list(takewhile(lambda before: before.startswith("#"), reversed(lines[:number])))
            meaning = " ".join(comment.strip("# ") for comment in reversed(above))
            rows.append(f"| `{match[1]}` | `{match[2] or match[3]}` | {_cell(meaning)} | `{Path(file).stem}` |")
    if rows:
        yield from (
            "## State that anyone reads",
            "",
            "| getter | type | meaning | module |",
            "|---|---|---|---|",
            *rows,
            "",
        )


def _events(name: str) -> Iterator[str]:
    yield from ("## Events", "")
    for event in sorted((e for e in load(name).abi if e["type"] == "event"), key=lambda e: str(e["name"])):
        fields = ", ".join(f"{'indexed ' if i['indexed'] else ''}{i['name']}: {i['type']}" for i in event["inputs"])
        yield f"* `{event['name']}({fields})`"
    yield ""


def _structs(made: Program) -> Iterator[str]:
    rows = []
    for source in made.sources.values():
        for node in source.tree.body:
            if type(node).__name__ == "StructDef":
                fields = ", ".join(f"{source.says(f.target)}: {_flat(source.says(f.annotation))}" for f in node.body
                                   if type(f).__name__ == "AnnAssign")  # fmt: skip
                rows.append(f"* `{node.name}({fields})`")
    if rows:
        yield from ("## Structs", "", *rows, "")


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_OPENING: Final = """{title}.

Source: `contracts/{source}`. This page is written by `make contract-pages` from the sources, and a test compares it
with them. Reasons and events are those that a function reaches in this contract's own code; contracts that it calls
refuse for reasons of their own."""


def file_of(name: str) -> Path:
    """Where a contract's page is."""
    return FOLDER / (re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower() + ".md")


@click.command()
def main() -> None:
    """Write the pages of all contracts."""
    for name in SOURCES:
        file_of(name).write_text(page(name))


if __name__ == "__main__":
    main()
