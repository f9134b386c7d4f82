"""Which form of the hot modules runs: compiled with mypyc, or as pure Python.

``make compiled`` translates the modules that a payment passes through to C extensions. They lie apart from the sources,
in a folder named by the digest of everything that they were made from::

    alatau/native/<digest>/alatau.trie.node.cpython-311-x86_64-linux-gnu.so

Importing ``alatau`` hashes the sources (a few milliseconds) and takes the folder of that name, all of it or, where
there is none, nothing. So a source that was edited is never passed over in silence, a branch that was built once is
found again, and a build that goes on beside a running node touches no file that the node has open.
"""

import enum
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

PACKAGE: Final = Path(__file__).parent
BUILDS: Final = PACKAGE / "native"
"""One folder for each build that is kept."""

PACKAGES: Final = ("chain", "codec", "consensus", "crypto", "evm", "mempool", "state", "trie", "types", "wire")
"""What compiled modules are made from. mypyc writes constants of modules that it does not compile into its code, so
that these, too, must be as they were; a test compares with what is imported."""

PURE_ASKED: Final = "ALATAU_PURE"
"""The environment variable that asks for pure Python where it is not empty."""

_SUFFIX: Final = EXTENSION_SUFFIXES[0]
"""Of extensions for this interpreter, as in ``.cpython-311-x86_64-linux-gnu.so``."""


class Form(enum.StrEnum):
    """What runs, and why."""

    COMPILED = "compiled"
    NOT_BUILT = "pure Python: not compiled here; `make compiled` does it where a C compiler is"
    OUTDATED = "pure Python: the compiled build is older than the sources; `make compiled` builds it again"
    ASKED = "pure Python: ALATAU_PURE is set"

    @property
    def build(self) -> str:
        """``compiled`` or ``pure``, as figures are labelled."""
        return "compiled" if self is Form.COMPILED else "pure"


class _Loader(ExtensionFileLoader):
    """Loads an extension and, unlike others, knows its source, so that tracebacks show the lines."""

    def exec_module(self, module: ModuleType) -> None:
        """As others do; a module of mypyc names a loader of its own, and tracebacks ask that one."""
        super().exec_module(module)
        module.__loader__ = self

    def get_source(self, fullname: str) -> str | None:  # type: ignore[override]  # typeshed: no extension has one
        """Of a module of the package; None of the library that all of them share."""
        source = PACKAGE.joinpath(*fullname.split(".")[1:]).with_suffix(".py")
        return source.read_text("utf-8") if source.is_file() else None


class _Extensions(MetaPathFinder):
    """Finds the modules of one build before their sources are found."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files: Final = files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Of a module of the build; of every other none, so that the next finder is asked."""
        del path, target
        file = self._files.get(fullname)
        if file is None:
            return None
        return spec_from_file_location(fullname, file, loader=_Loader(fullname, str(file)))


def sources(package: Path = PACKAGE) -> Iterator[Path]:
    """What the digest is of, in its order."""
    for name in PACKAGES:
        yield from sorted((package / name).rglob("*.py"))


def folder_name(package: Path = PACKAGE) -> str:
    """The name of the build that belongs to the sources as they are, for this interpreter."""
    digest = hashlib.sha256(_SUFFIX.encode())
    for path in sources(package):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(package).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def choose(builds: Path = BUILDS, package: Path = PACKAGE, *, pure: bool = False) -> tuple[Form, dict[str, Path]]:
    """The form that can run, and the modules' files if it is the compiled one.

    Args:
        builds: Folder of builds.
        package: Folder of the sources.
        pure: Whether pure Python is asked for.
    """
    if pure:
        return Form.ASKED, {}
    built = [path for path in builds.glob("*/*" + _SUFFIX) if not path.parent.name.startswith(".")]
    if not built:
        return Form.NOT_BUILT, {}
    name = folder_name(package)
    files = {path.name.removesuffix(_SUFFIX): path for path in built if path.parent.name == name}
    return (Form.COMPILED if files else Form.OUTDATED), files


def _begin() -> Form:
    form, files = choose(pure=bool(os.environ.get(PURE_ASKED)))
    if files:
        sys.meta_path.insert(0, _Extensions(files))
    return form


FORM: Final = _begin()
"""What runs in this process. ``alatau/__init__.py`` imports this module before any other of the package."""
