"""Scenarios of one validator, as transcripts: what happens -> what the core does.

Validator v2 of four; the proposers of rounds 0, 1, 2, 3 of height 1 are v4, v3, v2, v1.
"""

from alatau.consensus.effects import DoSetTimer
from alatau.consensus.inputs import TimerKind
from alatau.consensus.state_machine import Step
from tests.support.table import Table


def test_a_height_is_decided() -> None:
    """Proposal, prevotes, precommits, commit; three of four are enough."""
    Table().play("""
        start                              ->
        transaction                        -> wait propose
        v4 proposes A r0                   -> validate A
        A is valid                         -> prevote A r0
        v4 prevotes A r0                   ->
        v1 prevotes A r0                   -> precommit A r0
        v4 precommits A r0                 ->
        v1 precommits A r0                 -> commit A r0 by 3
        A is committed by v1 v2 v4         ->
    """)


def test_a_lone_validator_decides_alone() -> None:
    """One of one: the block is built and decided in a single step."""
    table = Table(count=1, me=1)
    table.play("""
        start                  ->
        transaction            -> wait propose, build r0
        A is built r0          -> propose A r0, prevote A r0, precommit A r0, commit A r0 by 1
        A is committed by v1   ->
    """)


def test_without_a_proposal_the_round_ends_in_nil() -> None:
    """A dead proposer costs the propose timeout and the precommit timeout, then the next has its turn."""
    Table().play("""
        start                      ->
        transaction                -> wait propose
        timeout propose r0         -> prevote nil r0
        v1 prevotes nil r0         ->
        v3 prevotes nil r0         -> precommit nil r0
        v1 precommits nil r0       ->
        v3 precommits nil r0       -> wait precommit
        timeout precommit r0       -> wait propose
        v3 proposes B r1           -> validate B
        B is valid                 -> prevote B r1
    """)


def test_a_block_that_is_not_checked_in_time_costs_a_round() -> None:
    """It gets nil when the propose timeout is over, and checking goes on.

    Proposed again once it is checked, it gets its vote at once and is not checked twice; a decision is taken, too.
    """
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        timeout propose r0         -> prevote nil r0
        v1 prevotes nil r0         ->
        v3 prevotes nil r0         -> precommit nil r0
        v1 precommits nil r0       ->
        v3 precommits nil r0       -> wait precommit
        timeout precommit r0       -> wait propose
        A is valid                 ->
        v3 proposes A r1           -> prevote A r1
        v1 prevotes A r1           ->
        v3 prevotes A r1           -> precommit A r1
    """)


def test_nobody_votes_late_for_what_it_has_not_checked() -> None:
    """Others prevote and decide a heavy block while it is still checked here: it is committed once it is known good."""
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        v1 prevotes A r0           ->
        v3 prevotes A r0           ->
        timeout propose r0         -> prevote nil r0, wait prevote
        v4 prevotes A r0           ->
        timeout prevote r0         -> precommit nil r0
        v1 precommits A r0         ->
        v3 precommits A r0         -> wait precommit
        v4 precommits A r0         ->
        A is valid                 -> commit A r0 by 3
    """)


def test_a_lock_is_kept_and_proposed_again() -> None:
    """L23: locked on A, a new block B gets nil. L16: on our turn the valid block goes out again, with its round."""
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes A r0           ->
        v4 prevotes A r0           -> precommit A r0
        v1 precommits nil r0       ->
        v3 precommits nil r0       -> wait precommit
        timeout precommit r0       -> wait propose
        v3 proposes B r1           -> validate B
        B is valid                 -> prevote nil r1
        v1 prevotes nil r1         ->
        v3 prevotes B r1           -> wait prevote
        timeout prevote r1         -> precommit nil r1
        v1 precommits nil r1       ->
        v3 precommits nil r1       -> wait precommit
        timeout precommit r1       -> wait propose, propose A r2 of r0, prevote A r2
    """)


def test_a_later_polka_moves_the_lock() -> None:
    """L36 of a later round: the quorum chose B, so do we, lock or not."""
    table = Table()
    table.play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes A r0           ->
        v4 prevotes A r0           -> precommit A r0
        v1 prevotes B r1           ->
        v3 prevotes B r1           -> wait propose, request any r1 to v3
        v3 proposes B r1           -> validate B
        B is valid                 -> prevote nil r1, wait prevote
        v4 prevotes B r1           -> precommit B r1
    """)
    assert table.core.view().locked_round == 1


def test_a_decision_of_a_past_round_is_taken() -> None:
    """L49: precommits never expire; what a later round is doing does not matter."""
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes nil r0         ->
        v3 prevotes nil r0         -> wait prevote
        timeout prevote r0         -> precommit nil r0
        v1 precommits nil r0       ->
        v3 precommits A r0         -> wait precommit
        timeout precommit r0       -> wait propose
        v3 proposes B r1           -> validate B
        v4 precommits A r0         ->
        v1 precommits A r0         -> evidence against v1, commit A r0 by 3
    """)


def test_later_rounds_of_a_third_are_joined() -> None:
    """L55: f+1 of a later round hold a correct validator; ask its proposer for what we missed."""
    Table().play("""
        start                      ->
        transaction                -> wait propose
        v1 prevotes nil r7         ->
        v3 prevotes nil r7         -> wait propose, request any r7 to v1
    """)


def test_a_decided_block_that_is_invalid_here_stops_the_node() -> None:
    """Going on would contradict the network: after that nothing is done any more."""
    Table().play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is invalid               -> prevote nil r0
        v1 precommits A r0         ->
        v3 precommits A r0         ->
        v4 precommits A r0         -> wait precommit, halt
        transaction                ->
        v1 connects                ->
    """)


def test_a_restart_says_the_same_again() -> None:
    """The log gives back the vote with its lock; the sign state agrees; nothing is signed anew."""
    table = Table()
    table.play("""
        start                      ->
        v4 proposes A r0           -> wait propose, validate A
        A is valid                 -> prevote A r0
        v1 prevotes A r0           ->
        v4 prevotes A r0           -> precommit A r0
    """)
    signed = table.sign_state
    told = table.told(table.do("restart"))
    assert told == [
        "prevote A r0", "precommit A r0", "v1's prevote A r0", "v4's prevote A r0", "status h1 r0", "validate A",
    ]  # fmt: skip
    assert table.sign_state == signed
    assert table.core.view().locked_round == 0
    assert table.core.view().step is Step.PRECOMMIT


def test_the_first_transaction_wakes_the_proposer_after_the_interval() -> None:
    """Not sooner than the block interval after the last block, and no timer but two while idle."""
    table = Table(me=3, verbose=True)
    table.start()
    table.do("v4 proposes A r0")
    for line in ("A is valid", "v1 prevotes A r0", "v4 prevotes A r0", "v1 precommits A r0"):
        table.do(line)
    table.now_ms += 50
    table.do("v4 precommits A r0")
    assert table.told(table.do("A is committed by v1 v3 v4")) == ["wait interval", "wait heartbeat"]
    [delay] = [e.delay_ms for e in table.effects if isinstance(e, DoSetTimer) and e.timer.kind is TimerKind.INTERVAL]
    assert delay == 150
    assert all(effect.timer.round == 0 for effect in table.effects if isinstance(effect, DoSetTimer))
    assert table.told(table.do("transaction")) == []
    assert table.told(table.do("timeout interval")) == ["wait rebroadcast", "wait propose", "build r0"]


def test_an_idle_network_makes_a_block_at_the_heartbeat() -> None:
    """Empty blocks only then."""
    table = Table(me=4)
    table.play("""
        start                      ->
        timeout interval           ->
        timeout heartbeat          -> wait propose, build r0
    """)
