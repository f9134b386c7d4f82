"""What nothing uses is not kept: a name that is defined is mentioned somewhere else, too."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "node" / "alatau"
GENERATED = PACKAGE / "pb"

PUBLIC = ("client/",)
"""Folders that are an interface for others: what they define is for programs that are not here."""

KEPT = {
    "last_pass_ended_at": "what a scrub knows of itself; nothing shows it yet",
    "revoke": "a trust store can refuse what an authority certified; the node has no list to give it yet",
    "claim_order_digest": "as withdraw_digest",
    "BondRelease": "as withdraw_digest",
    "bond_release_digest": "as withdraw_digest",
    "delegated_signature": "what a wallet signs vouchers with by a device",
    "with_low_s": "what a wallet does to the signature of an authenticator or a chip",
}
"""Names that stay although the node does not mention them, and why."""


def sources(*folders: str) -> Iterator[Path]:
    """Python that is written by hand."""
    for folder in folders:
        yield from (p for p in sorted((ROOT / folder).rglob("*.py")) if GENERATED not in p.parents)


def definitions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Functions, methods, classes, constants of modules and fields of classes, with their lines."""
    for node in tree.body:
        yield from _defined(node)
        # A member of an enumeration is there because the world has it; a method of another's class is its to call.
        if isinstance(node, ast.ClassDef) and not any(_is_filled_from_outside(base) for base in node.bases):
            for member in node.body:
                yield from _defined(member)


def _defined(node: ast.stmt) -> Iterator[tuple[str, int]]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            # Whoever decorates takes it over: commands, fixtures, overridden properties.
            if {_keeps(decorator) for decorator in node.decorator_list} <= {True}:
                yield name, node.lineno
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name, node.lineno
        case ast.Assign(targets=[ast.Name(id=name)]):
            yield name, node.lineno


def _is_filled_from_outside(base: ast.expr) -> bool:
    name = ast.unparse(base)
    return name.endswith(("Enum", "Flag", "FileLoader", "PathFinder")) or name.startswith("trio.abc.")


def _keeps(decorator: ast.expr) -> bool:
    """Whether a decorator leaves the use of the name to the reader of the code."""
    return ast.unparse(decorator).partition("(")[0] in {
        "dataclass",
        "property",
        "staticmethod",
        "classmethod",
        "cache",
        "lru_cache",
        "contextmanager",
        "asynccontextmanager",
    }


def unused(files: dict[str, str]) -> list[str]:
    """Definitions in ``node/alatau`` whose name stands once in all of ``files``: where it is defined."""
    mentions = Counter(name for text in files.values() for name in re.findall(r"\b[A-Za-z_]\w*\b", text))
    # Two tables name functions in other letters: instructions in capitals, methods of services in their .proto files.
    mentions.update(name.lower() for name in re.findall(r'"([A-Z0-9]+)"', files.get("node/alatau/evm/opcodes.py", "")))
    mentions.update(
        snake(name) for text in files.values() for name in re.findall(r"^  rpc (\w+)\(", text, re.MULTILINE)
    )
    return [
        f"{path}:{line}: {name}"
        for path, text in files.items()
        if path.startswith("node/alatau/")
        and not any(path.removeprefix("node/alatau/").startswith(folder) for folder in PUBLIC)
        for name, line in definitions(ast.parse(text))
        if mentions[name] == 1 and name not in KEPT and not (name.startswith("__") and name.endswith("__"))
    ]


def snake(name: str) -> str:
    """``GetBlock`` as ``get_block``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_everything_is_used() -> None:
    """A function, method, class, constant or field that only its tests know is no part of the node."""
    paths = [*sources("node", "devnet"), *sorted((ROOT / "protos").rglob("*.proto"))]
    files = {str(path.relative_to(ROOT)): path.read_text() for path in paths}
    assert len(files) > 250
    found = unused(files)
    assert not found, "\n".join(["only their definitions mention these:", *found])


def test_what_is_kept_is_there() -> None:
    """An exception that no longer stands for anything is removed."""
    defined = {name for path in sources("node") for name, _ in definitions(ast.parse(path.read_text()))}
    assert set(KEPT) <= defined


@pytest.mark.parametrize(
    "definition",
    ["def lost() -> None: ...", "async def lost() -> None: ...", "class lost: ...", "lost = 1", "lost: int = 1"],
)
def test_what_is_unused_is_found(definition: str) -> None:
    """Each kind of definition, in a module and in a class."""
    files = {"node/alatau/a.py": definition}
    assert unused(files) == ["node/alatau/a.py:1: lost"]
    assert unused({"node/alatau/a.py": f"class Used:\n    {definition}", "devnet/b.py": "Used"}) == [
        "node/alatau/a.py:2: lost"
    ]
    assert unused({**files, "devnet/b.py": "lost"}) == []
