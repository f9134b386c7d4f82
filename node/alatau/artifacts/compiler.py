"""Compile a contract with the pinned Vyper compiler."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from alatau.codec.plain_text import shortened

COMPILER_VERSION: Final = "0.4.3"
EVM_VERSION: Final = "prague"
"""The newest that Vyper 0.4.3 knows; Osaka runs its code unchanged."""

_FORMATS: Final = ("abi", "bytecode", "bytecode_runtime", "layout")
_MESSAGE_MAX: Final = 2_000
"""Characters: Vyper quotes the line at fault, however long."""


class CompilationError(ValueError):
    """The source does not compile. The author's to fix; the message is the compiler's."""


def source_files(root: Path) -> Iterator[Path]:
    """Every source under ``root`` that a contract may import, in a fixed order; ``mocks`` are for tests."""
    for path in sorted(root.rglob("*.vy*")):
        if path.suffix in (".vy", ".vyi") and "mocks" not in path.relative_to(root).parts:
            yield path


def sources_hash(root: Path) -> str:
    """Names the compiler, its settings and all sources: equal hash, equal artifacts."""
    digest = hashlib.sha256(f"vyper {COMPILER_VERSION} {EVM_VERSION}\n".encode())
    for path in source_files(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def compile_file(path: Path, root: Path, changed: Mapping[Path, str] | None = None) -> dict[str, Any]:
    """Compile ``path``; imports are looked up beside it and under ``root``.

    Args:
        path: the contract's source.
        root: the folder of all sources.
        changed: file -> text to read in its place.

    Returns:
        ``abi`` (list), ``initcode`` and ``runtime`` (hex with 0x), ``layout`` (dict).

    Raises:
        CompilationError: the compiler refused the source.
    """
    output, _ = _compiled(path, root, _FORMATS, changed or {})
    return {
        "abi": output["abi"],
        "initcode": output["bytecode"],
        "runtime": output["bytecode_runtime"],
        "layout": json.loads(json.dumps(output["layout"])),
    }


def lines_of_code(path: Path, root: Path) -> dict[int, tuple[str, int]]:
    """Where the runtime code of a contract comes from: program counter -> file (relative to ``root``) and line."""
    output, files = _compiled(path, root, ("source_map_runtime",), {})
    found = output["source_map_runtime"]
    places = {}
    for pc, (source_id, _) in found["pc_ast_map"].items():
        file = files.get(source_id)
        if file is not None and file.is_relative_to(root):
            places[pc] = (file.relative_to(root).as_posix(), found["pc_pos_map"][pc][0])
    return places


def _compiled(
    path: Path, root: Path, formats: Sequence[str], changed: Mapping[Path, str]
) -> tuple[dict[str, Any], dict[int, Path]]:
    """The compiler's output, and the files that it read by the numbers that it gave them."""
    # Imported here and nowhere else: it takes 0.4 s and 60 MB, and a node that only runs never compiles.
    import vyper  # noqa: PLC0415
    from vyper.compiler.input_bundle import FilesystemInputBundle  # noqa: PLC0415
    from vyper.compiler.settings import Settings  # noqa: PLC0415
    from vyper.exceptions import VyperException  # noqa: PLC0415

    assert vyper.__version__.startswith(COMPILER_VERSION), f"vyper is {vyper.__version__}, not {COMPILER_VERSION}"
    files: dict[int, Path] = {}

    class Bundle(FilesystemInputBundle):  # type: ignore[misc]
        def load_file(self, asked: Any) -> Any:
            file = super().load_file(asked)
            resolved = Path(file.resolved_path)
            files[file.source_id] = resolved
            return replace(file, contents=changed[resolved]) if resolved in changed else file

    bundle = Bundle([root, path.parent])
    try:
        output = vyper.compile_from_file_input(
            bundle.load_file(path.resolve()),
            input_bundle=bundle,
            output_formats=list(formats),
            settings=Settings(evm_version=EVM_VERSION),
        )
    except (VyperException, OSError) as error:
        raise CompilationError(f"{path.name}: {shortened(str(error), _MESSAGE_MAX)}") from error
    except Exception as error:
        raise CompilationError(
            f"{path.name}: Vyper gave up: {type(error).__name__}: {shortened(str(error), _MESSAGE_MAX)}"
        ) from error
    return output, files
