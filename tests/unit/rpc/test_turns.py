"""Whose turn it is: the caller's that has used least."""

import pytest
import trio

from alatau.rpc import turns as module
from alatau.rpc.turns import FairTurns
from alatau.transport.errors import RpcError


class Users:
    """Callers that take turns, each of which lasts until :meth:`end`."""

    def __init__(self, turns: FairTurns, nursery: trio.Nursery) -> None:
        self.turns = turns
        self.nursery = nursery
        self.served: list[str] = []
        self.refused: list[tuple[str, str]] = []
        self._end = trio.Event()
        self._seconds = 0.0

    async def ask(self, caller: str, count: int = 1) -> None:
        """Queue up."""
        for _ in range(count):
            self.nursery.start_soon(self._use, caller)
            await trio.testing.wait_all_tasks_blocked()

    async def end(self, seconds: float) -> None:
        """Let the turn under way be over, having taken so long."""
        ended, self._end, self._seconds = self._end, trio.Event(), seconds
        ended.set()
        await trio.testing.wait_all_tasks_blocked()

    async def _use(self, caller: str) -> None:
        try:
            turn = await self.turns.take(caller)
        except RpcError as error:
            self.refused.append((caller, error.reason if error.retry_after_s else "no word of when"))
            return
        self.served.append(caller)
        await self._end.wait()
        turn.end(self._seconds)
        turn.end(1_000.0)  # counts nothing


@pytest.fixture
async def users(nursery: trio.Nursery) -> Users:
    """Turns for which ten may wait, six of one caller."""
    return Users(FairTurns(10, 6), nursery)


@pytest.mark.trio
async def test_one_at_a_time(users: Users) -> None:
    """Nobody begins before the one before has ended."""
    await users.ask("a", 3)
    assert users.served == ["a"]
    await users.end(1)
    assert users.served == ["a", "a"]


@pytest.mark.trio
async def test_callers_are_served_in_turn_however_many_one_has_waiting(users: Users) -> None:
    """A caller that comes later, with one, is next."""
    await users.ask("looping", 6)
    await users.ask("honest", 2)
    for _ in range(5):
        await users.end(1)
    assert users.served == ["looping", "honest", "looping", "honest", "looping", "looping"]


@pytest.mark.trio
async def test_long_turns_are_paid_for_with_waiting(users: Users) -> None:
    """Who used a second lets a hundred turns of 10 ms pass; here, all that there are."""
    await users.ask("long", 3)
    await users.ask("short", 5)
    await users.end(1.0)
    for _ in range(5):
        await users.end(0.01)
    assert users.served == ["long", *["short"] * 5, "long"]


@pytest.mark.trio
async def test_nobody_saves_up_by_pausing(users: Users) -> None:
    """Who has used nothing for long begins with the others, not before them for as long as it was away."""
    for _ in range(3):
        await users.ask("a")
        await users.end(10)
    await users.ask("a", 3)
    await users.ask("b", 3)
    for _ in range(5):
        await users.end(10)
    assert users.served[3:] == ["a", "b", "a", "b", "a", "b"]


@pytest.mark.trio
async def test_lines_are_bounded_for_one_and_for_all(users: Users) -> None:
    """A line that is too long is its caller's fault; a full room sends away the last of the longest line."""
    await users.ask("a", 8)
    assert users.refused == [("a", "TOO_MANY_CALLS")]
    await users.ask("b", 4)
    assert users.turns.waiting == 10
    await users.ask("c", 2)
    assert users.refused[1:] == [("a", "SERVER_BUSY"), ("a", "SERVER_BUSY")]
    await users.ask("c")
    assert users.refused[3:] == [("a", "SERVER_BUSY")]
    await users.ask("c")  # now four, three and three wait: equal enough
    assert users.refused[4:] == [("c", "SERVER_BUSY")]
    assert users.turns.waiting == 10


@pytest.mark.trio
async def test_a_room_full_of_equals_refuses_who_comes(nursery: trio.Nursery) -> None:
    """It would only exchange one for another."""
    users = Users(FairTurns(3, 6), nursery)
    for caller in "sabcd":
        await users.ask(caller)
    assert users.refused == [("d", "SERVER_BUSY")]


@pytest.mark.trio
async def test_who_leaves_is_passed_over(users: Users) -> None:
    """A caller whose deadline passed is not called, and its place in the line is free."""
    await users.ask("a")
    with trio.move_on_after(0.01):
        await users.turns.take("b")
    assert users.turns.waiting == 0
    await users.ask("c")
    await users.end(1)
    assert users.served == ["a", "c"]


@pytest.mark.trio
async def test_callers_are_forgotten_beyond_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses that come and go cannot fill the memory."""
    monkeypatch.setattr(module, "_CALLERS_MAX", 10)
    turns = FairTurns(10, 10)
    for n in range(50):
        (await turns.take(n)).end(1)
    assert len(turns._clocks) == 10
