"""What one peer can make this node do: checks of signatures are counted, and what is over the share is left undone.

Validator v2 of four; the proposers of rounds 0 to 3 of height 1 are v4, v3, v2, v1.
"""

from dataclasses import replace

import pytest

from alatau.consensus.height import _WORK_BASE, afford, work_share
from alatau.consensus.message_checks import VOTES_PER_VALIDATOR_MAX
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.consensus.receiving import cost_of
from alatau.trie.ordered import ordered_root
from alatau.types.block import Block
from alatau.types.vote import VoteKind
from tests.simulation.chain import address_of, equal_validators, payment
from tests.support.table import Table

PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


def spend(table: Table, peer: int, *, left: int) -> None:
    """A peer has caused work already; so many checks are left to it."""
    height = table.core._height
    spent = height.work.get(address_of(peer), 0)
    assert afford(height, address_of(peer), work_share(table.validators) - left - spent)


def began(table: Table) -> Table:
    """Round 0 runs."""
    for line in ("start", "transaction"):
        table.do(line)
    return table


def second_height(table: Table) -> Table:
    """Height 1 is decided and committed by v1, v2 and v4; v3 was slow."""
    table.start()
    for line in ("v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0", "v1 precommits A r0"):
        table.do(line)
    for line in ("v4 precommits A r0", "A is committed by v1 v2 v4"):
        table.do(line)
    return table


def with_transactions(table: Table, by: int, count: int) -> ProposalMessage:
    """A proposal of round 0 whose block has so many transactions."""
    transactions = tuple(payment(7, nonce) for nonce in range(count))
    root = ordered_root([tx.encoded for tx in transactions])
    block = Block(replace(table.blocks["A"].header, transactions_root=root), transactions, None)
    return table.signed(table.proposal(by, "A", 0, block_hash=block.hash).proposal, block)


# ---------------------------------------------------------------- the share


@pytest.mark.parametrize("count", [4, 7])
def test_a_share_covers_every_validators_votes_and_some_more(count: int) -> None:
    """A message with all votes that there can be is never too much; the last check of the share is still done."""
    table = began(Table(count=count))
    share = work_share(equal_validators(count))
    assert share == _WORK_BASE + VOTES_PER_VALIDATOR_MAX * count
    assert not afford(table.core._height, b"peer", share + 1)
    assert afford(table.core._height, b"peer", share)
    assert not afford(table.core._height, b"peer", 1)


@pytest.mark.parametrize("line", ["v3 precommits nil r0", "timeout rebroadcast r0"])
def test_the_share_is_whole_again_with_the_next_round_and_rebroadcast(line: str) -> None:
    """Whoever sent too much is heard again."""
    table = began(Table())
    for before in ("timeout propose r0", "v3 prevotes nil r0", "v4 prevotes nil r0", "v4 precommits nil r0"):
        table.do(before)
    spend(table, 1, left=0)
    table.do("v1 prevotes nil r1")
    assert table.core._height.driver.votes.votes_of(address_of(1), 1) == ()
    table.do(line)
    if line.startswith("v3"):
        table.do("timeout precommit r0")
    table.do("v1 prevotes nil r1")
    assert table.core._height.driver.votes.votes_of(address_of(1), 1) == (table.vote(1, PREVOTE, "nil", 1),)


# ---------------------------------------------------------------- votes


def test_a_vote_costs_one_check() -> None:
    """The last one of a share counts, the next does not, whoever signed them."""
    table = began(Table())
    spend(table, 1, left=1)
    for signer in (3, 4):
        table.say(1, VotesMessage((table.vote(signer, PREVOTE, "nil", 0),)))
    assert set(table.core.view().prevotes) == {address_of(3)}


def test_a_vote_that_is_known_costs_nothing() -> None:
    """Repeating is what nodes do all the time."""
    table = began(Table())
    table.do("v1 prevotes nil r0")
    spend(table, 1, left=1)
    for _ in range(9):
        table.do("v1 prevotes nil r0")
    table.do("v1 precommits nil r0")
    assert set(table.core.view().precommits) == {address_of(1)}


def test_known_votes_of_a_quorum_cost_nothing() -> None:
    """A polka is shown again with each rebroadcast, by everybody."""
    table = began(Table())
    polka = VotesMessage(tuple(table.vote(n, PREVOTE, "A", 0) for n in (1, 3, 4)))
    table.say(1, polka)
    spend(table, 3, left=1)
    table.say(3, polka, VotesMessage((table.vote(3, PRECOMMIT, "nil", 0),)))
    assert set(table.core.view().precommits) == {address_of(3)}


def test_a_group_of_votes_is_taken_whole_or_not_at_all() -> None:
    """Three votes for one block where two checks are left."""
    table = began(Table())
    spend(table, 1, left=2)
    table.say(1, VotesMessage(tuple(table.vote(n, PREVOTE, "A", 0) for n in (1, 3, 4))))
    assert table.core.view().prevotes == {}


def test_an_early_vote_costs_one_check() -> None:
    """Votes of the next height as those of this one."""
    table = began(Table())
    spend(table, 1, left=1)
    for signer in (3, 4):
        table.say(1, VotesMessage((table.vote(signer, PREVOTE, "nil", 0, height=2),)))
    assert [vote.validator for vote in table.core._next.votes] == [address_of(3)]


def test_a_late_precommit_costs_one_check() -> None:
    """It is left out of the commit where nothing is left, and taken where one check is."""
    for left, carried in ((1, 4), (0, 3)):
        table = second_height(Table())
        spend(table, 3, left=left)
        table.do("v3 precommits A r0")
        commit = table.core._height.last.commit
        assert commit is not None
        assert len(commit.signatures) == carried


def test_a_contradiction_of_the_last_height_costs_one_check() -> None:
    """It is reported where one check is left, and not looked at where none is."""
    for left, told in ((1, ["evidence against v1"]), (0, [])):
        table = second_height(Table())
        spend(table, 3, left=left)
        assert table.told(table.say(3, VotesMessage((table.vote(1, PRECOMMIT, "nil", 0),)))) == told


# ---------------------------------------------------------------- proposals


def test_a_proposal_costs_its_signature_and_a_tenth_of_its_transactions() -> None:
    """Their root is what takes time: ten as long as a signature."""
    table = Table()
    assert [cost_of(with_transactions(table, 4, count)) for count in (0, 9, 10, 19, 20)] == [1, 1, 2, 2, 3]


def test_a_proposal_beyond_the_share_is_not_looked_at() -> None:
    """Neither kept nor held against its sender; another peer may bring it."""
    table = began(Table())
    message = with_transactions(table, 4, 10)
    spend(table, 1, left=1)
    assert table.say(1, message) == []
    assert not table.core.view().proposal_received
    spend(table, 3, left=2)
    table.say(3, message)
    assert table.core.view().proposal_received


def test_a_proposal_without_work_for_its_proof_is_not_kept() -> None:
    """It would stand in the way of the right copy, which another peer brings."""
    table = began(Table())
    for line in ("v1 prevotes nil r1", "v4 prevotes nil r1"):
        table.do(line)
    assert table.core.view().round == 1
    message = table.proposal(3, "A", 1, 0)
    spend(table, 1, left=3)
    table.say(1, message)
    assert not table.core.view().proposal_received
    spend(table, 3, left=4)
    table.say(3, message)
    assert table.core.view().proposal_received
