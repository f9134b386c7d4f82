"""What one validator does at the edges of a height: before it begins, when it is over, after a restart.

Validator v2 of four, unless said otherwise; the proposers of rounds 0, 1, 2, 3 of height 1 are v4, v3, v2, v1.
"""

import pytest

from alatau.consensus.effects import DoRecordSignState, DoSetTimer
from alatau.consensus.height import _PEERS_MAX, afford
from alatau.consensus.inputs import InStart, TimerKind
from alatau.consensus.messages import VotesMessage
from alatau.types.vote import VoteKind
from tests.simulation.chain import address_of
from tests.support.table import NOW_MS, Table

PREVOTE = VoteKind.PREVOTE


def decided_first_height(table: Table) -> None:
    """Height 1 is decided; its block is not committed yet."""
    table.start()
    for line in ("v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0", "v1 precommits A r0"):
        table.do(line)
    assert table.told(table.do("v4 precommits A r0")) == ["commit A r0 by 3"]


# ---------------------------------------------------------------- beginning


def test_a_peer_that_votes_wakes_the_others() -> None:
    """Whoever has something to decide is joined, without a transaction of one's own."""
    Table().play("""
        start                      ->
        timeout rebroadcast r0     ->
        v1 prevotes nil r0         -> wait propose
    """)


def test_who_has_a_key_but_no_place_in_the_set_only_watches() -> None:
    """A key alone does not vote, and the view says so."""
    table = Table(me=9)
    table.play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 ->
    """)
    view = table.core.view()
    assert not view.may_sign
    assert view.silence is None


def test_a_proposer_that_may_not_sign_builds_nothing() -> None:
    """It would be for nothing; the round ends by its timer."""
    table = Table(me=4)
    table.feed(InStart(table._context, (), None, may_sign=False, fresh=False))
    assert table.told(table.do("transaction")) == ["wait propose"]


def test_a_lone_validator_with_an_empty_disk_waits_for_nobody() -> None:
    """There is nobody who could know of a past."""
    table = Table(count=1, me=1)
    table.start(fresh=True)
    assert table.told(table.do("transaction")) == ["wait propose", "build r0"]


def test_a_node_that_waits_to_hear_of_a_past_enters_no_round() -> None:
    """Not even one of a third: it would count as there."""
    table = Table()
    table.start(fresh=True)
    assert table.told(table.do("v1 prevotes nil r7")) == []
    assert table.told(table.do("v3 prevotes nil r7")) == []
    assert table.core.view().round == 0
    assert table.core.view().holding


def test_the_last_word_that_a_node_waits_for_lets_it_begin() -> None:
    """A status is kept by no rule, and is all that is missing."""
    table = Table()
    table.start(fresh=True)
    for line in ("transaction", "v1 decides h1", "v3 decides h1"):
        assert table.told(table.do(line)) == []
    assert table.told(table.do("v4 decides h1")) == ["wait propose"]


@pytest.mark.parametrize(("late_ms", "wait_ms"), [(199, 1), (200, None), (201, None)])
def test_the_interval_counts_from_the_last_proposal(late_ms: int, wait_ms: int | None) -> None:
    """Once it is over no timer runs."""
    table = Table()
    decided_first_height(table)
    table.now_ms = NOW_MS + late_ms
    table.do("A is committed by v1 v2 v4")
    delays = [e.delay_ms for e in table.effects if isinstance(e, DoSetTimer) and e.timer.kind is TimerKind.INTERVAL]
    assert delays == ([] if wait_ms is None else [wait_ms])


def test_the_view_names_the_highest_claim() -> None:
    """None where nobody is ahead."""
    table = Table()
    table.start()
    assert table.core.view().highest_claim == 0
    table.do("v1 decides h5")
    assert table.core.view().highest_claim == 5


# ---------------------------------------------------------------- rounds


@pytest.mark.parametrize(
    ("message", "looks"),
    [
        ("v1 prevotes A r0", False),
        ("v1 decides h1", False),
        ("v4 proposes A r0", False),
        ("transaction", False),
        ("v3 prevotes A r0", True),
    ],
)
def test_rules_are_looked_at_once_for_what_is_kept(message: str, looks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known, or what no rule speaks of, costs no look: it changed nothing."""
    table = Table()
    table.start()
    for line in ("v4 proposes A r0", "v1 prevotes A r0", "transaction"):
        table.do(line)
    driver, looked = table.core._height.driver, []
    advance = driver.advance
    monkeypatch.setattr(driver, "advance", lambda: looked.append(message) or advance())
    table.do(message)
    assert bool(looked) is looks


def test_a_rebroadcast_of_a_round_that_is_over_says_nothing() -> None:
    """Its timer runs on into the next round, which has one of its own."""
    table = Table()
    table.play("""
        start                      ->
        transaction                -> wait propose
        v1 prevotes nil r7         ->
        v3 prevotes nil r7         -> wait propose, request any r7 to v1
        timeout rebroadcast r0     ->
    """)
    assert "status h1 r7" in table.told(table.do("timeout rebroadcast r7"))


def test_a_block_that_was_forgotten_is_judged_again() -> None:
    """What the host said of it went with it; a proposal of a later round needs it anew."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v1 prevotes nil r7", "v3 prevotes nil r7"):
        table.do(line)
    assert table.told(table.do("v1 proposes A r7")) == ["validate A"]
    assert table.told(table.do("A is valid")) == ["prevote A r7", "wait prevote"]


def test_a_full_table_of_peers_serves_those_that_are_in_it() -> None:
    """A flood of identities costs new ones their work, not those that came before."""
    table = Table()
    table.start()
    height = table.core._height
    for number in range(_PEERS_MAX):
        assert afford(height, number.to_bytes(20, "big"), 1)
    assert not afford(height, b"one more", 1)
    assert afford(height, (7).to_bytes(20, "big"), 1)


# ---------------------------------------------------------------- early messages


def early(table: Table, by: int, signer: int, name: str = "nil", height: int = 2) -> list[str]:
    """A prevote of a height that has not begun."""
    return table.told(table.say(by, VotesMessage((table.vote(signer, PREVOTE, name, 0, height),))))


def test_early_votes_count_once_their_height_begins() -> None:
    """Those of the next height by its validators; of later heights and of strangers none."""
    table = Table()
    decided_first_height(table)
    early(table, 1, 1)
    early(table, 3, 3, height=3)
    early(table, 1, 9)
    table.do("A is committed by v1 v2 v4")
    assert table.core.view().prevotes == {address_of(1): None}


def test_early_votes_are_kept_at_every_height() -> None:
    """Not only for the second one."""
    table = Table()
    table.start()
    table._context = table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 2, 4)))
    table.do("A is committed by v1 v2 v4")
    assert table.core.height == 2
    early(table, 1, 1, height=3)
    early(table, 3, 3, height=4)
    assert [vote.height for vote in table.core._next.votes] == [3]


def test_our_own_early_vote_shows_another_self() -> None:
    """We have signed nothing there."""
    table = Table()
    decided_first_height(table)
    early(table, 1, 2)
    assert "alarm key_in_use" in table.told(table.do("A is committed by v1 v2 v4"))
    assert table.core.view().silence is not None


def test_others_early_votes_show_nothing_of_us() -> None:
    """Only a signature of our key is compared with what we signed."""
    table = Table()
    decided_first_height(table)
    early(table, 1, 1)
    assert "alarm key_in_use" not in table.told(table.do("A is committed by v1 v2 v4"))


def test_a_malformed_early_proposal_is_refused_at_once() -> None:
    """Here one whose block is of another height; who brought it is dropped now, not a height later."""
    table = Table()
    decided_first_height(table)
    message = table.proposal(1, "B", 0, height=2)
    assert table.told(table.say(1, message)) == ["report v1 for malformed"]


# ---------------------------------------------------------------- restarts


def test_a_sign_state_behind_the_log_is_recorded_first() -> None:
    """The log is written first; one that is level is not written again."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid"):
        table.do(line)
    table.do("restart")
    assert not [effect for effect in table.effects if isinstance(effect, DoRecordSignState)]
    signed, table.sign_state = table.sign_state, None
    table.do("restart")
    assert [effect.sign_state for effect in table.effects if isinstance(effect, DoRecordSignState)] == [signed]


def test_a_block_proposed_again_is_there_after_a_restart() -> None:
    """Its proposal stands in the log without the block, which an earlier record holds."""
    table = Table()
    table.play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes A r0           ->
        v4 prevotes A r0           -> precommit A r0
        v1 precommits nil r0       ->
        v3 precommits nil r0       -> wait precommit
        timeout precommit r0       -> wait propose
        v1 precommits nil r1       ->
        v3 precommits nil r1       ->
        timeout propose r1         -> prevote nil r1
        v4 precommits nil r1       -> wait precommit
        timeout precommit r1       -> wait propose, propose A r2 of r0, prevote A r2
    """)
    table.do("restart")
    assert table.core.view().round == 2
    assert table.core.view().proposal_received
