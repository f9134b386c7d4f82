"""How ParticipantRegistry, SettlementToken and CourtRecoveries are called when all else is right."""

from typing import Any, Final

from alatau.chain.permission import ParticipantKind
from tests.contracts.participant_registry.changes import Action as RegistryAction
from tests.contracts.participant_registry.changes import Cap, approved_cap
from tests.contracts.participant_registry.changes import approved as approved_in_registry
from tests.contracts.roles.calls import Call, after, body_calls, name_successor
from tests.contracts.settlement_token.authorizations import (
    RECEIVE,
    TRANSFER,
    cancelling,
    cancelling_in_parts,
    in_parts,
    paying,
    permitting,
    recorded,
    signed,
)
from tests.contracts.settlement_token.changes import Action as TokenAction
from tests.contracts.settlement_token.changes import approved as approved_in_token
from tests.contracts.settlement_token.changes import change as token_change
from tests.contracts.settlement_token.permits import permit
from tests.contracts.settlement_token.recoveries import approved as approved_recovery
from tests.contracts.settlement_token.recoveries import freeze, recovery
from tests.contracts.upgrades.participant_successors import successor_of as participant_successor
from tests.contracts.world import (
    DELAY,
    World,
    banker,
    chair,
    compliance,
    court,
    decide,
    hub,
    issuer,
    licensor,
    neighbour,
    resident,
    terms,
)


def _ripe_handover(world: World) -> tuple[Any, ...]:
    arguments = (participant_successor(world).address, terms(world.fund_council))
    identity = world.participants.propose_handover(*arguments, sender=chair.address)
    decide(world.participants, identity, chair, banker, delay=3 * DELAY)
    return arguments


_ROLE: Final = (RegistryAction.WITHDRAW_ROLE, licensor.address)
PARTICIPANTS: Final[dict[str, Call]] = {
    **body_calls("participants"),
    "propose_change": lambda world: ((*_ROLE, 0, terms(world.fund_council)),),
    "execute_change": lambda world: (approved_in_registry(world, *_ROLE),),
    "propose_handover": lambda world: (
        participant_successor(world).address,
        terms(world.fund_council),
    ),
    "hand_over": _ripe_handover,
    "register": lambda world: ("0x" + "51" * 20, 1, 1, 0),
    "register_many": lambda world: (["0x" + "51" * 20], 1, 1, 0),
    "deregister": lambda world: (neighbour.address,),
    "name_successor": lambda world: (resident.address, neighbour.address),
    "withdraw_successor": after(name_successor, resident.address),
    "veto_successor": after(name_successor, resident.address),
    "admit_institution": lambda world: ("0x" + "52" * 20, int(ParticipantKind.INSTITUTION)),
    "license": lambda world: (hub.address, 8, 0, False, 0),
    "lower_tier_cap": lambda world: (1, 500),
    "propose_cap": lambda world: ((1, 1, 500, terms(world.fund_council)),),
    "execute_cap": lambda world: (approved_cap(world, Cap.TIER, 1, 500, delay=0),),
    "suspend": lambda world: (neighbour.address,),
    "reinstate": after(
        lambda world: world.participants.suspend(neighbour.address, sender=compliance.address), neighbour.address
    ),
    "freeze": lambda world: (neighbour.address, b"\x0c" * 32, 5, 2**64 - 1),
    "release": after(
        lambda world: world.participants.freeze(neighbour.address, b"\x0c" * 32, 5, 2**64 - 1, sender=court.address),
        neighbour.address,
        b"\x0c" * 32,
    ),
}


def _recovery(world: World) -> tuple[Any, ...]:
    freeze(world)
    return (recovery(world, 5),)


def _ripe_recovery(world: World) -> tuple[Any, ...]:
    freeze(world)
    return (approved_recovery(world, 5),)


def _allowed_to_hub(world: World) -> tuple[Any, ...]:
    world.token.approve(hub.address, 1, sender=resident.address)
    return resident.address, neighbour.address, 1


def _burnt_by_hub(world: World) -> tuple[Any, ...]:
    world.token.approve(hub.address, 1, sender=resident.address)
    return resident.address, 1


_ALLOWANCE: Final = (TokenAction.SET_ALLOWANCE, issuer.address, 5)
TOKEN: Final[dict[str, Call]] = {
    **body_calls("token"),
    "transfer": lambda world: (neighbour.address, 0),
    "transfer_with_purpose": lambda world: (neighbour.address, 0, b"\x01" * 32),
    "transferFrom": _allowed_to_hub,
    "approve": lambda world: (neighbour.address, 1),
    "permit": permit,
    "permit_signed": lambda world: permitting(world, resident, hub, by=resident),
    "transferWithAuthorization": lambda world: in_parts(TRANSFER, paying()),
    "transfer_signed": lambda world: signed(paying(), resident),
    "receiveWithAuthorization": lambda world: in_parts(RECEIVE, paying(receiver=hub.address)),
    "receive_signed": lambda world: signed(paying(receiver=hub.address), resident, RECEIVE),
    "cancelAuthorization": lambda world: cancelling_in_parts(resident, b"\x01" * 32),
    "cancel_signed": lambda world: cancelling(resident, b"\x01" * 32, by=resident),
    "mint": lambda world: (neighbour.address, 1),
    "burn": lambda world: (1,),
    "burn_from": _burnt_by_hub,
    "recover": lambda world: (resident.address, neighbour.address, 5, b"\x0c" * 32),
    "transfer_recorded": lambda world: (neighbour.address, 0, b"\x01" * 32, b"\x02" * 32),
    "transfer_from_recorded": lambda world: (*_allowed_to_hub(world), b"\x01" * 32, b"\x02" * 32),
    "transfer_signed_recorded": lambda world: recorded(paying(), resident),
    "pause": lambda world: (),
    "invalidate": lambda world: (neighbour.address,),
    "invalidate_all": lambda world: (),
    "propose_change": lambda world: (token_change(world, *_ALLOWANCE),),
    "execute_change": lambda world: (approved_in_token(world, *_ALLOWANCE),),
}

RECOVERIES: Final[dict[str, Call]] = {
    **body_calls("recoveries"),
    "propose_recovery": _recovery,
    "execute_recovery": _ripe_recovery,
}
