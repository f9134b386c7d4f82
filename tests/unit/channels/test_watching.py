"""What a tower makes of the chain's word, told once or twice."""

from itertools import combinations_with_replacement

import pytest

from alatau.channels.errors import ChannelPhaseError, InvalidVoucherError
from alatau.channels.messages import Lock
from alatau.channels.state import Phase, Window
from alatau.channels.watching import (
    News,
    NewsClosing,
    NewsOpened,
    NewsSettled,
    NewsSubmitted,
    Submitted,
    WatchedChannel,
    check_carriable,
    is_due,
    is_ripe,
    payers,
    told,
)
from tests.support.channels import HUB, OWNER, parties, protection

LOCK = Lock(b"\x07" * 32, 3, 19)
STORY: list[News] = [
    NewsOpened(parties()),
    NewsSubmitted(OWNER.address, Submitted(2)),
    NewsClosing(Window(20, 1_000)),
    NewsSubmitted(OWNER.address, Submitted(5, (LOCK,))),
    NewsSubmitted(HUB.address, Submitted(1)),
    NewsSettled(21),
]


def after(story: list[News]) -> WatchedChannel | None:
    """What is known at the end."""
    channel = None
    for news in story:
        channel = told(channel, news)
    return channel


def test_a_channels_life_is_followed() -> None:
    """Opened, closing with the voucher that began it, corrected in both directions, settled."""
    assert after(STORY[:1]) == WatchedChannel(parties())
    assert after(STORY[:3]) == WatchedChannel(parties(), Phase.CLOSING, Window(20, 1_000), ab=Submitted(2))
    corrected = after(STORY[:5])
    assert corrected is not None
    assert (corrected.submitted(OWNER.address), corrected.submitted(HUB.address)) == (
        Submitted(5, (LOCK,)),
        Submitted(1),
    )
    ended = after(STORY)
    assert ended is not None
    assert (ended.phase, ended.settled_block) == (Phase.SETTLED, 21)


def test_what_is_told_again_changes_nothing() -> None:
    """A tower that was killed before its cursor was written hears some of it twice."""
    for start, stop in combinations_with_replacement(range(len(STORY) + 1), 2):
        assert after([*STORY[:stop], *STORY[start:stop], *STORY[stop:]]) == after(STORY)
    assert [told(after(STORY), news) for news in STORY] == [after(STORY)] * len(STORY)


def test_nothing_is_known_of_a_channel_whose_opening_was_not_told() -> None:
    """It is not invented from its later events."""
    assert after(STORY[1:]) is None


def test_a_voucher_is_due_only_when_the_contract_knows_less() -> None:
    """Not while the channel is open, not when it is settled, and not when it says nothing new."""
    newest = protection(5, 50)
    dues = [is_due(channel, newest) for n in range(1, 7) if (channel := after(STORY[:n])) is not None]
    assert dues == [False, False, True, False, False, False]
    closing = after(STORY[:3])
    assert closing is not None
    assert not is_due(closing, protection(2, 20))
    assert is_due(closing, protection(1, 9, payer=HUB))


def test_a_lock_that_outlives_the_window_is_refused() -> None:
    """Before closing the window is counted from the next block; after it, it is the channel's own."""
    opened, closing, settled = after(STORY[:1]), after(STORY[:3]), after(STORY)
    assert opened is not None
    assert closing is not None
    assert settled is not None
    check_carriable(opened, protection(1, 0, locks=[Lock(bytes(32), 1, 110)]).voucher, 100, 10)
    with pytest.raises(InvalidVoucherError, match="expires at block 111"):
        check_carriable(opened, protection(1, 0, locks=[Lock(bytes(32), 1, 111)]).voucher, 100, 10)
    check_carriable(closing, protection(9, 0, locks=[LOCK]).voucher, 15, 10)
    with pytest.raises(InvalidVoucherError, match="may settle at 20"):
        check_carriable(closing, protection(9, 0, locks=[Lock(bytes(32), 1, 20)]).voucher, 15, 10)
    with pytest.raises(ChannelPhaseError):
        check_carriable(settled, protection(9, 0).voucher, 30, 10)


def test_a_window_ends_by_blocks_and_by_time() -> None:
    """Both must have passed; an open or settled channel is never ripe."""
    opened, closing, settled = after(STORY[:1]), after(STORY[:3]), after(STORY)
    assert opened is not None
    assert closing is not None
    assert settled is not None
    assert is_ripe(closing, 19, 1_000)
    assert not is_ripe(closing, 18, 1_000)
    assert not is_ripe(closing, 19, 999)
    assert not is_ripe(opened, 19, 1_000)
    assert not is_ripe(settled, 30, 1_000)


def test_both_directions_are_looked_at() -> None:
    """What a pays and what b pays."""
    assert list(payers(parties())) == [OWNER.address, HUB.address]
