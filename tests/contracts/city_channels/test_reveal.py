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
    world.channels.submit(till.key, claim_of(till, resident, 2, 1_000, locks=locks), sender=hub.address)
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


@pytest.mark.parametrize("amount", [0, 2**112, 2**256 - 1])
def test_absurd_locks_are_refused(world: World, amount: int) -> None:
    """Nothing, and what does not fit a field."""
    with boa.reverts("locks: amount out of range"):
        pending(world, expires_in=10, amount=amount)


def test_largest_lock_is_taken_and_clamped(world: World) -> None:
    """An amount that fills its field; revealed, it pays all that there is."""
    till, locks = pending(world, expires_in=10, amount=2**112 - 1)
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


@pytest.mark.parametrize("expires_in", [20, 21, 10_000, 2**255])
def test_lock_that_outlives_the_window_is_refused(world: World, expires_in: int) -> None:
    """Else the payer settled before it, the payee's payee revealed after, and the hub between them lost it."""
    with boa.reverts("locks: expires after the window"):
        pending(world, expires_in=expires_in)


def test_nobody_settles_first_and_reveals_after(world: World) -> None:
    """The last lock of a window: when the channel may be settled no reveal can pay any more, for nobody."""
    till, locks = pending(world, expires_in=19)
    wait(SETTLE_SECONDS, 19)
    with boa.reverts("channels: window open (blocks)"):
        world.channels.settle(till.key, lock_arguments(locks), [], sender=resident.address)
    world.channels.reveal(SECRET)
    wait(blocks=1)
    world.channels.settle(till.key, lock_arguments(locks), [], sender=resident.address)
    assert credited(world) == (DEPOSIT - 1_700, 1_700)


def test_lists_are_published_with_the_voucher(world: World) -> None:
    """Anyone settles by what the chain's own log tells, whoever keeps the list to himself."""
    till, locks = pending(world, expires_in=10)
    (event,) = [log for log in world.channels.get_logs() if type(log).__name__ == "LocksPublished"]
    let_window_pass()
    told = [tuple(lock) for lock in event.locks]
    assert told == lock_arguments(locks)
    world.channels.settle(till.key, told, [], sender=stranger.address)


def test_nine_locks_are_no_voucher(world: World) -> None:
    """A list too long to settle is refused with its voucher; an older one goes on counting."""
    till = open_till(world)
    start_closing(world, till)
    world.channels.submit(till.key, claim_of(till, resident, 1, 100), sender=hub.address)
    height = boa.env.evm.patch.block_number
    locks = tuple(Lock(bytes((n,)) * 32, 1, height + 5) for n in range(9))
    with boa.reverts():
        world.channels.submit(till.key, claim_of(till, resident, 2, 200, locks=locks), sender=hub.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 100, 100)


def test_newer_voucher_replaces_the_list(world: World) -> None:
    """A list folded into what is paid is not paid again."""
    till, locks = pending(world, expires_in=10)
    world.channels.reveal(SECRET)
    world.channels.submit(till.key, claim_of(till, resident, 3, 1_700), sender=hub.address)
    let_window_pass()
    with boa.reverts("channels: other locks were signed"):
        world.channels.settle(till.key, lock_arguments(locks), [])
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 1_700, 1_700)


def test_locks_of_both_directions(world: World) -> None:
    """Each list in its place."""
    till = open_till(world, hub_amount=500)
    start_closing(world, till)
    height = boa.env.evm.patch.block_number
    forward, back = (Lock(keccak256(SECRET), 70, height + 9),), (Lock(keccak256(OTHER_SECRET), 20, height + 9),)
    world.channels.submit(till.key, claim_of(till, hub, 1, 0, locks=back), sender=resident.address)
    world.channels.submit(till.key, claim_of(till, resident, 1, 0, locks=forward), sender=hub.address)
    world.channels.reveal(SECRET)
    world.channels.reveal(OTHER_SECRET)
    let_window_pass()
    for wrong in ((back, forward), (forward, ()), ((), back)):
        with boa.reverts("channels: other locks were signed"):
            world.channels.settle(till.key, *(lock_arguments(locks) for locks in wrong))
    world.channels.settle(till.key, lock_arguments(forward), lock_arguments(back))
    assert credited(world) == (DEPOSIT - 50, 550)
