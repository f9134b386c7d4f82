"""decisions.approve_decision after a veto: above every guardian stands a larger, slower majority."""

import boa
import pytest

from tests.contracts.actors import approvals, override_digest
from tests.contracts.position_ledger.attestations import NO_TERMS, NONE, Change, located
from tests.contracts.reserve_vault.intents import deposit, proposed
from tests.contracts.world import (
    DELAY,
    World,
    banker,
    chair,
    decide,
    deputy,
    director,
    governor,
    guardian,
    lawyer,
    now,
    registrar,
    stranger,
    terms,
    treasury,
    wait,
)

COUNCIL = (chair, banker, lawyer)


def vetoed(world: World, lasts: int = 10 * DELAY) -> tuple[bytes, tuple[int, int, int, int]]:
    """A vetoed decision to lift a pause of the channels, and its terms."""
    decision = terms(world.fund_council, lasts=lasts)
    identity: bytes = world.channel_pause.propose_unpause(decision, sender=chair.address)
    world.channel_pause.veto_decision(identity, sender=guardian.address)
    return identity, decision


def override(world: World, identity: bytes) -> None:
    """All three members insist."""
    world.channel_pause.approve_decision(
        identity, approvals(override_digest(world.channel_pause, "Alatau ChannelPause", identity), *COUNCIL)
    )


def test_three_quarters_override_after_three_delays(world: World) -> None:
    """Two of three decide, but three of three override; then it waits three times as long."""
    identity, decision = vetoed(world)
    digest = override_digest(world.channel_pause, "Alatau ChannelPause", identity)
    with boa.reverts("council: too few approvals"):
        world.channel_pause.approve_decision(identity, approvals(digest, chair, banker))
    world.channel_pause.approve_decision(identity, approvals(digest, *COUNCIL))
    wait(3 * DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.channel_pause.unpause(decision)
    wait(1)
    world.channel_pause.unpause(decision)


def test_an_overridden_veto_is_not_repeated(world: World) -> None:
    """Else it would be no override."""
    identity, _ = vetoed(world)
    override(world, identity)
    with boa.reverts("decision: veto overridden"):
        world.channel_pause.veto_decision(identity, sender=guardian.address)
    with boa.reverts("decision: not proposed"):
        override(world, identity)


def test_approvals_of_the_decision_are_no_override(world: World) -> None:
    """Who approved it before the veto has not seen the guardian's reasons."""
    identity, _ = vetoed(world)
    with boa.reverts("council: bad signature"):
        world.channel_pause.approve_decision(identity, approvals(identity, *COUNCIL))


def test_a_short_life_does_not_save_a_veto(world: World) -> None:
    """Those who override consent to the longer wait; but what has expired is not revived."""
    identity, decision = vetoed(world, lasts=DELAY + 5)
    override(world, identity)
    wait(3 * DELAY + 7 * 86_400)
    with boa.env.anchor():
        world.channel_pause.unpause(decision)
    wait(1)
    with boa.reverts("decision: expired"):
        world.channel_pause.unpause(decision)
    late, _ = vetoed(world, lasts=DELAY + 5)
    wait(DELAY + 6)
    with boa.reverts("decision: expired"):
        override(world, late)


def test_only_what_was_vetoed_is_overridden(world: World) -> None:
    """Neither a proposal, nor what is not there."""
    identity = world.channel_pause.propose_unpause(terms(world.fund_council), sender=chair.address)
    for unknown, reason in ((identity, "council: bad signature"), (bytes(32), "decision: not proposed")):
        with boa.reverts(reason):
            override(world, unknown)


@pytest.mark.parametrize("stays", [True, False], ids=["the same council", "another policy"])
def test_an_override_dies_with_the_policy(world: World, *, stays: bool) -> None:
    """As an approval does."""
    identity, decision = vetoed(world)
    override(world, identity)
    if stays:
        wait(3 * DELAY)
        world.channel_pause.unpause(decision)
        return
    council = world.fund_council
    members = sorted([chair.address, banker.address], key=lambda a: int(a, 16))
    change = (members, 2, guardian.address, terms(council))
    decide(council, council.propose_membership(*change, sender=chair.address), chair, banker, delay=3 * DELAY)
    council.change_membership(*change)
    with boa.reverts("decision: policy changed"):
        world.channel_pause.unpause(decision)


def test_a_guardian_cannot_keep_his_office(world: World) -> None:
    """He pauses, and vetoes unpausing, his own replacement and the succession of the council: all of it comes."""
    council, pausing = world.fund_council, world.channel_pause
    pausing.pause(sender=guardian.address)
    lift = terms(council)
    replacement = (council.members(), 2, stranger.address, terms(council))
    succession = (world.reserve_council.address, terms(council))
    ids = (
        (pausing, pausing.propose_unpause(lift, sender=chair.address)),
        (pausing, pausing.propose_body(*succession, sender=chair.address)),
        (council, council.propose_membership(*replacement, sender=chair.address)),
    )
    for contract, identity in ids:
        contract.veto_decision(identity, sender=guardian.address)
        name = "Fund council" if contract is council else "Alatau ChannelPause"
        contract.approve_decision(identity, approvals(override_digest(contract, name, identity), *COUNCIL))
    wait(3 * DELAY)
    pausing.unpause(lift)
    pausing.replace_body(*succession)
    council.change_membership(*replacement)
    assert not pausing.paused()
    assert (pausing.body(), council.guardian()) == (world.reserve_council.address, stranger.address)


def test_two_guardians_do_not_meet(world: World) -> None:
    """The guardian of another body, an office or a member vetoes nothing here."""
    identity = world.channel_pause.propose_unpause(terms(world.fund_council), sender=chair.address)
    for other in (chair, governor, deputy, registrar, stranger):
        with boa.reverts("only the guardian"):
            world.channel_pause.veto_decision(identity, sender=other.address)
    assert world.channel_pause.decision(identity).expires > now()


def test_a_release_of_the_vault_is_overridden(world: World) -> None:
    """The vault's own wrapper: three of the board, not people with a role; the journal has each step."""
    deposit(world)
    identity = proposed(world)
    world.vault.veto_decision(identity, sender=guardian.address)
    before = world.vault.journal_length()
    digest = override_digest(world.vault, "Alatau ReserveVault", identity)
    with boa.reverts("council: too few approvals"):
        world.vault.approve_decision(identity, approvals(digest, governor, deputy))
    world.vault.approve_decision(identity, approvals(digest, governor, deputy, director))
    assert world.vault.journal_length() == before + 1
    with boa.reverts("decision: veto overridden"):
        world.vault.veto_decision(identity, sender=guardian.address)
    wait(3 * DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.vault.execute_release(identity)
    wait(1)
    world.vault.execute_release(identity)
    assert world.token.balanceOf(treasury.address) == 40_000


def test_a_change_of_the_ledger_is_overridden(world: World) -> None:
    """Its wrapper too."""
    change = (Change.SET_THRESHOLD, located(NONE), 3, NO_TERMS, terms(world.fund_council))
    identity = world.positions.propose_change(change, sender=chair.address)
    world.positions.veto_decision(identity, sender=guardian.address)
    digest = override_digest(world.positions, "Alatau PositionLedger", identity)
    world.positions.approve_decision(identity, approvals(digest, *COUNCIL))
    wait(3 * DELAY)
    world.positions.execute_change(identity)
    assert world.positions.threshold() == 3
