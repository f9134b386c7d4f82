"""TokenExchange.exchange: what it says of an exchange, and a token that refuses without reverting."""

import boa

from tests.contracts.upgrades.token_exchange import replaced_token
from tests.contracts.world import World, deploy, deploy_mock, resident


def test_an_exchange_is_told(world: World) -> None:
    """Whose, and how much."""
    _, exchange = replaced_token(world)
    world.token.approve(exchange.address, 600, sender=resident.address)
    exchange.exchange(600, sender=resident.address)
    events = [event for event in exchange.get_logs() if type(event).__name__ == "Exchanged"]
    assert [(event.owner, event.amount) for event in events] == [(resident.address, 600)]


def test_nothing_is_issued_for_what_a_token_refuses(world: World) -> None:
    """Not even where the exchange holds some of the old token, which it could burn instead."""
    old, new = deploy_mock("HostileToken"), deploy_mock("HostileToken")
    exchange = deploy("TokenExchange", old.address, new.address)
    for owner in (resident.address, exchange.address):
        old.mint(owner, 100)
    old.approve(exchange.address, 100, sender=resident.address)
    old.set_mode(1, resident.address, b"")
    with boa.reverts("exchange: token refused"):
        exchange.exchange(10, sender=resident.address)
    old.set_mode(0, resident.address, b"")
    exchange.exchange(10, sender=resident.address)
    assert (old.balanceOf(resident.address), new.balanceOf(resident.address)) == (90, 10)
