"""ReserveVault: forfeit, order_return, confirm_case, veto_return, execute_return: cases and what becomes of them."""

import boa
import pytest

from tests.contracts.actors import Actor
from tests.contracts.reserve_vault.intents import (
    CASE,
    ORDER,
    TOKEN,
    Action,
    approved,
    approved_change,
    confiscate,
    deposit,
    forfeit,
    order_return,
)
from tests.contracts.world import (
    DELAY,
    LARGE_DELAY,
    NO_HASH,
    ZERO,
    World,
    auditor,
    court,
    custodian,
    governor,
    guardian,
    neighbour,
    proposer,
    prosecutor,
    resident,
    stranger,
    wait,
)


def test_reversal_gives_back_after_the_delay(world: World) -> None:
    """To the owner, outside of limits, by anybody's transaction, once."""
    confiscate(world)
    order_return(world, neighbour)
    wait(DELAY - 1)
    with boa.reverts("case: not ripe"):
        world.vault.execute_return(CASE, TOKEN)
    wait(1)
    world.vault.execute_return(CASE, TOKEN, sender=stranger.address)
    assert world.token.balanceOf(neighbour.address) == 50_000
    assert world.vault.held(TOKEN) == 0
    with boa.reverts("case: holds none of it"):
        world.vault.execute_return(CASE, TOKEN)


def test_pause_does_not_stop_a_return(world: World) -> None:
    """It was never the reserve's."""
    confiscate(world)
    world.vault.pause(sender=guardian.address)
    order_return(world, neighbour)
    wait(DELAY)
    world.vault.execute_return(CASE, TOKEN)
    assert world.token.balanceOf(neighbour.address) == 50_000


def test_the_court_alone_moves_nothing(world: World) -> None:
    """Without the prosecutor no verdict is ever final."""
    confiscate(world)
    for decide in (
        lambda: world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address),
        lambda: world.vault.forfeit(CASE, ORDER, sender=court.address),
    ):
        with boa.env.anchor():
            decide()
            wait(100 * LARGE_DELAY)
            with boa.reverts():
                world.vault.execute_return(CASE, TOKEN)
            with boa.reverts("case: no final verdict"):
                approved(world, provenance=1, case_id=CASE)


@pytest.mark.parametrize("outsider", [court, custodian, proposer, auditor, guardian, governor, stranger])
def test_only_the_prosecutor_confirms(world: World, outsider: Actor) -> None:
    """And what he has seen: not another owner, nor another order, and once."""
    confiscate(world)
    with boa.reverts("case: decided otherwise"):
        world.vault.confirm_case(CASE, ZERO, NO_HASH, sender=prosecutor.address)
    world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address)
    with boa.reverts("role: not yours"):
        world.vault.confirm_case(CASE, neighbour.address, ORDER, sender=outsider.address)
    for owner, order in ((resident.address, ORDER), (ZERO, ORDER), (neighbour.address, b"\x01" * 32)):
        with boa.reverts("case: decided otherwise"):
            world.vault.confirm_case(CASE, owner, order, sender=prosecutor.address)
    world.vault.confirm_case(CASE, neighbour.address, ORDER, sender=prosecutor.address)
    with boa.reverts("case: decided otherwise"):
        world.vault.confirm_case(CASE, neighbour.address, ORDER, sender=prosecutor.address)


def test_guardian_sends_a_verdict_back_once(world: World) -> None:
    """The case is locked again; the next verdict waits longer, and the guardian has no second word."""
    confiscate(world)
    with boa.reverts("case: nothing to veto"):
        world.vault.veto_return(CASE, sender=guardian.address)
    order_return(world, neighbour)
    with boa.reverts("only the guardian"):
        world.vault.veto_return(CASE, sender=proposer.address)
    world.vault.veto_return(CASE, sender=guardian.address)
    wait(LARGE_DELAY)
    with boa.reverts("case: no return ordered"):
        world.vault.execute_return(CASE, TOKEN)
    order_return(world, neighbour)
    with boa.reverts("case: nothing to veto"):
        world.vault.veto_return(CASE, sender=guardian.address)
    wait(LARGE_DELAY - 1)
    with boa.reverts("case: not ripe"):
        world.vault.execute_return(CASE, TOKEN)
    wait(1)
    world.vault.execute_return(CASE, TOKEN)


def test_what_is_final_is_not_vetoed(world: World) -> None:
    """Nor forfeited after a return was ordered, nor returned after a forfeiture."""
    confiscate(world)
    forfeit(world)
    with boa.reverts("case: nothing to veto"):
        world.vault.veto_return(CASE, sender=guardian.address)
    with boa.reverts("case: not locked"):
        world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address)
    with boa.reverts("case: not locked"):
        world.vault.forfeit(CASE, ORDER, sender=court.address)


def test_a_return_that_is_refused_goes_to_another_account(world: World) -> None:
    """The owner is not registered: the court names an account that he has, and nothing is stuck."""
    confiscate(world)
    order_return(world, stranger)
    wait(DELAY)
    with boa.reverts("token: receiver not admitted"):
        world.vault.execute_return(CASE, TOKEN)
    with boa.reverts("case: not locked"):
        world.vault.forfeit(CASE, ORDER, sender=court.address)
    order_return(world, neighbour)
    with boa.reverts("case: not ripe"):
        world.vault.execute_return(CASE, TOKEN)
    wait(DELAY)
    world.vault.execute_return(CASE, TOKEN)
    assert world.token.balanceOf(neighbour.address) == 50_000


@pytest.mark.parametrize("office", [court, prosecutor])
def test_an_order_ends_with_the_office(world: World, office: Actor) -> None:
    """Whose key was taken away returns nothing; who holds the office then decides anew."""
    confiscate(world)
    order_return(world, neighbour)
    world.vault.execute_change(approved_change(world, Action.WITHDRAW_ROLE, office.address))
    wait(DELAY)
    with boa.reverts("case: office withdrawn"):
        world.vault.execute_return(CASE, TOKEN)
    role = 4 if office is court else 16
    world.vault.execute_change(approved_change(world, Action.GRANT_ROLE, office.address, role))
    with boa.reverts("case: office withdrawn"):
        world.vault.execute_return(CASE, TOKEN)
    order_return(world, neighbour)
    wait(DELAY)
    world.vault.execute_return(CASE, TOKEN)


def test_cases_are_decided_by_courts_with_orders(world: World) -> None:
    """Not by others, not without an order, not for nobody."""
    confiscate(world)
    with boa.reverts("role: not yours"):
        world.vault.forfeit(CASE, ORDER, sender=custodian.address)
    with boa.reverts("case: no order"):
        world.vault.forfeit(CASE, NO_HASH, sender=court.address)
    for owner in (ZERO, world.vault.address):
        with boa.reverts("case: no owner"):
            world.vault.order_return(CASE, owner, ORDER, sender=court.address)
    with boa.reverts("case: not locked"):
        world.vault.forfeit(b"\x01" * 32, ORDER, sender=court.address)


def test_return_touches_no_other_book(world: World) -> None:
    """What others own stays for releases."""
    deposit(world)
    confiscate(world)
    order_return(world, neighbour)
    identity = approved(world)
    world.vault.execute_return(CASE, TOKEN)
    world.vault.execute_release(identity)
    assert world.vault.held(TOKEN) == 460_000
