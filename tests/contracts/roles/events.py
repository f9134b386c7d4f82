"""What every function says in its events, measured beside who may call it.

``docs/contracts/events.md`` is the measure; ``make roles`` writes it anew.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boa
from eth_abi.abi import decode

from alatau.artifacts.artifact import SOURCES, abi_type, load
from alatau.crypto.keccak import keccak256
from tests.contracts.roles.matrix import CALLS, CONTRACTS, PEOPLE, functions_of
from tests.contracts.world import World

PAGE: Final = Path(__file__).parents[3] / "docs" / "contracts" / "events.md"

Said = dict[str, list[str]]
"""Function -> events in their order, as Name(field, ...)."""


def events_of(contract: str) -> list[str]:
    """Every event of an ABI."""
    return sorted({e["name"] for e in load(contract).abi if e["type"] == "event"})


def said(world: World, contract: str) -> Said:
    """What each function logs when the first who may calls it."""
    found = {}
    for function in functions_of(contract):
        with boa.env.anchor():
            found[function] = _logged(world, contract, function)
    return found


def _logged(world: World, contract: str, function: str) -> list[str]:
    arguments = CALLS[contract][function](world)
    called = getattr(world, CONTRACTS[contract])
    value = 1 if function == "deposit_native" else 0
    for person in PEOPLE.values():
        boa.env.set_balance(person.address, 10)
        try:
            getattr(called, function.partition("(")[0])(*arguments, sender=person.address, value=value)
        except boa.BoaError:
            continue
        own = bytes.fromhex(str(called.address)[2:])
        entries = called._computation.get_raw_log_entries()
        return [_named(contract, topics, data) for _, address, topics, data in entries if address == own]
    return []  # only another contract calls it


def _named(contract: str, topics: tuple[int, ...], data: bytes) -> str:
    """An event by its name and the names of the fields that are not zero: what is logged is there."""
    for event in load(contract).abi:
        if event["type"] != "event":
            continue
        types = [abi_type(i) for i in event["inputs"]]
        if topics[0].to_bytes(32, "big") == keccak256(f"{event['name']}({','.join(types)})".encode()):
            indexed = iter(topics[1:])
            plain = iter(decode([t for t, i in zip(types, event["inputs"], strict=True) if not i["indexed"]], data))
            values: list[Any] = [next(indexed) if i["indexed"] else next(plain) for i in event["inputs"]]
            fields = [i["name"] for i, value in zip(event["inputs"], values, strict=True) if _is_set(value)]
            return f"{event['name']}({', '.join(fields)})"
    raise AssertionError(f"{contract} logs what its ABI does not name")


def _is_set(value: Any) -> bool:
    return any(value) if isinstance(value, bytes) else bool(value) and value != "0x" + "00" * 20


def page(measured: Mapping[str, Said]) -> str:
    """The page of the documentation."""
    lines = [_OPENING]
    for contract, functions in measured.items():
        lines += [
            f"## {contract}",
            "",
            f"Source: `contracts/{SOURCES[contract]}`.",
            "",
            "| function | events |",
            "|---|---|",
        ]
        lines += [f"| `{name}` | {', '.join(f'`{one}`' for one in logged)} |" for name, logged in functions.items()]
        silent = sorted(
            set(events_of(contract)) - {one.partition("(")[0] for all_ in functions.values() for one in all_}
        )
        lines += ["", f"In other cases: {', '.join(f'`{one}`' for one in silent) or 'none'}.", ""]
    return "\n".join(lines)


_OPENING: Final = """# What each call logs

The contract's own events of one call of each function, in their order, with the fields that are not zero in that
call. Read an auditor's question from right to left: whoever wants to know of an act filters for its event.

This page is measured: `make roles` writes it, and `tests/contracts/test_events.py` compares it with what the
contracts log.
"""
