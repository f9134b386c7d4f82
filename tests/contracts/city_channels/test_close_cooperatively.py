"""CityChannels.close_cooperatively: both agree, one transaction settles."""

import boa
import pytest

from alatau.channels.calls import NO_SIGNATURE
from tests.contracts.actors import Actor
from tests.contracts.city_channels.tills import (
    DEPOSIT,
    HUB_DEPOSIT,
    agreement,
    claim_of,
    credited,
    open_till,
    start_closing,
    till_of,
)
from tests.contracts.world import World, hub, neighbour, now, resident, stranger, wait

TOTAL = DEPOSIT + HUB_DEPOSIT


@pytest.mark.parametrize("payout", [0, 1, DEPOSIT, TOTAL])
def test_any_division_that_both_sign(world: World, payout: int) -> None:
    """The sum is what the channel holds; anyone carries the agreement."""
    till = open_till(world, hub_amount=HUB_DEPOSIT)
    world.channels.close_cooperatively(*agreement(till, payout, TOTAL - payout), sender=stranger.address)
    assert credited(world) == (payout, TOTAL - payout)
    assert world.channels.held() == TOTAL


@pytest.mark.parametrize(("a", "b"), [(DEPOSIT, 0), (TOTAL, 1), (0, 0), (2**255, 2**255)])
def test_sum_is_exact(world: World, a: int, b: int) -> None:
    """Neither more nor less, nor by overflow."""
    till = open_till(world, hub_amount=HUB_DEPOSIT)
    with boa.reverts():
        world.channels.close_cooperatively(*agreement(till, a, b))
    assert credited(world) == (0, 0)


@pytest.mark.parametrize(
    ("signers", "reason"),
    [
        ((hub, hub), "channels: bad signature of a"),
        ((resident, resident), "channels: bad signature of b"),
        ((hub, resident), "channels: bad signature of a"),
        ((resident, stranger), "channels: bad signature of b"),
    ],
)
def test_both_must_sign(world: World, signers: tuple[Actor, Actor], reason: str) -> None:
    """Each for itself."""
    till = open_till(world)
    with boa.reverts(reason):
        world.channels.close_cooperatively(*agreement(till, DEPOSIT, 0, signers=signers))


def test_unsigned_agreement_is_void(world: World) -> None:
    """Recovery of nothing gives nobody, and nobody is no party."""
    till = open_till(world)
    arguments = agreement(till, DEPOSIT, 0)
    with boa.reverts("channels: bad signature of a"):
        world.channels.close_cooperatively(*arguments[:4], NO_SIGNATURE, arguments[5])


def test_agreement_has_a_deadline(world: World) -> None:
    """Good at its last second, void after."""
    till = open_till(world)
    given = agreement(till, DEPOSIT, 0, deadline=now() + 5)
    wait(6)
    with boa.reverts("channels: too late"):
        world.channels.close_cooperatively(*given)
    boa.env.timestamp -= 1
    world.channels.close_cooperatively(*given)


def test_agreement_is_for_one_channel_and_purpose(world: World) -> None:
    """Not for another channel of the same two, another amount, or made of vouchers."""
    till, other = open_till(world), open_till(world, salt=1)
    given = agreement(till, DEPOSIT, 0)
    with boa.reverts("channels: bad signature of a"):
        world.channels.close_cooperatively(other.key, *given[1:])
    with boa.reverts("channels: bad signature of a"):
        world.channels.close_cooperatively(till.key, 0, DEPOSIT, *given[3:])
    *_, signed, receipt = claim_of(till, resident, 1, 5, receipt_by=hub)
    with boa.reverts("channels: bad signature of a"):
        world.channels.close_cooperatively(*given[:4], signed, receipt)


def test_agreement_works_once(world: World) -> None:
    """A settled channel is settled."""
    till = open_till(world)
    given = agreement(till, DEPOSIT, 0)
    world.channels.close_cooperatively(*given)
    with boa.reverts("channels: not open"):
        world.channels.close_cooperatively(*given)


def test_unknown_channel_has_nothing_to_settle(world: World) -> None:
    """Signatures alone make no channel."""
    with boa.reverts("channels: not open"):
        world.channels.close_cooperatively(*agreement(till_of(9), 0, 0))


def test_agreement_ends_a_dispute(world: World) -> None:
    """Parties may still agree while the channel is closing."""
    till = open_till(world)
    start_closing(world, till)
    world.channels.close_cooperatively(*agreement(till, 4_000, DEPOSIT - 4_000))
    assert credited(world) == (4_000, 6_000)


def test_claim_of_a_stranger_is_empty(world: World) -> None:
    """Credit belongs to the parties."""
    till = open_till(world)
    world.channels.close_cooperatively(*agreement(till, DEPOSIT, 0))
    with boa.reverts("channels: no credit"):
        world.channels.claim(neighbour.address)
