"""A token that re-enters the exchange: wherever it is called, nothing is exchanged a second time."""

from typing import Any

import boa
import pytest

from tests.contracts.well_formed_calls import call_of
from tests.contracts.world import deploy, deploy_mock, resident, stranger

EXCHANGE = "exchange(uint256)"
EXCHANGE_FOR = "exchange_for(address,uint256,uint256,uint8,bytes32,bytes32)"
NO_PERMIT = (0, 27, bytes(32), bytes(32))


class Counter:
    """An exchange between two tokens that call back; the resident has allowed it 100, and so has either token."""

    def __init__(self) -> None:
        self.old, self.new = deploy_mock("HostileToken"), deploy_mock("HostileToken")
        self.exchange = deploy("TokenExchange", self.old.address, self.new.address)
        for owner in (resident.address, self.old.address, self.new.address):
            self.old.mint(owner, 100)
            self.old.approve(self.exchange.address, 100, sender=owner)

    def act(self, outer: str) -> None:
        """Exchange 10 of the resident."""
        if outer == EXCHANGE:
            self.exchange.exchange(10, sender=resident.address)
        else:
            self.exchange.exchange_for(resident.address, 10, *NO_PERMIT, sender=stranger.address)

    def moved(self, token: Any) -> list[int]:
        """What each holder has of a token."""
        return [token.balanceOf(one) for one in (resident.address, self.old.address, self.new.address)]


INNER = {
    EXCHANGE: call_of(EXCHANGE, 10),
    EXCHANGE_FOR: call_of(EXCHANGE_FOR, resident.address, 10, *NO_PERMIT),
}


@pytest.fixture
def counter() -> Counter:
    """Made anew for each test."""
    return Counter()


@pytest.mark.parametrize("hostile", ["old", "new"])
@pytest.mark.parametrize("outer", [EXCHANGE, EXCHANGE_FOR])
@pytest.mark.parametrize("inner", [EXCHANGE, EXCHANGE_FOR])
def test_every_pair_is_closed(counter: Counter, outer: str, inner: str, hostile: str) -> None:
    """The old token calls back when it is burnt, the new one when it is issued: the money moves once."""
    token = getattr(counter, hostile)
    token.set_mode(3, counter.exchange.address, INNER[inner])
    counter.act(outer)
    assert token.reentered()
    assert not token.succeeded()
    assert counter.moved(counter.old) == [90, 100, 100]
    assert counter.moved(counter.new) == [10, 0, 0]


@pytest.mark.parametrize("inner", [EXCHANGE, EXCHANGE_FOR])
def test_the_same_calls_are_let_in_from_outside(counter: Counter, inner: str) -> None:
    """The probes can succeed: nobody is inside, and the new token calls."""
    boa.env.raw_call(counter.exchange.address, data=INNER[inner], sender=counter.new.address)
    assert sum(counter.moved(counter.new)) == 10
