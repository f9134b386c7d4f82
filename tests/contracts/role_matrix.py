"""Who may call what: every function that changes something, called by everybody when all else is right.

``docs/contracts/roles.md`` is what this measures; ``python -m tests.contracts.role_matrix`` writes it anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

import boa

from alatau.artifacts.artifact import SOURCES, abi_type, load
from alatau.chain.permission import ParticipantKind
from alatau.channels.calls import compact_signature
from alatau.channels.messages import ClaimOrder, claim_order_digest
from alatau.types.vote import VoteKind
from tests.contracts.actors import Actor, approvals
from tests.contracts.city_channels import offline_evidence, tills
from tests.contracts.city_channels.test_claim_elsewhere import order
from tests.contracts.city_channels.test_day_book import TOTALS, yesterday
from tests.contracts.council import test_check_in, test_restore_membership
from tests.contracts.participant_registry import changes as participants
from tests.contracts.position_ledger import attestations as positions
from tests.contracts.reserve_vault import intents as vault
from tests.contracts.settlement_token import changes as token
from tests.contracts.settlement_token import test_permit, test_recover
from tests.contracts.upgrades import test_participant_registry, test_validator_registry
from tests.contracts.validator_registry import changes as validators
from tests.contracts.validator_registry import evidence
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    SILENCE,
    ZERO,
    World,
    auditor,
    banker,
    chair,
    compliance,
    court,
    custodian,
    decide,
    deploy,
    deputy,
    governor,
    guardian,
    hub,
    issuer,
    lawyer,
    licensor,
    merchant,
    neighbour,
    now,
    operators,
    proposer,
    prosecutor,
    registrar,
    resident,
    stranger,
    terms,
    voters,
    wait,
)

PAGE: Final = Path(__file__).parents[2] / "docs" / "contracts" / "roles.md"
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

Call = Callable[[World], tuple[Any, ...]]
"""Makes all else right, and gives the arguments; the last one may be a contract to call instead of the world's."""
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
    "token: issuer allowance",
    "token: balance",
    "ledger: no part in it",
    "channels: one party",
    "channels: bad signature",
    "channels: no credit",
    "claim: account not admitted",
)
"""How the reasons begin with which somebody is refused for who he is."""


def _body(contract: str) -> dict[str, Call]:
    """The functions of every contract that a council governs."""

    def proposed(world: World) -> bytes:
        contract_ = getattr(world, contract)
        arguments = (world.reserve_council.address, terms(world.fund_council))
        identity: bytes = contract_.propose_body(*arguments, sender=chair.address)
        return identity

    def ripe(world: World) -> tuple[Any, ...]:
        arguments = (world.reserve_council.address, terms(world.fund_council))
        identity = getattr(world, contract).propose_body(*arguments, sender=chair.address)
        decide(getattr(world, contract), identity, chair, banker)
        return arguments

    def approved(world: World) -> tuple[Any, ...]:
        identity = proposed(world)
        return identity, approvals(identity, chair, banker)

    return {
        "approve_decision": approved,
        "veto_decision": lambda world: (proposed(world),),
        "propose_body": lambda world: (world.reserve_council.address, terms(world.fund_council)),
        "replace_body": ripe,
    }


def _composition(world: World) -> tuple[Any, ...]:
    members = sorted((chair.address, banker.address, lawyer.address), key=lambda a: int(a, 16))
    return (members, 3, guardian.address, terms(world.fund_council))


def _membership(world: World) -> tuple[tuple[Any, ...], bytes]:
    arguments = _composition(world)
    return arguments, world.fund_council.propose_membership(*arguments, sender=chair.address)


def _ripe_membership(world: World) -> tuple[Any, ...]:
    arguments, identity = _membership(world)
    decide(world.fund_council, identity, chair, banker)
    return arguments


def _restoration(world: World) -> tuple[Any, ...]:
    test_restore_membership.lose_keys(world)
    change = test_restore_membership.restoration(world)
    identity = world.fund_council.restoration_id(*change)
    return (*change, approvals(identity, governor, deputy))


def _ripe_restoration(world: World) -> tuple[Any, ...]:
    *change, _ = arguments = _restoration(world)
    world.fund_council.approve_restoration(*arguments)
    wait(3 * DELAY)
    return tuple(change)


COUNCIL: Final[dict[str, Call]] = {
    "check_in": lambda world: (),
    "check_in_signed": lambda world: (chair.address, now(), test_check_in.sign_of_life(world, chair, now())),
    "confirm": lambda world: (b"\x05" * 32,),
    "propose_membership": _composition,
    "approve_decision": lambda world: (identity := _membership(world)[1], approvals(identity, chair, banker)),
    "veto_decision": lambda world: (_membership(world)[1],),
    "change_membership": _ripe_membership,
    "approve_restoration": _restoration,
    "restore_membership": _ripe_restoration,
}


def _equivocation(world: World) -> tuple[Any, ...]:
    evidence.bind(world)
    first, second = (evidence.vote(voters[0], block) for block in (evidence.BLOCK_1, evidence.BLOCK_2))
    return (int(VoteKind.PRECOMMIT), 7, 0, first, second)


def _double_proposal(world: World) -> tuple[Any, ...]:
    evidence.bind(world)
    first, second = (evidence.proposal(voters[0], block) for block in (evidence.BLOCK_1, evidence.BLOCK_2))
    return (7, 2, first, second)


def _genesis_in_reach(world: World) -> tuple[Any, ...]:
    boa.env.set_code(evidence.HISTORY, evidence.HISTORY_CODE)
    boa.env.set_storage(evidence.HISTORY, 0, int.from_bytes(evidence.GENESIS_HASH, "big"))
    wait(blocks=300)
    return ()


_POWER: Final = (validators.Action.SET_POWER, validators.seat_of(operators[1].address, power=90))
VALIDATORS: Final[dict[str, Call]] = {
    **_body("validators"),
    "propose_change": lambda world: (validators.change(world, *_POWER),),
    "execute_change": lambda world: (validators.approved(world, *_POWER),),
    "propose_handover": lambda world: (
        test_validator_registry.successor_of(world).address,
        terms(world.fund_council),
    ),
    "hand_over": lambda world: test_validator_registry.approved_handover(
        world, test_validator_registry.successor_of(world)
    ),
    "bind_genesis": _genesis_in_reach,
    "set_endpoint": lambda world: ("moved.example:7001",),
    "report_equivocation": _equivocation,
    "report_double_proposal": _double_proposal,
}


def _after(act: Callable[[World], object], *arguments: Any) -> Call:
    def prepared(world: World) -> tuple[Any, ...]:
        act(world)
        return arguments

    return prepared


def _succession(world: World) -> None:
    world.participants.name_successor(resident.address, neighbour.address, sender=registrar.address)


def _ripe_handover(world: World) -> tuple[Any, ...]:
    arguments = (test_participant_registry.successor_of(world).address, terms(world.fund_council))
    identity = world.participants.propose_handover(*arguments, sender=chair.address)
    decide(world.participants, identity, chair, banker, delay=3 * DELAY)
    return arguments


_ROLE: Final = (participants.Action.WITHDRAW_ROLE, licensor.address)
PARTICIPANTS: Final[dict[str, Call]] = {
    **_body("participants"),
    "propose_change": lambda world: ((*_ROLE, 0, terms(world.fund_council)),),
    "execute_change": lambda world: (participants.approved(world, *_ROLE),),
    "propose_handover": lambda world: (
        test_participant_registry.successor_of(world).address,
        terms(world.fund_council),
    ),
    "hand_over": _ripe_handover,
    "register": lambda world: ("0x" + "51" * 20, 1, 1, 0),
    "register_many": lambda world: (["0x" + "51" * 20], 1, 1, 0),
    "deregister": lambda world: (neighbour.address,),
    "name_successor": lambda world: (resident.address, neighbour.address),
    "withdraw_successor": _after(_succession, resident.address),
    "veto_successor": _after(_succession, resident.address),
    "admit_institution": lambda world: ("0x" + "52" * 20, int(ParticipantKind.INSTITUTION)),
    "license": lambda world: (hub.address, 8, 1, False, 0),
    "set_tier_cap": lambda world: (1, 500),
    "suspend": lambda world: (neighbour.address,),
    "reinstate": _after(
        lambda world: world.participants.suspend(neighbour.address, sender=compliance.address), neighbour.address
    ),
    "freeze": lambda world: (neighbour.address, b"\x0c" * 32, 5, 2**64 - 1),
    "release": _after(
        lambda world: world.participants.freeze(neighbour.address, b"\x0c" * 32, 5, 2**64 - 1, sender=court.address),
        neighbour.address,
    ),
}


def _recovery(world: World) -> tuple[Any, ...]:
    test_recover.freeze(world)
    return (test_recover.recovery(world, 5),)


def _ripe_recovery(world: World) -> tuple[Any, ...]:
    test_recover.freeze(world)
    return (test_recover.approved(world, 5),)


_ALLOWANCE: Final = (token.Action.SET_ALLOWANCE, issuer.address, 5)
TOKEN: Final[dict[str, Call]] = {
    **_body("token"),
    "transfer": lambda world: (neighbour.address, 0),
    "transfer_with_purpose": lambda world: (neighbour.address, 0, b"\x01" * 32),
    "transferFrom": lambda world: (resident.address, neighbour.address, 1),
    "approve": lambda world: (neighbour.address, 1),
    "permit": test_permit.permit,
    "mint": lambda world: (neighbour.address, 1),
    "burn": lambda world: (1,),
    "propose_recovery": _recovery,
    "execute_recovery": _ripe_recovery,
    "pause": lambda world: (),
    "invalidate": lambda world: (neighbour.address,),
    "invalidate_all": lambda world: (),
    "propose_change": lambda world: ((*_ALLOWANCE, terms(world.fund_council)),),
    "execute_change": lambda world: (token.approved(world, *_ALLOWANCE),),
}


def _confirmed(world: World) -> None:
    vault.confiscate(world)
    vault.order_return(world, resident)


def _due_return(world: World) -> tuple[Any, ...]:
    _confirmed(world)
    wait(DELAY)
    return (vault.CASE, vault.TOKEN)


def _verdict(world: World) -> tuple[Any, ...]:
    vault.confiscate(world)
    world.vault.forfeit(vault.CASE, vault.ORDER, sender=court.address)
    return (vault.CASE, ZERO, vault.ORDER)


def _release(world: World) -> bytes:
    vault.deposit(world)
    return vault.proposed(world)


def _ripe_release(world: World) -> tuple[Any, ...]:
    vault.deposit(world)
    return (vault.approved(world),)


def _allow(world: World) -> bytes:
    change = (vault.Action.ALLOW_DESTINATION, resident.address, 0, 0, 0, terms(world.reserve_council))
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
    vault.endorse(world, identity)
    decide(world.vault, identity, governor, deputy)
    return arguments


def _tokens_to_deposit(world: World) -> tuple[Any, ...]:
    world.token.approve(world.vault.address, 10, sender=custodian.address)
    return (vault.TOKEN, 1, vault.Provenance.MINED, NO_HASH)


VAULT: Final[dict[str, Call]] = {
    "propose_release": lambda world: (vault.deposit(world), vault.release(world).argument())[1:],
    "execute_release": _ripe_release,
    "deposit": _tokens_to_deposit,
    "deposit_native": lambda world: (vault.Provenance.MINED, NO_HASH),
    "forfeit": _after(vault.confiscate, vault.CASE, vault.ORDER),
    "order_return": _after(vault.confiscate, vault.CASE, resident.address, vault.ORDER),
    "confirm_case": _verdict,
    "veto_return": _after(_confirmed, vault.CASE),
    "execute_return": _due_return,
    "sign_off": lambda world: (world.vault.journal_head(), vault.ORDER),
    "pause": lambda world: (),
    "propose_change": lambda world: (
        (vault.Action.ALLOW_DESTINATION, resident.address, 0, 0, 0, terms(world.reserve_council)),
    ),
    "endorse": lambda world: (identity := _allow(world), approvals(identity, chair, banker)),
    "execute_change": lambda world: (vault.approved_change(world, vault.Action.ALLOW_DESTINATION, resident.address),),
    "approve_decision": lambda world: (
        identity := _release(world),
        approvals(identity, governor, deputy),
    ),
    "veto_decision": lambda world: (_release(world),),
    "propose_body": _another_board,
    "replace_body": _ripe_board,
}


def _reported(world: World) -> bytes:
    positions.assure(world)
    positions.report(world)
    return positions.identity(world)


def _report(world: World) -> tuple[Any, ...]:
    positions.assure(world)
    given = (positions.attested(world, one, positions.Seen()) for one in (custodian, auditor))
    return positions.identity(world), 1, positions.ordered(*given)


_THRESHOLD: Final = (positions.Change.SET_THRESHOLD, positions.located(positions.NONE), 3, positions.NO_TERMS)
POSITIONS: Final[dict[str, Call]] = {
    **_body("positions"),
    "assure": lambda world: (custodian.address, b"\xaa" * 32, now() + 300 * 86_400),
    "report": _report,
    "dispute": lambda world: (_reported(world), b"\xdd" * 32),
    "propose_change": lambda world: ((*_THRESHOLD, terms(world.fund_council)),),
    "execute_change": lambda world: (positions.approved_change(world, _THRESHOLD[0], value=3),),
}


def _paused(world: World) -> tuple[Any, ...]:
    world.channels.pause(sender=guardian.address)
    arguments = (terms(world.fund_council),)
    decide(world.channels, world.channels.propose_unpause(*arguments, sender=chair.address), chair, banker)
    return arguments


def _owed(world: World) -> tills.Till:
    till = tills.open_till(world)
    world.channels.close_cooperatively(*tills.agreement(till, 9_000, tills.DEPOSIT - 9_000))
    return till


def _owed_by_bonds(world: World) -> None:
    till = _bond(world)
    world.bonds.request_release(till.key, sender=resident.address)
    wait(offline_evidence.NOTICE)
    world.bonds.release(till.key)


def _succeeded(world: World) -> None:
    _succession(world)
    wait(DELAY)


def _succeeded_to_credit(world: World) -> None:
    _owed(world)
    _succeeded(world)


def _succeeded_to_bond(world: World) -> None:
    _owed_by_bonds(world)
    _succeeded(world)


def _opening(world: World) -> tuple[Any, ...]:
    return hub.address, b"\x01" * 32, 0


def _funded(world: World) -> tuple[Any, ...]:
    _owed(world)
    return tills.open_till(world, salt=1).key, 500


def _consent(world: World) -> tuple[Any, ...]:
    till = tills.open_till(world, hub_amount=3_000)
    return tills.consent(till, hub, 2_000, by=resident)


def _rebalance(world: World) -> tuple[Any, ...]:
    return *_consent(world), tills.open_till(world, salt=1).key


def _exit(world: World) -> tuple[Any, ...]:
    till = tills.open_till(world)
    return till.key, tills.request(till, resident), tills.NO_CLAIM


def _submission(world: World) -> tuple[Any, ...]:
    till = tills.open_till(world)
    tills.start_closing(world, till)
    return till.key, tills.claim_of(till, resident, 1, 5, receipt_by=hub)


def _ripe(world: World) -> tills.Till:
    till = tills.open_till(world)
    tills.start_closing(world, till)
    tills.let_window_pass()
    return till


CHANNELS: Final[dict[str, Call]] = {
    **_body("channels"),
    "pause": lambda world: (),
    "propose_unpause": lambda world: (world.channels.pause(sender=guardian.address), terms(world.fund_council))[1:],
    "unpause": _paused,
    "reveal": lambda world: (b"\x5e" * 32,),
    "claim(address)": _after(_owed, resident.address),
    "claim(address,uint256)": _after(_owed, resident.address, 5),
    "claim_to": lambda world: (_owed(world), *order(5))[1:],
    "claim_for_successor(address)": _after(_succeeded_to_credit, resident.address),
    "claim_for_successor(address,uint256)": _after(_succeeded_to_credit, resident.address, 5),
    "open": _opening,
    "deposit": lambda world: (tills.open_till(world).key, 0),
    "fund": _funded,
    "withdraw": _consent,
    "rebalance": _rebalance,
    "close_cooperatively": lambda world: tills.agreement(tills.open_till(world), 9_000, 1_000),
    "close": _exit,
    "close_many": lambda world: ([_exit(world)],),
    "submit": _submission,
    "submit_many": lambda world: ([_submission(world)],),
    "settle": lambda world: (_ripe(world).key, [], []),
    "settle_many": lambda world: ([_ripe(world).key],),
}


def _bond(world: World) -> tills.Till:
    till = tills.open_till(world)
    world.token.approve(world.bonds.address, 1_000, sender=resident.address)
    world.bonds.post_bond(till.key, 1_000, sender=resident.address)
    return till


def _posting(world: World) -> tuple[Any, ...]:
    till = tills.open_till(world)
    world.token.approve(world.bonds.address, 5, sender=resident.address)
    return till.key, 5


def _order_to_bonds(world: World) -> tuple[Any, ...]:
    _owed_by_bonds(world)
    message = ClaimOrder(resident.raw, neighbour.raw, 5, 0, now() + 60)
    signature = resident.key.sign(claim_order_digest(offline_evidence.domain(), message))
    fields = (resident.address, neighbour.address, 5, 0, message.deadline)
    return fields, compact_signature(signature)


def _noticed(world: World) -> tuple[Any, ...]:
    till = _bond(world)
    world.bonds.request_release(till.key, sender=resident.address)
    wait(offline_evidence.NOTICE)
    return (till.key,)


BONDS: Final[dict[str, Call]] = {
    "post_bond": _posting,
    "request_release": lambda world: (_bond(world).key,),
    "release": _noticed,
    "pay_from_bond": lambda world: offline_evidence.evidence(_bond(world)),
    "claim(address)": _after(_owed_by_bonds, resident.address),
    "claim(address,uint256)": _after(_owed_by_bonds, resident.address, 5),
    "claim_to": _order_to_bonds,
    "claim_for_successor(address)": _after(_succeeded_to_bond, resident.address),
    "claim_for_successor(address,uint256)": _after(_succeeded_to_bond, resident.address, 5),
}

CALLS: Final[Mapping[str, Mapping[str, Call]]] = {
    "Council": COUNCIL,
    "ValidatorRegistry": VALIDATORS,
    "ParticipantRegistry": PARTICIPANTS,
    "SettlementToken": TOKEN,
    "ReserveVault": VAULT,
    "PositionLedger": POSITIONS,
    "CityChannels": CHANNELS,
    "OfflineBonds": BONDS,
    "DayBook": {"post_day_root": lambda world: (yesterday(), astuple(TOTALS))},
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


def main() -> None:
    """Write the page."""
    from tests.contracts.world import build_world  # noqa: PLC0415  builds a chain

    world = build_world()
    PAGE.write_text(page({contract: measured(world, contract) for contract in CONTRACTS}))


if __name__ == "__main__":
    main()
