"""Who lives in a development network. Keys follow from names: the same in every one, so never use them elsewhere."""

from typing import Final

from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey

FUND_COUNCIL: Final = ("fund_council_1", "fund_council_2", "fund_council_3")
"""Govern the registries and the token; two decide."""

RESERVE_BOARD: Final = ("reserve_board_1", "reserve_board_2", "reserve_board_3")
"""Approve releases from the reserve; two decide."""

GUARDIAN: Final = "guardian"
REGISTRAR: Final = "registrar"
LICENSOR: Final = "licensor"
COMPLIANCE: Final = "compliance"
COURT: Final = "court"
PROPOSER: Final = "proposer"
"""The investment corporation, which proposes releases."""

CUSTODIAN: Final = "custodian"
AUDITOR: Final = "auditor"
"""Attests what the reserve holds outside the chain, independently."""

PROSECUTOR: Final = "prosecutor"
"""Confirms what the court decides of confiscated assets."""

ISSUER: Final = "issuer"
"""The bank that mints settlement tokens."""

HUB: Final = "hub"
"""A licensed payment hub."""

DEVELOPER: Final = "developer"
"""May deploy contracts."""

MERCHANT: Final = "merchant"
OFFICES: Final = (REGISTRAR, LICENSOR, COMPLIANCE, COURT)
"""Public roles of the participants' registry."""

TREASURY: Final = "treasury"
"""The city's treasury: where the reserve may release to."""

INSTITUTIONS: Final = (
    *(*FUND_COUNCIL, *RESERVE_BOARD, GUARDIAN),
    *(PROPOSER, CUSTODIAN, AUDITOR, PROSECUTOR, ISSUER, TREASURY),
)


def resident(number: int) -> str:
    """Name of the nth resident, from 1."""
    return f"resident_{number}"


def key_of(name: str) -> PrivateKey:
    """The key of an inhabitant: keccak256 of a fixed text and the name."""
    return PrivateKey(keccak256(f"alatau devnet, no secret: {name}".encode()))


def address_of(name: str) -> bytes:
    """The address of an inhabitant."""
    return key_of(name).address
