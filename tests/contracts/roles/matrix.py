"""Who may call what: every function that changes something, called by everybody when all else is right.

``docs/contracts/roles.md`` is what this measures; ``make roles`` writes it anew.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boa

from alatau.artifacts.artifact import SOURCES, abi_type, load
from tests.contracts.actors import Actor
from tests.contracts.roles.calls import Call
from tests.contracts.roles.channel_calls import BONDS, CHANNELS, DAY_BOOK, PAUSE
from tests.contracts.roles.governance_calls import COUNCIL, VALIDATORS
from tests.contracts.roles.registry_calls import PARTICIPANTS, RECOVERIES, TOKEN
from tests.contracts.roles.reserve_calls import POSITIONS, VAULT
from tests.contracts.world import (
    World,
    auditor,
    chair,
    compliance,
    court,
    custodian,
    governor,
    guardian,
    hub,
    issuer,
    licensor,
    merchant,
    operators,
    proposer,
    prosecutor,
    registrar,
    resident,
    stranger,
)

PAGE: Final = Path(__file__).parents[3] / "docs" / "contracts" / "roles.md"
PEOPLE: Final[Mapping[str, Actor]] = {
    "council": chair,
    "board": governor,
    "guardian": guardian,
    "registrar": registrar,
    "licensor": licensor,
    "compliance": compliance,
    "court": court,
    "prosecutor": prosecutor,
    "proposer": proposer,
    "custodian": custodian,
    "auditor": auditor,
    "issuer": issuer,
    "operator": operators[0],
    "hub": hub,
    "merchant": merchant,
    "resident": resident,
    "stranger": stranger,
}
"""By what the table calls them; *stranger* is registered nowhere."""

Rows = dict[str, dict[str, bool]]
"""Function -> person -> whether she may."""

CONTRACTS: Final = {
    "Council": "fund_council",
    "ValidatorRegistry": "validators",
    "ParticipantRegistry": "participants",
    "SettlementToken": "token",
    "ReserveVault": "vault",
    "PositionLedger": "positions",
    "CityChannels": "channels",
    "OfflineBonds": "bonds",
    "DayBook": "day_book",
    "SignatureVerifier": "verifier",
    "ChannelPause": "channel_pause",
    "CourtRecoveries": "recoveries",
}
"""Contracts of genesis, by their names in the test world."""

REFUSALS: Final = (
    "only ",
    "role: ",
    "council: not a member",
    "vault: no part in it",
    "validators: not an operator",
    "bond: not the payer",
    "channels: not a party",
    "day: hub not licensed",
    "handover: it does not know the caller",
    "token: sender not admitted",
    "token: allowance",
    "authorization: caller is not the receiver",
    "token: issuer allowance",
    "token: balance",
    "ledger: no part in it",
    "channels: one party",
    "channels: bad signature",
    "channels: no credit",
    "claim: account not admitted",
)
"""How the reasons begin with which somebody is refused for who he is."""


CALLS: Final[Mapping[str, Mapping[str, Call]]] = {
    "Council": COUNCIL,
    "ValidatorRegistry": VALIDATORS,
    "ParticipantRegistry": PARTICIPANTS,
    "SettlementToken": TOKEN,
    "ReserveVault": VAULT,
    "PositionLedger": POSITIONS,
    "CityChannels": CHANNELS,
    "OfflineBonds": BONDS,
    "DayBook": DAY_BOOK,
    "SignatureVerifier": {},
    "ChannelPause": PAUSE,
    "CourtRecoveries": RECOVERIES,
}
"""Contract -> function, with its types where there are two of the name -> how it is called."""


def functions_of(contract: str) -> list[str]:
    """Every function that changes something, from the ABI; with types where there are two of one name."""
    changing = [
        e for e in load(contract).abi if e["type"] == "function" and e["stateMutability"] not in ("view", "pure")
    ]
    names = [e["name"] for e in changing]
    return [
        e["name"] if names.count(e["name"]) == 1 else f"{e['name']}({','.join(abi_type(i) for i in e['inputs'])})"
        for e in changing
    ]


def measured(world: World, contract: str) -> Rows:
    """Everybody calls every function; all else is right."""
    return {function: _who_may(world, contract, function) for function in functions_of(contract)}


def _who_may(world: World, contract: str, function: str) -> dict[str, bool]:
    found = {}
    with boa.env.anchor():
        arguments = CALLS[contract][function](world)
        called = getattr(getattr(world, CONTRACTS[contract]), function.partition("(")[0])
        for name, person in PEOPLE.items():
            with boa.env.anchor():
                boa.env.set_balance(person.address, 10)
                found[name] = _allowed(called, arguments, person, 1 if function == "deposit_native" else 0)
    return found


def _allowed(called: Any, arguments: tuple[Any, ...], person: Actor, value: int) -> bool:
    """Whether a call goes through; it may fail for who the caller is, and for nothing else."""
    try:
        called(*arguments, sender=person.address, value=value)
    except boa.BoaError as error:
        if any(f"<{refusal}" in str(error) for refusal in REFUSALS):
            return False
        raise
    return True


def page(matrix: Mapping[str, Rows]) -> str:
    """The page of the documentation."""
    lines = [_OPENING]
    for contract, rows in matrix.items():
        lines += [f"## {contract}", "", f"Source: `contracts/{SOURCES[contract]}`.", ""]
        lines.append("| function | " + " | ".join(PEOPLE) + " |")
        lines.append("|---|" + "---|" * len(PEOPLE))
        for function, cells in rows.items():
            if not all(cells.values()):
                lines.append(f"| `{function}` | " + " | ".join("yes" if may else "" for may in cells.values()) + " |")
        anyone = ", ".join(f"`{function}`" for function, cells in rows.items() if all(cells.values()))
        lines += ["", f"Anyone: {anyone or 'none'}.", ""]
    return "\n".join(lines)


_OPENING: Final = """# Who may call what

Every function of every contract that changes something, called by every office and by people without one when all
else is right: arguments, time, signatures, money. *yes* goes through; an empty cell is refused for who the caller is.

What anyone may call needs no office because something else decides: signatures, time, or that it concerns the
caller's own money. *Council* is a member of the fund council, which governs all contracts but the vault; *board* a
member of the reserve council, which governs that. *Hub*, *resident* and *merchant* are the parties of the channel
that is called; *stranger* is registered nowhere. Who must sign what, and how many, is on each contract's page.

This page is measured: `make roles` writes it, and `tests/contracts/test_role_matrix.py` compares it with what the
contracts do. The same test asks of every pair of people whether they could move money.
"""
