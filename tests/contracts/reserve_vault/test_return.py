"""ReserveVault.forfeit, order_return, veto_return and execute_return: confiscated assets and the court's word."""

import boa

from tests.contracts.reserve_vault.intents import CASE, ORDER, TOKEN, approved, confiscate, deposit
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    ZERO,
    World,
    court,
    custodian,
    guardian,
    neighbour,
    proposer,
    stranger,
    wait,
)


def test_reversal_gives_back_after_the_delay(world: World) -> None:
    """To the owner, outside of limits, by anybody's transaction, once."""
    confiscate(world)
    world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address)
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
    world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address)
    wait(DELAY)
    world.vault.execute_return(CASE, TOKEN)
    assert world.token.balanceOf(neighbour.address) == 50_000


def test_guardian_sends_a_return_back_to_the_court(world: World) -> None:
    """The case is locked again, and the court may decide anew."""
    confiscate(world)
    world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address)
    with boa.reverts("only the guardian"):
        world.vault.veto_return(CASE, sender=proposer.address)
    world.vault.veto_return(CASE, sender=guardian.address)
    wait(DELAY)
    with boa.reverts("case: no return ordered"):
        world.vault.execute_return(CASE, TOKEN)
    with boa.reverts("case: no return ordered"):
        world.vault.veto_return(CASE, sender=guardian.address)
    world.vault.forfeit(CASE, ORDER, sender=court.address)


def test_verdict_is_final(world: World) -> None:
    """A forfeited case is not returned, a returned one not forfeited."""
    confiscate(world)
    world.vault.forfeit(CASE, ORDER, sender=court.address)
    with boa.reverts("case: not locked"):
        world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address)
    with boa.reverts("case: not locked"):
        world.vault.forfeit(CASE, ORDER, sender=court.address)


def test_cases_are_decided_by_courts_with_orders(world: World) -> None:
    """Not by others, not without an order, not for nobody."""
    confiscate(world)
    with boa.reverts("only the court"):
        world.vault.forfeit(CASE, ORDER, sender=custodian.address)
    with boa.reverts("case: no order"):
        world.vault.forfeit(CASE, NO_HASH, sender=court.address)
    with boa.reverts("case: no owner"):
        world.vault.order_return(CASE, ZERO, ORDER, sender=court.address)
    with boa.reverts("case: not locked"):
        world.vault.forfeit(b"\x01" * 32, ORDER, sender=court.address)


def test_return_touches_no_other_book(world: World) -> None:
    """What others own stays for releases."""
    deposit(world)
    confiscate(world)
    world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address)
    identity = approved(world)
    world.vault.execute_return(CASE, TOKEN)
    world.vault.execute_release(identity)
    assert world.vault.held(TOKEN) == 460_000
