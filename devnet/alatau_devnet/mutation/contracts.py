"""Mutants of Vyper contracts: compiled in memory, and deployed by the tests in the contract's place."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Final

from alatau.artifacts import artifact, compiler
from alatau_devnet.mutation.mutants import Mutant
from alatau_devnet.mutation.quick_vyper import hasten, program_of
from alatau_devnet.mutation.subject import Change, Reached
from alatau_devnet.mutation.vyper_mutants import Source

_IMPORT: Final = re.compile(r"^from (\.+)([\w.]*) import (\w+)", re.MULTILINE)
_ANY: Final = "any"
"""In the place of a function: the contract ran."""
_DEPLOYED: Final = "deployed"
"""The same: its constructor ran, to the end or not."""


class Contracts:
    """The deployable contracts of a folder and the modules that they import."""

    def __init__(self, root: Path, compiled: Path) -> None:
        """Args: the folder ``contracts``; one in which compiled mutants are kept."""
        self.root = root
        self._compiled = compiled
        self._users = {name: modules_of(root, source) for name, source in artifact.SOURCES.items()}
        self._function_at: dict[str, dict[int, tuple[str, str]]] = {}
        self._runtimes: list[tuple[bytes, str]] = []
        self._initcodes: list[tuple[bytes, str]] = []
        self._named: dict[tuple[bool, bytes], str | None] = {}
        self._plain = artifact._load  # noqa: SLF001  the one place where artifacts come from

    def begin(self) -> None:
        """Compile every contract as it is, with a map from its code to its functions."""
        hasten()
        for name in artifact.SOURCES:
            made = artifact.load(name)
            self._runtimes.append((made.runtime, name))
            self._initcodes.append((made.initcode, name))
            self._function_at[name] = self._map_of(name)

    @contextmanager
    def watch(self, reached: Reached) -> Iterator[None]:
        """Note the functions whose code runs, as (contract, "file function")."""
        from boa.vm.py_evm import PyEVM  # type: ignore[import-untyped]  # noqa: PLC0415  installed for the tests alone, and slow to import

        originals = {name: getattr(PyEVM, name) for name in ("execute_code", "deploy_code")}

        def noting(original: Any) -> Any:
            def run(*arguments: Any, **options: Any) -> Any:
                computation = original(*arguments, **options)
                self._note(computation, reached)
                return computation

            return run

        for name, original in originals.items():
            setattr(PyEVM, name, noting(original))
        try:
            yield
        finally:
            for name, original in originals.items():
                setattr(PyEVM, name, original)

    def _note(self, computation: Any, reached: Reached) -> None:
        creates = computation.msg.is_create
        name = self._name_of(computation.code._raw_code_bytes, creates)  # noqa: SLF001  the trace has no other door
        if name is not None:
            reached.add((name, _DEPLOYED if creates else _ANY))
            if not creates:
                places = self._function_at[name]
                reached.update((name, " ".join(places[pc])) for pc in set(computation.code._trace) if pc in places)  # noqa: SLF001
        for child in computation.children:
            self._note(child, reached)

    def _name_of(self, code: bytes, creates: bool) -> str | None:
        key = (creates, bytes(code))
        if key not in self._named:
            known = self._initcodes if creates else self._runtimes
            self._named[key] = next((name for start, name in known if code.startswith(start)), None)
        return self._named[key]

    def stages(self, mutant: Mutant) -> Sequence[str]:
        """The contracts that contain the file, the smallest first: they are compiled soonest."""
        users = [name for name, files in self._users.items() if mutant.path in files]
        return sorted(users, key=lambda name: len(artifact.load(name).runtime))

    def concerns(self, mutant: Mutant, stage: str, reached: frozenset[tuple[str, str]]) -> bool:
        """Whether the function ran; for a constant or a constructor, whether the contract did."""
        place = (stage, f"{mutant.path} {mutant.function}")
        if mutant.function in ("module", "__init__"):
            return (stage, _ANY) in reached or (stage, _DEPLOYED) in reached
        return place in reached

    def owns(self, mutant: Mutant, test_path: str) -> bool:
        """Files of tests are named after functions, and those of a contract are in a folder of its name."""
        return f"test_{mutant.function.strip('_')}.py" == PurePosixPath(test_path).name

    def apply(self, mutant: Mutant, stage: str) -> Change:
        """Compile the contract with the changed file, and give it to whoever loads it."""
        try:
            changed = self.compiled(mutant, stage)
        except compiler.CompilationError:
            return Change.NO_PROGRAM
        before = self._plain(stage)
        if program_of(changed.initcode) == program_of(before.initcode):
            return Change.SAME_PROGRAM
        plain = self._plain
        artifact._load = lambda name: changed if name == stage else plain(name)  # type: ignore[assignment]  # noqa: SLF001
        return Change.MADE

    def compiled(self, mutant: Mutant, stage: str) -> artifact.Artifact:
        """The changed contract, from the folder of compiled mutants or from the compiler."""
        key = hashlib.sha256(f"{compiler.sources_hash(self.root)} {stage} {mutant.path}\n{mutant.source}".encode())
        path = self._compiled / f"{key.hexdigest()[:32]}.json"
        if not path.exists():
            with_change = {self.root / mutant.path: mutant.source}
            made = compiler.compile_file(self.root / artifact.SOURCES[stage], self.root, with_change)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".tmp")
            partial.write_text(json.dumps(made))
            partial.replace(path)
        return artifact.from_compiled(stage, json.loads(path.read_text()))

    def _map_of(self, name: str) -> dict[int, tuple[str, str]]:
        """Program counter -> (file below the root, function) of a contract's runtime code."""
        kept = self._compiled / f"map-{compiler.sources_hash(self.root)[:16]}-{name}.json"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            lines = compiler.lines_of_code(self.root / artifact.SOURCES[name], self.root)
            kept.write_text(json.dumps(lines))
        sources: dict[str, Source] = {}
        places = {}
        for pc, (file, line) in json.loads(kept.read_text()).items():
            if not (self.root / file).is_file():
                continue
            if file not in sources:
                sources[file] = Source((self.root / file).read_text())
            places[int(pc)] = (file, sources[file].function_at(line))
        return places


def modules_of(root: Path, source: str) -> set[str]:
    """A contract's file and all modules that it imports, directly or not, below ``root``."""
    found, unread = set[str](), [source]
    while unread:
        path = unread.pop()
        if path in found:
            continue
        found.add(path)
        for dots, package, name in _IMPORT.findall((root / path).read_text()):
            folder = Path(path).parents[len(dots) - 1] / package.replace(".", "/")
            imported = folder / f"{name}.vy"
            if (root / imported).is_file():
                unread.append(imported.as_posix())
    return found
