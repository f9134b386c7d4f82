"""Places for calls that last: all for one while nobody else asks, equal shares when somebody does."""

from collections.abc import Callable

import pytest
import trio

from alatau.rpc.slots import FairSlots
from alatau.transport.errors import RpcError


class Holders:
    """Callers that hold places until they are told to go, and what became of them."""

    def __init__(self, slots: FairSlots, nursery: trio.Nursery) -> None:
        self.slots = slots
        self.nursery = nursery
        self.ended: list[tuple[str, str]] = []
        self.errors: list[RpcError] = []

    async def hold(self, caller: str, count: int = 1) -> None:
        """Take places that are held until the end of the test."""
        for _ in range(count):
            self.nursery.start_soon(self._hold, caller)
            await trio.testing.wait_all_tasks_blocked()

    async def _hold(self, caller: str) -> None:
        try:
            with self.slots.take(caller):
                await trio.sleep_forever()
        except RpcError as error:
            self.ended.append((caller, error.reason))
            self.errors.append(error)


@pytest.fixture
async def holders(nursery: trio.Nursery) -> Holders:
    """Eight places."""
    return Holders(FairSlots("streams", 8), nursery)


@pytest.mark.trio
async def test_one_caller_may_have_all(holders: Holders) -> None:
    """A bank behind one address uses every place; one more of its own is refused, and it loses none."""
    await holders.hold("bank", 9)
    assert holders.slots.held_by("bank") == 8
    assert holders.ended == [("bank", "TOO_MANY_CALLS")]
    assert holders.errors[0].metadata["limit"] == "8"
    assert int(holders.errors[0].metadata["retry_in_ms"]) > 0
    assert holders.errors[0].retry_after_s is not None


@pytest.mark.trio
async def test_others_take_from_who_has_most(holders: Holders) -> None:
    """Four callers that came first keep nobody out: whoever comes gets as much as each of them keeps."""
    for attacker in ("a", "b", "c", "d"):
        await holders.hold(attacker, 2)
    await holders.hold("honest")
    assert holders.slots.held_by("honest") == 1
    assert holders.slots.taken == 8
    assert [reason for _, reason in holders.ended] == ["SERVER_BUSY"]
    assert holders.errors[0].retry_after_s is not None
    await holders.hold("honest")  # two of eight for each of five is more than there is
    assert holders.ended[-1] == ("honest", "SERVER_BUSY")


@pytest.mark.trio
async def test_shares_become_equal(holders: Holders) -> None:
    """Whatever the order in which they come."""
    await holders.hold("a", 8)
    await holders.hold("b", 8)
    assert (holders.slots.held_by("a"), holders.slots.held_by("b")) == (4, 4)
    await holders.hold("c", 8)
    assert sorted(holders.slots.held_by(caller) for caller in "abc") == [2, 3, 3]
    await holders.hold("a", 8)
    assert sorted(holders.slots.held_by(caller) for caller in "abc") == [2, 3, 3]


@pytest.mark.trio
async def test_the_oldest_place_of_a_caller_is_the_last_to_go(holders: Holders) -> None:
    """What was established stays: the newest of the one that has most ends."""
    ended: list[int] = []

    async def hold(number: int) -> None:
        try:
            with holders.slots.take("a"):
                await trio.sleep_forever()
        except RpcError:
            ended.append(number)

    for number in range(8):
        holders.nursery.start_soon(hold, number)
        await trio.testing.wait_all_tasks_blocked()
    await holders.hold("b", 3)
    assert ended == [7, 6, 5]


@pytest.mark.trio
async def test_a_place_is_free_again_however_its_call_ends(holders: Holders) -> None:
    """Nothing leaks: an error, a cancellation, an end, a place taken away."""

    async def end(how: Callable[[], object]) -> None:
        with holders.slots.take("a"):
            how()
            await trio.lowlevel.checkpoint()

    def fail() -> None:
        raise LookupError

    await end(lambda: None)
    with pytest.raises(LookupError):
        await end(fail)
    with trio.CancelScope() as scope:
        await end(scope.cancel)
    async with trio.open_nursery() as nursery:
        others = Holders(holders.slots, nursery)
        await others.hold("a", 8)
        await others.hold("b", 4)
        assert holders.slots.taken == 8
        nursery.cancel_scope.cancel()
    assert holders.slots.taken == 0
    assert holders.slots._held == {}


@pytest.mark.trio
async def test_a_call_that_was_ending_anyway_ends_as_it_would(holders: Holders) -> None:
    """A place that goes to another in the moment in which its call succeeds spoils nothing."""
    await holders.hold("a", 7)
    with holders.slots.take("a"), holders.slots.take("b"):
        assert (holders.slots.held_by("a"), holders.slots.held_by("b")) == (7, 1)
    assert (holders.slots.held_by("a"), holders.slots.held_by("b")) == (7, 0)
