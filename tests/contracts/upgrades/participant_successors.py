"""A second participant registry that knows everybody whom the tests need."""

from typing import Any

from alatau.artifacts.genesis import NO_CAP, Role, hub_word, institution_word, resident_word
from alatau.chain.permission import ParticipantKind, status_word
from tests.contracts.world import (
    DELAY,
    TIER_1_CAP,
    World,
    compliance,
    court,
    deploy,
    guardian,
    hub,
    issuer,
    licensor,
    merchant,
    neighbour,
    registrar,
    resident,
    treasury,
)


def successor_of(world: World) -> Any:
    """A registry that knows everybody whom the tests need, and that the token may be told by."""
    offices = (
        (registrar, Role.REGISTRAR),
        (licensor, Role.LICENSOR),
        (compliance, Role.COMPLIANCE),
        (court, Role.COURT),
    )
    words = {a.raw: institution_word() for a in (guardian, registrar, licensor, compliance, court, issuer, treasury)}
    words |= {a.raw: resident_word(1) for a in (resident, neighbour)}
    words |= {merchant.raw: status_word(ParticipantKind.MERCHANT, tier=2), hub.raw: hub_word()}
    contracts = (world.vault, world.channels, world.bonds)
    words |= {bytes.fromhex(c.address[2:]): status_word(ParticipantKind.CONTRACT) for c in contracts}
    roles = sorted((one.address, int(role)) for one, role in offices)
    participants = [("0x" + account.hex(), word) for account, word in sorted(words.items())]
    body = world.fund_council.address
    return deploy("ParticipantRegistry", body, DELAY, roles, [TIER_1_CAP, NO_CAP], [world.token.address], participants)
