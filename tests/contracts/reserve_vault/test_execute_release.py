"""ReserveVault.execute_release: once, ripe, within limits, to where it was approved to go."""

import boa
import pytest

from alatau.artifacts.artifact import load
from alatau.crypto.keccak import keccak256
from tests.contracts.reserve_vault.intents import (
    CASE,
    TOKEN,
    Action,
    Provenance,
    approve_only,
    approved,
    approved_change,
    confiscate,
    deposit,
    forfeit,
    proposed,
)
from tests.contracts.world import (
    DELAY,
    LARGE_DELAY,
    NO_HASH,
    ZERO,
    World,
    custodian,
    deploy_mock,
    deputy,
    governor,
    guardian,
    stranger,
    treasury,
    wait,
)


def test_release_pays_after_the_delay(world: World) -> None:
    """To the second; anyone may trigger it."""
    deposit(world)
    identity = approved(world, delay=DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.vault.execute_release(identity)
    wait(1)
    world.vault.execute_release(identity, sender=stranger.address)
    assert world.token.balanceOf(treasury.address) == 40_000
    assert world.vault.held(TOKEN) == 460_000 == world.vault.ledger(TOKEN, Provenance.NATIONAL_FUND)


def test_release_happens_once(world: World) -> None:
    """The same approval pays once."""
    deposit(world)
    identity = approved(world)
    world.vault.execute_release(identity)
    with boa.reverts("decision: not approved"):
        world.vault.execute_release(identity)


def test_unapproved_release_does_not_happen(world: World) -> None:
    """However long one waits."""
    deposit(world)
    identity = proposed(world)
    wait(DELAY)
    with boa.reverts("decision: not approved"):
        world.vault.execute_release(identity)


def test_release_expires(world: World) -> None:
    """At the last second of its terms it still pays."""
    deposit(world)
    identity = approved(world, delay=10 * DELAY)
    with boa.env.anchor():
        world.vault.execute_release(identity)
    wait(1)
    with boa.reverts("decision: expired"):
        world.vault.execute_release(identity)


def test_large_release_waits_longer(world: World) -> None:
    """Above the threshold; at the threshold it is small."""
    deposit(world)
    small, large = proposed(world, amount=100_000), proposed(world, amount=100_001)
    for identity in (small, large):
        approve_only(world, identity, governor, deputy)
    wait(DELAY)
    world.vault.execute_release(small)
    with boa.reverts("decision: not ripe"):
        world.vault.execute_release(large)
    wait(LARGE_DELAY - DELAY)
    world.vault.execute_release(large)


def test_threshold_lowered_meanwhile_binds(world: World) -> None:
    """What has become large has to wait as large releases do: it is proposed again."""
    deposit(world)
    identity = approved(world)
    world.vault.execute_change(approved_change(world, Action.SET_LIMITS, TOKEN, 39_999, 1_000_000, 10, delay=0))
    with boa.reverts("vault: large by now"):
        world.vault.execute_release(identity)


def test_forbidden_destination_gets_nothing(world: World) -> None:
    """Forbidding works at once, also for what is approved."""
    deposit(world)
    identity = approved(world)
    world.vault.execute_change(approved_change(world, Action.FORBID_DESTINATION, treasury.address, delay=0))
    with boa.reverts("vault: destination not allowed"):
        world.vault.execute_release(identity)


def test_pause_stops_releases(world: World) -> None:
    """And the approval outlives the pause, if its terms do."""
    deposit(world)
    identity = approved(world)
    world.vault.pause(sender=guardian.address)
    with boa.reverts("vault: paused"):
        world.vault.execute_release(identity)
    world.vault.execute_change(approved_change(world, Action.LIFT_PAUSE))
    world.vault.execute_release(identity)


def test_bucket_limits_what_leaves(world: World) -> None:
    """A full bucket stops the next release until enough has leaked, by the second."""
    world.vault.execute_change(approved_change(world, Action.SET_LIMITS, TOKEN, 100_000, 50_000, 10, delay=0))
    deposit(world)
    first, second = proposed(world, amount=40_000), proposed(world, amount=20_000)
    for identity in (first, second):
        approve_only(world, identity, governor, deputy)
    wait(DELAY)
    world.vault.execute_release(first)
    assert world.vault.limits(TOKEN) == (50_000, 10, 10_000)
    wait(999)
    with boa.reverts("limit: exceeded for now"):
        world.vault.execute_release(second)
    wait(1)
    world.vault.execute_release(second)
    wait(10 * 86_400)
    assert world.vault.limits(TOKEN) == (50_000, 10, 50_000)


def test_two_releases_do_not_spend_one_balance(world: World) -> None:
    """What was enough at the proposal may be gone at the execution."""
    deposit(world, 50_000)
    first, second = proposed(world), proposed(world)
    for identity in (first, second):
        approve_only(world, identity, governor, deputy)
    wait(DELAY)
    world.vault.execute_release(first)
    with boa.reverts("vault: provenance holds less"):
        world.vault.execute_release(second)


def test_native_asset_is_released(world: World) -> None:
    """As any other."""
    boa.env.set_balance(custodian.address, 10**18)
    world.vault.deposit_native(Provenance.MINED, NO_HASH, value=10**18, sender=custodian.address)
    identity = approved(world, asset=ZERO, amount=10**17, provenance=Provenance.MINED)
    before = boa.env.get_balance(treasury.address)
    world.vault.execute_release(identity)
    assert boa.env.get_balance(treasury.address) - before == 10**17


def test_confiscated_assets_wait_for_the_verdict(world: World) -> None:
    """Only what was forfeited is released, from its own case, and no more than that case holds."""
    confiscate(world, 50_000)
    confiscate(world, 50_000, b"\x02" * 32)
    forfeit(world)
    with boa.reverts("case: holds less"):
        proposed(world, amount=50_001, provenance=Provenance.CONFISCATED, case_id=CASE)
    world.vault.execute_release(approved(world, provenance=Provenance.CONFISCATED, case_id=CASE))
    assert world.vault.case_amount(CASE, TOKEN) == 10_000
    assert world.vault.ledger(TOKEN, Provenance.CONFISCATED) == 60_000


@pytest.mark.parametrize("mode", [1, 4], ids=["returns false", "refuses"])
def test_token_that_refuses_loses_nothing(world: World, mode: int) -> None:
    """A failed payment undoes the whole release; it can be tried again."""
    hostile = _hostile_deposit(world)
    identity = approved(world, asset=hostile.address, amount=500, provenance=Provenance.MINED)
    hostile.set_mode(mode, treasury.address, b"")
    with boa.reverts():
        world.vault.execute_release(identity)
    assert world.vault.held(hostile.address) == 1_000
    hostile.set_mode(0, ZERO, b"")
    world.vault.execute_release(identity)
    assert world.vault.held(hostile.address) == 500


def test_token_that_re_enters_gets_nowhere(world: World) -> None:
    """Another approved release, started from inside the first, is refused; so are the views."""
    hostile = _hostile_deposit(world)
    first = approved(world, asset=hostile.address, amount=500, provenance=Provenance.MINED)
    second = approved(world, asset=hostile.address, amount=400, provenance=Provenance.MINED)
    selector = keccak256(b"execute_release(bytes32)")[:4]
    for payload in (selector + second, keccak256(b"journal_head()")[:4]):
        with boa.env.anchor():
            hostile.set_mode(3, world.vault.address, payload)
            world.vault.execute_release(first)
            assert hostile.reentered()
            assert not hostile.succeeded()
            assert world.vault.held(hostile.address) == 500


def test_journal_chains_every_act(world: World) -> None:
    """Whoever has the events recomputes the head, and one slot proves it."""
    deposit(world)
    events = _journal(world)
    identity = approved(world)
    world.vault.execute_release(identity)
    events += _journal(world)
    assert [e.kind for e in events] == [keccak256(w) for w in (b"deposit", b"release")]
    assert world.vault.journal_length() == 4  # with what was proposed and approved
    head = boa.env.get_storage(world.vault.address, 0).to_bytes(32, "big")
    assert head == world.vault.journal_head() == events[-1].head
    assert load("ReserveVault").layout["storage_layout"]["journal"]["journal_head"]["slot"] == 0
    assert events[-1].kind == keccak256(b"release")
    assert events[-1].payload_hash == identity


def _journal(world: World) -> list[object]:
    return [e for e in world.vault.get_logs() if type(e).__name__ == "JournalExtended"]


def _hostile_deposit(world: World) -> object:
    hostile = deploy_mock("HostileToken")
    hostile.mint(custodian.address, 1_000)
    hostile.approve(world.vault.address, 1_000, sender=custodian.address)
    world.vault.deposit(hostile.address, 1_000, Provenance.MINED, NO_HASH, sender=custodian.address)
    world.vault.execute_change(approved_change(world, Action.SET_LIMITS, hostile.address, 1_000, 1_000, 1))
    return hostile
