"""Mutants of Python modules: put in the place of a module in use (``patch.py``)."""

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from types import FunctionType

from alatau_devnet.mutation.mutants import Mutant
from alatau_devnet.mutation.patch import Place, apply, changed_function, functions_by_place
from alatau_devnet.mutation.reach import Reach
from alatau_devnet.mutation.subject import Change, Reached


class PythonModules:
    """Modules below one folder, imported as ``alatau.…``."""

    def __init__(self, sources: Path, files: Iterable[str]) -> None:
        self.sources = sources
        self._files = tuple(files)
        self._reach: Reach | None = None
        self._functions: dict[Place, list[FunctionType]] = {}
        self._changed: dict[Mutant, Place | None] = {}

    def begin(self) -> None:
        """Find every function there is."""
        self._functions = functions_by_place(str(self.sources))
        gc.collect()
        gc.freeze()

    @contextmanager
    def watch(self, reached: Reached) -> Iterator[None]:
        """Note the functions that are called, by file and qualified name: lines move."""
        if self._reach is None:
            self._reach = Reach()
            self._reach.instrument({self.sources / file: _module_of(file) for file in self._files}, self._functions)
        self._reach.begin_anew()
        yield
        reached.update(self._reach.seen())

    def stages(self, mutant: Mutant) -> Sequence[str]:
        """There is one program."""
        file = str(self.sources / mutant.path)
        self._changed = {mutant: changed_function(file, Path(file).read_text(), mutant.source)}
        return ("alatau",)

    def concerns(self, mutant: Mutant, _stage: str, reached: frozenset[tuple[str, str]]) -> bool:
        """Whether the changed function was called; where no function changed but a constant, any of the file."""
        changed = self._changed[mutant]
        if changed is None:
            return any(path == str(self.sources / mutant.path) for path, _ in reached)
        return changed[:2] in reached

    def owns(self, mutant: Mutant, test_path: str) -> bool:
        """The file of tests with the module's name."""
        return PurePath(test_path).name == f"test_{PurePath(mutant.path).name}"

    def apply(self, mutant: Mutant, _stage: str) -> Change:
        """Give the functions other code, or names other values."""
        text = (self.sources / mutant.path).read_text()
        made = apply(sys.modules[_module_of(mutant.path)], text, mutant.source, self._functions)
        return Change.MADE if made else Change.NOT_APPLIED


def _module_of(file: str) -> str:
    return "alatau." + ".".join(Path(file).with_suffix("").parts).removesuffix(".__init__")
