"""How ReserveVault and PositionLedger are called when all else is right."""

from typing import Any, Final

from tests.contracts.actors import approvals
from tests.contracts.position_ledger.attestations import NO_TERMS, NONE, Seen, assure, attested, located, ordered
from tests.contracts.position_ledger.attestations import Change as LedgerChange
from tests.contracts.position_ledger.attestations import approved_change as approved_in_ledger
from tests.contracts.position_ledger.attestations import identity as position_id
from tests.contracts.position_ledger.attestations import report as report_position
from tests.contracts.reserve_vault.intents import (
    CASE,
    ORDER,
    Provenance,
    approved_change,
    confiscate,
    endorse,
    order_return,
    release,
)
from tests.contracts.reserve_vault.intents import TOKEN as TOKEN_ADDRESS
from tests.contracts.reserve_vault.intents import Action as VaultAction
from tests.contracts.reserve_vault.intents import approved as approved_release
from tests.contracts.reserve_vault.intents import deposit as deposit_in_vault
from tests.contracts.reserve_vault.intents import proposed as proposed_release
from tests.contracts.roles.calls import Call, after, body_calls
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    SILENCE,
    ZERO,
    World,
    auditor,
    banker,
    chair,
    court,
    custodian,
    decide,
    deploy,
    deputy,
    governor,
    guardian,
    now,
    proposer,
    resident,
    terms,
    wait,
)


def _confirmed(world: World) -> None:
    confiscate(world)
    order_return(world, resident)


def _due_return(world: World) -> tuple[Any, ...]:
    _confirmed(world)
    wait(DELAY)
    return (CASE, TOKEN_ADDRESS)


def _verdict(world: World) -> tuple[Any, ...]:
    confiscate(world)
    world.vault.forfeit(CASE, ORDER, sender=court.address)
    return (CASE, ZERO, ORDER)


def _release(world: World) -> bytes:
    deposit_in_vault(world)
    return proposed_release(world)


def _ripe_release(world: World) -> tuple[Any, ...]:
    deposit_in_vault(world)
    return (approved_release(world),)


def _allow(world: World) -> bytes:
    change = (VaultAction.ALLOW_DESTINATION, resident.address, 0, 0, 0, terms(world.reserve_council))
    identity: bytes = world.vault.propose_change(change, sender=proposer.address)
    return identity


def _another_board(world: World) -> tuple[Any, ...]:
    board = [governor.address, deputy.address]
    council = deploy(
        "Council", "Board 2", sorted(board, key=lambda a: int(a, 16)), 2, guardian.address, DELAY, SILENCE, ZERO
    )
    return council.address, terms(world.reserve_council)


def _ripe_board(world: World) -> tuple[Any, ...]:
    arguments = _another_board(world)
    identity = world.vault.propose_body(*arguments, sender=governor.address)
    endorse(world, identity)
    decide(world.vault, identity, governor, deputy)
    return arguments


def _tokens_to_deposit(world: World) -> tuple[Any, ...]:
    world.token.approve(world.vault.address, 10, sender=custodian.address)
    return (TOKEN_ADDRESS, 1, Provenance.MINED, NO_HASH)


VAULT: Final[dict[str, Call]] = {
    "propose_release": lambda world: (deposit_in_vault(world), release(world).argument())[1:],
    "execute_release": _ripe_release,
    "deposit": _tokens_to_deposit,
    "deposit_native": lambda world: (Provenance.MINED, NO_HASH),
    "forfeit": after(confiscate, CASE, ORDER),
    "order_return": after(confiscate, CASE, resident.address, ORDER),
    "confirm_case": _verdict,
    "veto_return": after(_confirmed, CASE),
    "execute_return": _due_return,
    "sign_off": lambda world: (world.vault.journal_head(), ORDER),
    "pause": lambda world: (),
    "propose_change": lambda world: (
        (VaultAction.ALLOW_DESTINATION, resident.address, 0, 0, 0, terms(world.reserve_council)),
    ),
    "endorse": lambda world: (identity := _allow(world), approvals(identity, chair, banker)),
    "execute_change": lambda world: (approved_change(world, VaultAction.ALLOW_DESTINATION, resident.address),),
    "approve_decision": lambda world: (
        identity := _release(world),
        approvals(identity, governor, deputy),
    ),
    "veto_decision": lambda world: (_release(world),),
    "propose_body": _another_board,
    "replace_body": _ripe_board,
}


def _reported(world: World) -> bytes:
    assure(world)
    report_position(world)
    return position_id(world)


def _report(world: World) -> tuple[Any, ...]:
    assure(world)
    given = (attested(world, one, Seen()) for one in (custodian, auditor))
    return position_id(world), 1, ordered(*given)


_THRESHOLD: Final = (LedgerChange.SET_THRESHOLD, located(NONE), 3, NO_TERMS)
POSITIONS: Final[dict[str, Call]] = {
    **body_calls("positions"),
    "assure": lambda world: (custodian.address, b"\xaa" * 32, now() + 300 * 86_400),
    "report": _report,
    "dispute": lambda world: (_reported(world), b"\xdd" * 32),
    "propose_change": lambda world: ((*_THRESHOLD, terms(world.fund_council)),),
    "execute_change": lambda world: (approved_in_ledger(world, _THRESHOLD[0], value=3),),
}
