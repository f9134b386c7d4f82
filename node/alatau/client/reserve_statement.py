"""A statement of the reserve: what its journal says that it held after a block, the same to the bit whoever makes it.

It is computed from proved entries alone, not from what a node answers: deposits, releases and returns make the books,
reports the positions. The entries up to a height are a prefix of those that a later proof covers, so a statement of
last year is made from today's proof. It names the journals' heads at its height, the block, and the hash of the commit
that decided it, as the next block carries it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alatau.client.reserve_journal import Entry

FORMAT: Final = "alatau reserve statement 1"
PROVENANCES: Final = {1: "confiscated", 2: "mined", 4: "foreign exchange", 8: "national fund"}


@dataclass(frozen=True, slots=True)
class StatementBlock:
    """The block after which the statement holds."""

    chain_id: int
    genesis_hash: bytes
    height: int
    block_hash: bytes
    timestamp: int
    state_root: bytes
    commit_hash: bytes
    """Of its commit, as the next block's header has it."""


def statement(vault: Sequence[Entry], positions: Sequence[Entry], at: StatementBlock) -> dict[str, Any]:
    """The document. ``vault`` and ``positions`` are whole journals, proved; what is after the block is left out."""
    vault, positions = _until(vault, at.height), _until(positions, at.height)
    ledger, cases = _books(vault)
    assets = sorted({asset for asset, _ in ledger})
    return {
        "format": FORMAT,
        "chain_id": at.chain_id,
        "genesis_hash": _hex(at.genesis_hash),
        "as_of": {
            "height": at.height,
            "block_hash": _hex(at.block_hash),
            "timestamp": at.timestamp,
            "state_root": _hex(at.state_root),
            "commit_hash": _hex(at.commit_hash),
        },
        "journals": {"ReserveVault": _journal(vault), "PositionLedger": _journal(positions)},
        "held": [
            {
                "asset": _hex(asset),
                "total": str(sum(amount for (a, _), amount in ledger.items() if a == asset)),
                "by_provenance": {
                    name: str(ledger[asset, number])
                    for number, name in PROVENANCES.items()
                    if ledger.get((asset, number))
                },
            }
            for asset in assets
        ],
        "cases": [
            {"case": _hex(case_id), "asset": _hex(asset), "amount": str(amount)}
            for (case_id, asset), amount in sorted(cases.items())
            if amount
        ],
        "positions": [_position(values) for _, values in sorted(_last(positions, "report", "position").items())],
    }


def _books(entries: Iterable[Entry]) -> tuple[dict[tuple[bytes, int], int], dict[tuple[bytes, bytes], int]]:
    """(asset, provenance) -> amount, and (case, asset) -> amount, from the first entry on."""
    ledger: dict[tuple[bytes, int], int] = {}
    cases: dict[tuple[bytes, bytes], int] = {}
    proposed: dict[bytes, Mapping[str, Any]] = {}
    for entry in entries:
        values = entry.values
        match entry.kind:
            case "deposit":
                asset, provenance, case_id, amount = (
                    values[name] for name in ("asset", "provenance", "case_id", "amount")
                )
            case "propose release":
                proposed[values["id"]] = values
                continue
            case "release":
                intent = proposed[values["id"]]
                asset, provenance, case_id = intent["asset"], intent["provenance"], intent["case_id"]
                amount = -intent["amount"]
            case "return":
                asset, provenance, case_id, amount = values["asset"], 1, values["case_id"], -values["amount"]
            case _:
                continue
        ledger[asset, provenance] = ledger.get((asset, provenance), 0) + amount
        if provenance == 1:
            cases[case_id, asset] = cases.get((case_id, asset), 0) + amount
    return ledger, cases


def _last(entries: Iterable[Entry], kind: str, key: str) -> dict[bytes, Mapping[str, Any]]:
    return {entry.values[key]: entry.values for entry in entries if entry.kind == kind}


def _position(values: Mapping[str, Any]) -> dict[str, Any]:
    figures = {name: str(values[name]) for name in ("quantity", "encumbered", "price")}
    dates = {name: values[name] for name in ("sequence", "as_of", "price_as_of")}
    return {"position": _hex(values["position"]), **figures, **dates, "evidence_hash": _hex(values["evidence_hash"])}


def _journal(entries: Sequence[Entry]) -> dict[str, Any]:
    return {"length": len(entries), "head": _hex(entries[-1].head if entries else bytes(32))}


def _until(entries: Sequence[Entry], height: int) -> Sequence[Entry]:
    return [entry for entry in entries if entry.height <= height]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
