"""TokenExchange.exchange: what it says of an exchange."""

from tests.contracts.upgrades.token_exchange import replaced_token
from tests.contracts.world import World, resident


def test_an_exchange_is_told(world: World) -> None:
    """Whose, and how much."""
    _, exchange = replaced_token(world)
    world.token.approve(exchange.address, 600, sender=resident.address)
    exchange.exchange(600, sender=resident.address)
    events = [event for event in exchange.get_logs() if type(event).__name__ == "Exchanged"]
    assert [(event.owner, event.amount) for event in events] == [(resident.address, 600)]
