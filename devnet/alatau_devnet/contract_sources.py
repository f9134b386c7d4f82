"""What the sources of a contract say of themselves: functions with their NatSpec, reasons, events and calls."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from alatau.artifacts.artifact import SOURCES
from alatau_devnet.mutation.contracts import modules_of
from alatau_devnet.mutation.vyper_mutants import Source

CONTRACTS: Final = Path(__file__).resolve().parents[2] / "contracts"
_TAG: Final = re.compile(r"^\s*@(\w+)\s?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a source file, and what it does by itself."""

    file: str
    name: str
    node: Any
    says: dict[str, list[str]]
    """NatSpec: tag -> texts in their order; those of *param* begin with the parameter's name."""
    parameters: tuple[tuple[str, str], ...]
    """Name and type as the source writes it."""
    returns: str
    marks: frozenset[str]
    """Decorators."""
    reasons: tuple[str, ...]
    events: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    """(module or *self*, function)."""


@dataclass(slots=True)
class Program:
    """A deployable contract with all modules that it imports."""

    name: str
    sources: dict[str, Source]
    functions: dict[tuple[str, str], Function] = field(default_factory=dict)
    """By file and name; an overloaded name also by its number of parameters, as *claim/2*."""

    def of(self, name: str) -> list[Function]:
        """External functions of that name."""
        return [f for f in self.functions.values() if f.name == name and "external" in f.marks]

    def reached(self, function: Function) -> list[Function]:
        """The function and all that it calls in this contract, each once."""
        found, unread = dict[int, Function](), [function]
        while unread:
            one = unread.pop(0)
            if id(one) in found:
                continue
            found[id(one)] = one
            for where, name in one.calls:
                file = one.file if where == "self" else self._file_of(where)
                unread += [f for f in self.functions.values() if f.file == file and f.name == name]
        return list(found.values())

    def _file_of(self, module: str) -> str | None:
        return next((file for file in self.sources if Path(file).stem == module), None)


def program(name: str) -> Program:
    """Read a contract of ``contracts/`` and its modules."""
    files = sorted(modules_of(CONTRACTS, SOURCES[name]), key=lambda file: (file != SOURCES[name], file))
    made = Program(name, {file: Source((CONTRACTS / file).read_text()) for file in files})
    for file, source in made.sources.items():
        for node in source.tree.body:
            if type(node).__name__ == "FunctionDef":
                made.functions[file, f"{node.name}/{len(node.args.args)}"] = _function(file, source, node)
    return made


def _function(file: str, source: Source, node: Any) -> Function:
    inside = list(node.get_descendants())
    kinds: dict[str, list[Any]] = {}
    for part in inside:
        kinds.setdefault(type(part).__name__, []).append(part)
    asserts = [part.msg for part in kinds.get("Assert", ()) if type(part.msg).__name__ == "Str"]
    raises = [part.exc for part in kinds.get("Raise", ()) if type(part.exc).__name__ == "Str"]
    stated = sorted((*asserts, *raises), key=lambda part: (part.lineno, part.col_offset))
    logs = sorted(kinds.get("Log", ()), key=lambda part: part.lineno)
    return Function(
        file, node.name, node,
        natspec(doc.value if (doc := getattr(node, "doc_string", None)) is not None else ""),
        tuple((a.arg, source.says(a.annotation)) for a in node.args.args),
        "" if node.returns is None else source.says(node.returns),
        frozenset(source.says(d) for d in node.decorator_list),
        tuple(dict.fromkeys(part.value for part in stated)),
        tuple(dict.fromkeys(source.says(part.value.func).rpartition(".")[2] for part in logs)),
        tuple(_called(source, part) for part in kinds.get("Call", ()) if "." in source.says(part.func)),
    )  # fmt: skip


def _called(source: Source, call: Any) -> tuple[str, str]:
    where, _, name = source.says(call.func).rpartition(".")
    return where, name


def natspec(text: str) -> dict[str, list[str]]:
    """The tags of a docstring, each with its texts in one line; what stands before the first tag is the *notice*."""
    found: dict[str, list[str]] = {}
    parts = _TAG.split("@notice " + text if not text.lstrip().startswith("@") else text)
    for tag, said in zip(parts[1::2], parts[2::2], strict=True):
        found.setdefault(tag, []).append(" ".join(said.split()))
    return found


def unexplained(name: str) -> list[str]:
    """Parameters of external functions that no ``@param`` explains, as *function parameter*."""
    made = program(name)
    return [
        f"{function.name} {parameter}"
        for function in made.functions.values()
        if "external" in function.marks
        for parameter, _ in function.parameters
        if parameter not in explained(function)
    ]


def explained(function: Function) -> dict[str, str]:
    """Parameter -> what its ``@param`` says."""
    return {said.partition(" ")[0]: said.partition(" ")[2] for said in function.says.get("param", ())}
