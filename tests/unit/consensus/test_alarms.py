"""What an operator is told at once, and when it is over.

Validator v2 of four; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

import pytest

from alatau.consensus.effects import DoAlarm
from alatau.consensus.inputs import InNewHeight
from alatau.consensus.messages import VotesMessage
from alatau.consensus.signing import HEIGHTS
from alatau.types.vote import VoteKind
from tests.simulation.chain import GENESIS, address_of
from tests.support.table import Table

PREVOTE = VoteKind.PREVOTE


def move_to(table: Table, height: int) -> list[str]:
    """Others decided up to ``height``; the alarms of that step."""
    context = replace(table.context_after(GENESIS, None), height=height)
    table.feed(InNewHeight(context))
    return [e.alarm.name for e in table.effects if isinstance(e, DoAlarm)]


def test_the_end_of_a_probation_is_told_once() -> None:
    """Not before, not in each height of it, and not where there was none."""
    table = Table()
    table.start()
    assert move_to(table, 2) == []
    told = table.told(table.say(1, VotesMessage((table.vote(2, PREVOTE, "B", 0, height=2),))))
    assert "alarm key_in_use" in told
    ended = 2 + 1 + HEIGHTS
    alarms = [move_to(table, height) for height in range(3, ended + 3)]
    assert alarms == [[]] * (ended - 3) + [["SIGNING_AGAIN"], [], []]
    assert table.core.view().may_sign


def decided_with_offset(table: Table, offset_ms: int) -> list[str]:
    """A block whose proposer's clock is so far ahead of ours is decided; what the operator is told."""
    table.say(4, table.proposal(4, "A", 0, timestamp_ms=table.now_ms + offset_ms))
    table.do("A is valid")
    for line in ("v1 prevotes A r0", "v3 prevotes A r0", "v4 prevotes A r0", "v1 precommits A r0"):
        table.do(line)
    effects = table.do("v3 precommits A r0") + table.do("v4 precommits A r0")
    return [f"{e.alarm.name}: {e.detail}" for e in effects if isinstance(e, DoAlarm)]


@pytest.mark.parametrize(("offset_ms", "side"), [(61_000, "61.0 s behind"), (-61_000, "61.0 s ahead of")])
def test_a_clock_that_is_off_is_told_with_how_far(offset_ms: int, side: str) -> None:
    """To which side and by how many seconds, once different proposers agree."""
    table = Table()
    table.start()
    for by in (1, 3, 4):
        table.core._ctx.clock.decided(address_of(by), offset_ms, 500)
    [told] = decided_with_offset(table, offset_ms)
    assert told.startswith(f"CLOCK_OFF: {side}")
    assert table.core.view().clock_offset_ms == offset_ms


def test_a_clock_that_is_right_again_is_told() -> None:
    """By the first decided block whose time is near it."""
    table = Table()
    table.start()
    for by in (1, 3, 4, 1):
        table.core._ctx.clock.decided(address_of(by), 61_000, 500)
    assert decided_with_offset(table, 500) == ["CLOCK_RIGHT: the others' proposals are in time again"]


def test_a_late_block_is_held_against_who_proposed_it_first() -> None:
    """Proposed again by another validator it is still one sample of one clock: one proposer alone proves nothing."""
    table = Table()
    table.start()
    for _ in range(3):
        table.core._ctx.clock.decided(address_of(4), 61_000, 500)
    table.say(4, table.proposal(4, "A", 0, timestamp_ms=table.now_ms + 61_000))
    table.do("A is valid")
    for line in ("v1 prevotes nil r1", "v3 prevotes nil r1"):
        table.do(line)
    table.do("v3 reproposes A r1 of r0")
    effects = [e for n in (1, 3, 4) for e in table.do(f"v{n} precommits A r1")]
    assert table.told(effects)[-1].startswith("commit A r1")
    assert not [e for e in effects if isinstance(e, DoAlarm)]
    assert table.core.view().clock_offset_ms is None


def test_a_node_that_joined_lately_knows_another_self_from_its_past() -> None:
    """Its past ends one height after it began to sign, however often it looks at whether it may begin."""
    table = Table()
    table.start(fresh=True)
    for who in (1, 3, 4):
        table.do(f"v{who} decides h1")
    table.do("transaction")
    assert not table.core.view().holding
    move_to(table, 5)
    table.do("transaction")
    [alarm] = table.say(1, VotesMessage((table.vote(2, PREVOTE, "B", 0, height=5),)))
    assert isinstance(alarm, DoAlarm)


def test_a_lone_validator_with_an_empty_disk_adopts_nothing() -> None:
    """Nobody could tell it of a past: it waits for nothing, and a signature that it did not make is another self's."""
    table = Table(count=1, me=1, verbose=True)
    assert "wait join" not in table.told(table.start(fresh=True))
    effects = table.say(7, VotesMessage((table.vote(1, PREVOTE, "B", 0),)))
    assert "alarm key_in_use" in table.told(effects)
