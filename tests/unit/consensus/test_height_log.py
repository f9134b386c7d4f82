"""What a validator writes to the log of a height, and what is left when it is written anew.

Validator v2 of four, if nothing else is said; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

import pytest

from alatau.consensus.height import LOG_BYTES
from alatau.consensus.records import OwnProposalRecord, OwnVoteRecord, ProposalRecord, VoteRecord
from alatau.consensus.voting import _OWN_BLOCKS_BYTES_MAX, _VOTE_BYTES
from alatau.types.block import block_size
from alatau.types.vote import VoteKind
from tests.simulation.chain import address_of
from tests.support.table import Table

PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT

LOCKED = ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0")
FAILED = ("v1 precommits nil r0", "v3 precommits nil r0", "timeout precommit r0")


def after(*lines: str, me: int = 2) -> Table:
    """A table at which this has happened."""
    table = Table(me=me)
    for line in lines:
        table.do(line)
    return table


def logged(table: Table) -> list[str]:
    """The log in words: P for a proposal with its block, O for our own without, votes with their signer."""
    words = []
    for record in table.log:
        match record:
            case ProposalRecord(message):
                words.append(f"P{message.proposal.round}")
            case OwnProposalRecord(proposal):
                words.append(f"O{proposal.round}")
            case OwnVoteRecord(vote):
                words.append(f"our {vote.kind.name.lower()} {vote.round}")
            case VoteRecord(vote):
                words.append(f"v{vote.validator[-1]} {vote.kind.name.lower()} {vote.round}")
    return words


# ---------------------------------------------------------------- what is worth a write


def test_a_lock_is_logged_with_what_it_rests_on() -> None:
    """The block and others' prevotes before our precommit; our own prevote is there already."""
    assert logged(after(*LOCKED)) == ["our prevote 0", "P0", "v1 prevote 0", "v4 prevote 0", "our precommit 0"]


def test_why_a_later_round_was_entered_is_logged_and_for_the_first_nothing() -> None:
    """Nobody has to be let into round 0, whoever voted in it before; our own precommit is there already."""
    table = after("start", "v1 prevotes nil r0")
    assert table.core.view().prevotes == {address_of(1): None}
    assert logged(table) == []
    table = after("start", "transaction", "timeout propose r0", "v1 prevotes nil r0", "v3 prevotes nil r0")
    for line in FAILED:
        table.do(line)
    assert logged(table) == ["our prevote 0", "our precommit 0", "v1 precommit 0", "v3 precommit 0"]


def test_a_block_is_logged_once() -> None:
    """Locked again in a later round, or proposed again by us, it stands in the log already."""
    table = after(*LOCKED, *FAILED, "v3 reproposes A r1 of r0", "v1 prevotes A r1", "v3 prevotes A r1")
    assert table.core.view().locked_round == 1
    assert [word for word in logged(table) if word[0] in "PO"] == ["P0"]
    for line in ("v1 precommits nil r1", "v3 precommits nil r1", "timeout precommit r1"):
        table.do(line)
    assert [word for word in logged(table) if word[0] in "PO"] == ["P0", "O2"]


@pytest.mark.parametrize(("more", "record"), [(0, ProposalRecord), (1, OwnProposalRecord)])
def test_our_own_blocks_are_logged_up_to_a_bound(more: int, record: type) -> None:
    """Beyond it a proposal is only noted: it is known as ours after a crash, and costs its round."""
    table = after("start", "transaction", me=4)
    table.core._height.logged_bytes = _OWN_BLOCKS_BYTES_MAX - block_size(table.blocks["A"]) + more
    table.do("A is built r0")
    assert [type(r) for r in table.log if not isinstance(r, OwnVoteRecord)] == [record]


def test_our_own_proposal_comes_back_timely() -> None:
    """The crash came before the prevote; an hour later it is still what we proposed in time."""
    table = after("start", "transaction", "A is built r0", me=4)
    table.log[:] = table.log[:1]
    table.sign_state = None
    table.now_ms += 3_600_000
    table.do("restart")
    assert table.told(table.do("A is valid")) == ["prevote A r0"]


# ---------------------------------------------------------------- written anew


def test_a_log_written_anew_holds_what_a_restart_needs() -> None:
    """The block that we are locked on, its polka, why the round was entered, and all that we signed."""
    table = after(*LOCKED)
    table.core._height.rewrite_at_bytes = 0
    for line in FAILED:
        table.do(line)
    assert logged(table) == [
        "P0", "v1 prevote 0", "v4 prevote 0", "v1 precommit 0", "v3 precommit 0", "our prevote 0", "our precommit 0",
    ]  # fmt: skip
    table.do("restart")
    view = table.core.view()
    assert (view.round, view.locked_round) == (0, 0)
    assert table.core._height.driver.proposals.block(table.blocks["A"].hash) == table.blocks["A"]


def test_a_log_is_written_anew_only_beyond_its_length() -> None:
    """As long as that it stays; the next time it may be longer by twice what was left."""
    for more, first in ((0, "our prevote 0"), (-1, "P0")):
        table = after(*LOCKED, "v1 precommits nil r0", "v3 precommits nil r0")
        height = table.core._height
        entry = 2 * _VOTE_BYTES
        height.rewrite_at_bytes = height.logged_bytes + entry + more
        table.do("timeout precommit r0")
        assert logged(table)[0] == first
    held = 7 * _VOTE_BYTES + block_size(table.blocks["A"])
    assert height.logged_bytes == held
    assert height.rewrite_at_bytes == LOG_BYTES + 2 * held


def test_a_proposal_is_measured_with_its_proof() -> None:
    """The votes of a proof of lock are as long as others."""
    table = after("start", "v1 prevotes nil r1", "v3 prevotes nil r1", "timeout propose r1")
    before = table.core._height.logged_bytes
    for line in ("v3 reproposes A r1 of r0", "A is valid", "v1 prevotes A r1", "v4 prevotes A r1", "v3 prevotes A r1"):
        table.do(line)
    new = logged(table)[-4:]
    assert new == ["P1", "v1 prevote 1", "v3 prevote 1", "v4 prevote 1"]
    votes = 3 + 1 + 3
    assert table.core._height.logged_bytes == before + votes * _VOTE_BYTES + block_size(table.blocks["A"])
