"""Mutants of Python modules: put in the place of a module in use (``patch.py``)."""

import gc
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from types import FrameType, FunctionType

from alatau_devnet.mutation.mutants import Mutant
from alatau_devnet.mutation.patch import Place, apply, changed_function, functions_by_place
from alatau_devnet.mutation.subject import Change, Reached


class PythonModules:
    """The modules below one folder, imported as ``alatau.…``."""

    def __init__(self, sources: Path) -> None:
        self.sources = sources
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
        prefix = str(self.sources)

        def note(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code.co_filename.startswith(prefix):
                reached.add((frame.f_code.co_filename, frame.f_code.co_qualname))

        threading.setprofile(note)
        sys.setprofile(note)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

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
        name = "alatau." + ".".join(Path(mutant.path).with_suffix("").parts).removesuffix(".__init__")
        text = (self.sources / mutant.path).read_text()
        made = apply(sys.modules[name], text, mutant.source, self._functions)
        return Change.MADE if made else Change.NOT_APPLIED
