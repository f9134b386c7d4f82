"""What is deployed: Vyper source, a compiler's output as JSON, or code in hexadecimal."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alatau.artifacts.artifact import compile_source
from alatau.client.abi import Abi, load_abi, read_json_file
from alatau.client.contract_plans import read_bytecode
from alatau.client.errors import AbiError

_CODE_MEMBERS: Final = ("bytecode", "initcode", "bin", "data")
"""Where compilers put the code that creates a contract: Vyper, Hardhat, Foundry, ``alatau.artifacts``, solc."""
_HEX_SIZE_MAX: Final = 256 * 1024
"""Characters; init code has at most 49,152 bytes (EIP-3860)."""


@dataclass(frozen=True, slots=True)
class Deployable:
    """A contract that can be created."""

    initcode: bytes
    """Without the constructor's arguments."""
    abi: Abi | None
    """None where only the code is known."""
    entries: list[dict[str, Any]] | None
    """The ABI's JSON."""


def read_deployable(path: Path) -> Deployable:
    """A contract from the file at ``path``, by its ending and content.

    Raises:
        CompilationError: the source does not compile.
        AbiError: the file is none of the three, or lacks the code.
    """
    if path.suffix == ".vy":
        artifact = compile_source(path)
        return Deployable(artifact.initcode, load_abi(artifact.abi), artifact.abi)
    if path.suffix == ".json":
        return _artifact(path, read_json_file(path))
    with path.open("rb") as file:
        text = file.read(_HEX_SIZE_MAX + 1)
    if len(text) > _HEX_SIZE_MAX or not text.isascii():
        raise AbiError(f"{path} is neither Vyper source (.vy), nor a compiler's output (.json), nor hexadecimal text")
    return Deployable(read_bytecode(text.decode()), None, None)


def _artifact(path: Path, document: Any) -> Deployable:
    found: Any = document
    if isinstance(found, Mapping) and "abi" not in found and len(found) == 1:
        (found,) = found.values()  # vyper -f combined_json: one contract under its file's name
    if not isinstance(found, Mapping) or "abi" not in found:
        raise AbiError(f"{path} is no output of one contract: it should be an object with 'abi' and 'bytecode'")
    code = next((found[name] for name in _CODE_MEMBERS if name in found), None)
    if isinstance(code, Mapping):
        code = code.get("object")
    if not isinstance(code, str):
        raise AbiError(f"{path} has no code: one of {', '.join(_CODE_MEMBERS)}, in hexadecimal")
    return Deployable(read_bytecode(code), load_abi(found), list(found["abi"]))
