"""Load compiled contracts: from the package, from a cache, or by compiling the sources.

An installed package carries ``compiled/<Name>.json`` and ``compiled/sources``, written when the wheel is built
(``python -m alatau.artifacts``). In a working copy the sources are the truth: artifacts live in ``build/contracts``,
in a folder named by the hash of all sources and of the compiler, so a stale one is never found.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode as abi_encode

from alatau.artifacts import compiler
from alatau.artifacts.addresses import GENESIS_CONTRACTS

SOURCES: Final = {
    "Council": "governance/Council.vy",
    "ValidatorRegistry": "governance/ValidatorRegistry.vy",
    "ParticipantRegistry": "identity/ParticipantRegistry.vy",
    "SettlementToken": "tokens/SettlementToken.vy",
    "ReserveVault": "reserve/ReserveVault.vy",
    "PositionLedger": "reserve/PositionLedger.vy",
    "CityChannels": "channels/CityChannels.vy",
    "OfflineBonds": "channels/OfflineBonds.vy",
    "DayBook": "channels/DayBook.vy",
    "SignatureVerifier": "identity/SignatureVerifier.vy",
    "ChannelPause": "channels/ChannelPause.vy",
    "CourtRecoveries": "tokens/CourtRecoveries.vy",
    "ReserveCourier": "reserve/ReserveCourier.vy",
    "TokenExchange": "tokens/TokenExchange.vy",
}
"""Deployable contracts and their sources, relative to ``contracts/``."""

_PACKAGED: Final = Path(__file__).parent / "compiled"
_REPOSITORY: Final = Path(__file__).parents[3]


class UnknownContractError(KeyError):
    """The caller named a contract that there is not; the message lists those that there are."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no contract is called {name}; there are {', '.join(SOURCES)}")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract."""

    name: str
    abi: list[dict[str, Any]]
    initcode: bytes
    """Creation code, to be followed by the encoded constructor arguments."""
    runtime: bytes
    """The deployed code without its immutables."""
    layout: dict[str, Any]
    """The compiler's storage layout."""

    def creation(self, *arguments: object) -> bytes:
        """Creation code with the constructor's arguments; structs as tuples, addresses as bytes or hex."""
        entry = next((e for e in self.abi if e["type"] == "constructor"), None)
        types = [abi_type(i) for i in entry["inputs"]] if entry else []
        return self.initcode + abi_encode(types, arguments)


def load(name: str) -> Artifact:
    """The artifact of a contract.

    Raises:
        UnknownContractError: there is none of that name.
        alatau.artifacts.compiler.CompilationError: its source does not compile.
    """
    if name not in SOURCES:
        raise UnknownContractError(name)
    return _load(name)


def compile_source(path: Path) -> Artifact:
    """Compile a source of the caller's own, which may import ours. Raises ``CompilationError``."""
    return from_compiled(path.stem, compiler.compile_file(path, sources_root() or _PACKAGED / "sources"))


def sources_root() -> Path | None:
    """The folder with our Vyper sources; None in an installed package."""
    root = _REPOSITORY / "contracts"
    return root if (root / "lib").is_dir() else None


def write_compiled(names: Sequence[str], folder: Path) -> None:
    """Compile ``names`` to ``<Name>.json`` in ``folder``, the sources beside them: the build step of the wheel."""
    root = sources_root()
    assert root is not None, "there are no sources to compile"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        _write(folder / f"{name}.json", compiler.compile_file(root / SOURCES[name], root))
    for path in compiler.source_files(root):
        copied = folder / "sources" / path.relative_to(root)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(path.read_bytes())


def write_interfaces(folder: Path) -> None:
    """Write ABI and storage layout of every contract to ``<Name>.json`` in ``folder``: what clients need of a release.

    ``addresses.json`` beside them says which of them stands where in every genesis.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        artifact = load(name)
        _write(folder / f"{name}.json", {"contract": name, "abi": artifact.abi, "storage_layout": artifact.layout})
    stand = {
        name: {"contract": contract, "address": f"0x{address.hex()}"}
        for name, (contract, address) in GENESIS_CONTRACTS.items()
    }
    _write(folder / "addresses.json", stand)


def abi_type(parameter: dict[str, Any]) -> str:
    """The canonical type of an ABI parameter, tuples spelled out."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    members = ",".join(abi_type(c) for c in parameter["components"])
    return f"({members}){kind.removeprefix('tuple')}"


@cache  # as many entries as there are contracts
def _load(name: str) -> Artifact:
    root = sources_root()
    if root is None:
        return from_compiled(name, json.loads((_PACKAGED / f"{name}.json").read_text()))
    cached = _REPOSITORY / "build" / "contracts" / compiler.sources_hash(root)[:16] / f"{name}.json"
    if not cached.is_file():
        cached.parent.mkdir(parents=True, exist_ok=True)
        _write(cached, compiler.compile_file(root / SOURCES[name], root))
    return from_compiled(name, json.loads(cached.read_text()))


def _write(path: Path, compiled: dict[str, Any]) -> None:
    """Write whole or not at all: two processes may compile at once."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
        json.dump(compiled, file, indent=1, sort_keys=True)
    Path(file.name).chmod(0o644)
    os.replace(file.name, path)  # noqa: PTH105  atomic, and says so


def from_compiled(name: str, compiled: dict[str, Any]) -> Artifact:
    """An artifact of what ``compiler.compile_file`` gives."""
    return Artifact(
        name=name,
        abi=compiled["abi"],
        initcode=bytes.fromhex(compiled["initcode"].removeprefix("0x")),
        runtime=bytes.fromhex(compiled["runtime"].removeprefix("0x")),
        layout=compiled["layout"],
    )
