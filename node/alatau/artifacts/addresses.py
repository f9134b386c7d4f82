"""Where the contracts of every genesis stand: ``a1a7a0`` (Alatau), then a number."""

import re
from typing import Final


def _at(number: int) -> bytes:
    return (0xA1A7A000 + number).to_bytes(20, "big")


FUND_COUNCIL: Final = _at(0x01)
"""Council of the fund: governs the registries and the token."""

VALIDATOR_REGISTRY: Final = _at(0x02)
PARTICIPANT_REGISTRY: Final = _at(0x03)
SETTLEMENT_TOKEN: Final = _at(0x04)
RESERVE_COUNCIL: Final = _at(0x05)
"""The board that approves releases from the reserve."""

RESERVE_VAULT: Final = _at(0x06)
CITY_CHANNELS: Final = _at(0x07)
POSITION_LEDGER: Final = _at(0x08)
"""What the reserve holds outside the chain, as attested."""

OFFLINE_BONDS: Final = _at(0x09)
"""Stands behind payments that residents make without a network."""

DAY_BOOK: Final = _at(0x0A)
"""Where hubs commit to their book of each day."""

SIGNATURE_VERIFIER: Final = _at(0x0B)
"""Says who signed, in any scheme; the contracts know it by this address (contracts/lib/signature_schemes.vy)."""

CHANNEL_PAUSE: Final = _at(0x0C)
"""Says whether the city's channels take new money."""

COURT_RECOVERIES: Final = _at(0x0D)
"""Where courts and the fund council decide to move what is frozen in the settlement token."""

GENESIS_CONTRACTS: Final = {
    "FundCouncil": ("Council", FUND_COUNCIL),
    "ReserveCouncil": ("Council", RESERVE_COUNCIL),
    "ValidatorRegistry": ("ValidatorRegistry", VALIDATOR_REGISTRY),
    "ParticipantRegistry": ("ParticipantRegistry", PARTICIPANT_REGISTRY),
    "SettlementToken": ("SettlementToken", SETTLEMENT_TOKEN),
    "ReserveVault": ("ReserveVault", RESERVE_VAULT),
    "CityChannels": ("CityChannels", CITY_CHANNELS),
    "PositionLedger": ("PositionLedger", POSITION_LEDGER),
    "OfflineBonds": ("OfflineBonds", OFFLINE_BONDS),
    "DayBook": ("DayBook", DAY_BOOK),
    "SignatureVerifier": ("SignatureVerifier", SIGNATURE_VERIFIER),
    "ChannelPause": ("ChannelPause", CHANNEL_PAUSE),
    "CourtRecoveries": ("CourtRecoveries", COURT_RECOVERIES),
}
"""Name -> (artifact, address) of the contracts that are there from genesis."""


_SUCCESSOR: Final = re.compile(r"(\w+)@0x([0-9a-fA-F]{40})")


def contract_named(text: str) -> tuple[str, bytes]:
    """(artifact, address) of a contract as people name it.

    ``ReserveVault`` is that of genesis; ``ReserveVault@0x…`` is one of its kind elsewhere, a successor for instance.

    Raises:
        ValueError: it is neither; the message lists the names.
    """
    match = _SUCCESSOR.fullmatch(text)
    name = match[1] if match else text
    if name not in GENESIS_CONTRACTS:
        raise ValueError(
            f"{text!r:.60} is none of {', '.join(GENESIS_CONTRACTS)}, and no successor such as ReserveVault@0x..."
        )
    artifact, address = GENESIS_CONTRACTS[name]
    return artifact, bytes.fromhex(match[2]) if match else address
