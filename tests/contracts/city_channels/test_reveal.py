"""CityChannels.reveal and locks: pending payments pay if their secret is known in time."""

import boa
import pytest

from alatau.channels.messages import Lock
from alatau.crypto.keccak import keccak256
from tests.contracts.city_channels.tills import (
    DEPOSIT,
    Till,
    claim_of,
    credited,
    let_window_pass,
    lock_arguments,
    open_till,
    start_closing,
)
from tests.contracts.world import SETTLE_SECONDS, World, hub, resident, stranger, wait

SECRET, OTHER_SECRET = b"\x51" * 32, b"\x52" * 32


def pending(world: World, expires_in: int, amount: int = 700) -> tuple[Till, tuple[Lock, ...]]:
    """A closing channel with 1,000 paid and two payments pending."""
    till = open_till(world)
    height = boa.env.evm.patch.block_number
    locks = (
        Lock(keccak256(SECRET), amount, height + expires_in),
        Lock(keccak256(OTHER_SECRET), 50, height + expires_in),
    )
    start_closing(world, till)
    world.channels.submit(till.key, *claim_of(till, resident, 2, 1_000, locks=locks), sender=hub.address)
    return till, locks


@pytest.mark.parametrize(("blocks", "paid"), [(9, 1_700), (10, 1_700), (11, 1_000)])
def test_secret_counts_up_to_its_expiry(world: World, blocks: int, paid: int) -> None:
    """Revealed at the expiry block it pays, a block later it does not."""
    till, locks = pending(world, expires_in=10)
    wait(blocks=blocks)
    world.channels.reveal(SECRET, sender=stranger.address)
    wait(SETTLE_SECONDS, 20)
    world.channels.settle(till.key, lock_arguments(locks), [])
    assert credited(world) == (DEPOSIT - paid, paid)


def test_unrevealed_locks_pay_nothing(world: World) -> None:
    """No secret, no payment."""
    till, locks = pending(world, expires_in=10)
    let_window_pass()
    world.channels.settle(till.key, lock_arguments(locks), [])
    assert credited(world) == (DEPOSIT - 1_000, 1_000)


def test_secret_is_revealed_once(world: World) -> None:
    """The first block counts; a later reveal cannot move it."""
    world.channels.reveal(SECRET)
    first = world.channels.revealed_at(keccak256(SECRET))
    wait(blocks=3)
    with boa.reverts("channels: known already"):
        world.channels.reveal(SECRET)
    assert world.channels.revealed_at(keccak256(SECRET)) == first


def test_lock_list_is_the_signed_one(world: World) -> None:
    """Missing, reordered, doubled or changed lists do not settle."""
    till, locks = pending(world, expires_in=10)
    let_window_pass()
    changed = (locks[0], Lock(locks[1].secret_hash, 51, locks[1].expiry_block))
    for wrong in ((), locks[::-1], (locks[0], locks[0]), locks[:1], changed):
        with boa.reverts("channels: other locks were signed"):
            world.channels.settle(till.key, lock_arguments(wrong), [])
    world.channels.settle(till.key, lock_arguments(locks), [])


def test_list_longer_than_eight_is_no_call(world: World) -> None:
    """The bound is in the ABI."""
    till, locks = pending(world, expires_in=10)
    let_window_pass()
    with boa.reverts():
        world.channels.settle(till.key, lock_arguments(locks[:1] * 9), [])


def test_absurd_lock_pays_what_there_is(world: World) -> None:
    """A lock over 2**256 - 1 takes all and blocks nothing."""
    till, locks = pending(world, expires_in=10, amount=2**256 - 1)
    world.channels.reveal(SECRET)
    let_window_pass()
    world.channels.settle(till.key, lock_arguments(locks), [])
    assert credited(world) == (0, DEPOSIT)


def test_batch_passes_over_channels_with_locks(world: World) -> None:
    """Their lists have to be shown one by one."""
    till, locks = pending(world, expires_in=10)
    let_window_pass()
    world.channels.settle_many([till.key])
    assert credited(world) == (0, 0)
    world.channels.settle(till.key, lock_arguments(locks), [])
