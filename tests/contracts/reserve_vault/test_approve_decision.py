"""ReserveVault.approve_decision and veto_decision: two of three, and one who may say no."""

import boa
import pytest

from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Actor, approvals
from tests.contracts.reserve_vault.intents import approve_only, deposit, proposed
from tests.contracts.world import (
    DELAY,
    World,
    chair,
    decide,
    deputy,
    director,
    governor,
    guardian,
    now,
    proposer,
    stranger,
    terms,
    wait,
)


def test_two_of_three_start_the_delay(world: World) -> None:
    """Anyone may carry the signatures."""
    deposit(world)
    identity = proposed(world)
    world.vault.approve_decision(identity, approvals(identity, deputy, director), sender=stranger.address)
    event, entry = world.vault.get_logs()
    assert entry.kind == keccak256(b"approve")
    assert (event.id, event.ready_at) == (identity, now() + DELAY)


@pytest.mark.parametrize(
    ("signers", "reason"),
    [
        ((), "council: too few approvals"),
        ((governor,), "council: too few approvals"),
        ((governor, proposer), "approver: holds a role"),
        ((governor, guardian), "council: not a member"),
        ((chair, governor), "council: not a member"),
    ],
)
def test_missing_or_foreign_signatures_approve_nothing(world: World, signers: tuple[Actor, ...], reason: str) -> None:
    """One is missing, or is by someone who does not sit on this board."""
    deposit(world)
    identity = proposed(world)
    with boa.reverts(reason):
        approve_only(world, identity, *signers)


def test_signatures_for_another_release_are_void(world: World) -> None:
    """A signature approves one intent."""
    deposit(world)
    first, second = proposed(world), proposed(world)
    with boa.reverts("council: bad signature"):
        world.vault.approve_decision(second, approvals(first, governor, deputy))


def test_approval_happens_once(world: World) -> None:
    """The delay cannot be started anew, nor an unknown id approved."""
    deposit(world)
    identity = proposed(world)
    approve_only(world, identity, governor, deputy)
    for known in (identity, b"\x01" * 32):
        with boa.reverts("decision: not proposed"):
            approve_only(world, known, governor, deputy)


def test_members_may_approve_by_transaction(world: World) -> None:
    """A confirmation to the council stands for a signature."""
    deposit(world)
    identity = proposed(world)
    world.reserve_council.confirm(identity, sender=governor.address)
    given = [(a, b"" if a == governor.address else s) for a, s in approvals(identity, governor, deputy)]
    world.vault.approve_decision(identity, given)
    event, _ = world.vault.get_logs()
    assert (event.id, event.ready_at) == (identity, now() + DELAY)


def test_approvals_die_when_the_board_changes(world: World) -> None:
    """A new policy voids what was approved before it, executed or not."""
    deposit(world)
    identity = proposed(world)
    decide(world.vault, identity, governor, deputy)
    members = sorted((governor.address, deputy.address), key=lambda a: int(a, 16))
    change = (members, 2, guardian.address, terms(world.reserve_council))
    membership = world.reserve_council.propose_membership(*change, sender=governor.address)
    decide(world.reserve_council, membership, governor, deputy)
    world.reserve_council.change_membership(*change)
    with boa.reverts("decision: policy changed"):
        world.vault.execute_release(identity)


def test_guardian_vetoes_before_and_after_approval(world: World) -> None:
    """But not what is done, and nobody else does."""
    deposit(world)
    for approve in (False, True):
        identity = proposed(world)
        if approve:
            approve_only(world, identity, governor, deputy)
        with boa.reverts("only the guardian"):
            world.vault.veto_decision(identity, sender=governor.address)
        world.vault.veto_decision(identity, sender=guardian.address)
        wait(DELAY)
        with boa.reverts("decision: not approved"):
            world.vault.execute_release(identity)
