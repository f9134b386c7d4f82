"""Both councils are succeeded in every contract that they govern; money moves on, and no old decision does."""

from dataclasses import replace
from typing import Any

import boa

from tests.contracts.actors import approvals
from tests.contracts.city_channels.tills import agreement, open_till
from tests.contracts.reserve_vault.intents import Action, approved, approved_change, deposit, endorse
from tests.contracts.world import (
    DELAY,
    SILENCE,
    World,
    banker,
    chair,
    decide,
    deploy,
    deputy,
    governor,
    guardian,
    lawyer,
    resident,
    terms,
    treasury,
    wait,
)

GOVERNED = ("validators", "participants", "token", "channel_pause", "positions", "recoveries")


def council(name: str, members: tuple[Any, ...], higher: str) -> Any:
    """A council of the same people, with another body above it."""
    addresses = [m.address for m in sorted(members, key=lambda m: m.raw)]
    return deploy("Council", name, addresses, 2, guardian.address, DELAY, SILENCE, higher)


def test_a_fund_council_is_succeeded_everywhere(world: World) -> None:
    """Five bodies and the vault's oversight; an open channel and an open release are paid under the new one."""
    old = world.fund_council
    new = council("Fund council 2", (chair, banker, lawyer), world.reserve_council.address)
    deposit(world)
    till = open_till(world)
    open_release = approved(world, delay=0)
    pending = terms(old, lasts=40 * DELAY)
    identity = world.channel_pause.propose_unpause(pending, sender=chair.address)

    succession = (new.address, terms(old))
    for name in GOVERNED:
        contract = getattr(world, name)
        decide(contract, contract.propose_body(*succession, sender=chair.address), chair, banker, delay=0)
    wait(DELAY)
    for name in GOVERNED:
        getattr(world, name).replace_body(*succession)
    world.vault.execute_change(approved_change(world, Action.SET_OVERSIGHT, new.address))
    assert [getattr(world, name).body() for name in GOVERNED] == [new.address] * len(GOVERNED)
    assert world.vault.oversight() == new.address

    # The terms that the members approve next are of the new council's policy.
    with boa.reverts("decision: body replaced"):
        world.channel_pause.approve_decision(identity, approvals(identity, chair, banker))
    world.vault.execute_release(open_release)
    world.channels.close_cooperatively(*agreement(till, 10_000, 0))
    world.channels.claim(resident.address)
    lift = terms(new)
    decide(world.channel_pause, world.channel_pause.propose_unpause(lift, sender=chair.address), chair, banker)
    world.channel_pause.unpause(lift)
    assert world.token.balanceOf(treasury.address) == 40_000


def test_a_board_is_succeeded_and_its_open_releases_are_proposed_again(world: World) -> None:
    """The vault's money waits; what the old board approved is void, whoever sits in the new one."""
    old = world.reserve_council
    new = council("Board 2", (governor, deputy), world.fund_council.address)
    deposit(world)
    void = approved(world, delay=0)
    succession = (new.address, terms(old))
    identity = world.vault.propose_body(*succession, sender=governor.address)
    endorse(world, identity)
    decide(world.vault, identity, governor, deputy)
    world.vault.replace_body(*succession)
    with boa.reverts("decision: body replaced"):
        world.vault.execute_release(void)
    succeeded = replace(world, reserve_council=new)
    world.vault.execute_release(approved(succeeded))
    assert world.token.balanceOf(treasury.address) == 40_000


def test_a_council_restored_by_another_names_it_in_its_constructor(world: World) -> None:
    """`higher` is fixed: who replaces one council replaces the other too, or leaves the old one above it."""
    new = council("Fund council 2", (chair, banker, lawyer), world.reserve_council.address)
    assert world.reserve_council.higher() == world.fund_council.address != new.address
    board = council("Board 2", (governor, deputy), new.address)
    assert board.higher() == new.address
