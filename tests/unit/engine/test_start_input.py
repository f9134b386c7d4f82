"""What consensus begins with: whether the disks are empty, and whether the sign state is as new as the chain."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alatau.chain.executed import ExecutedBlock
from alatau.chain.genesis import make_genesis
from alatau.consensus.inputs import InStart
from alatau.consensus.records import OwnVoteRecord, SignState, SignStep
from alatau.engine.chain_view import ChainView, open_chain_view
from alatau.engine.journal import Journal, open_journal
from alatau.engine.start_input import is_fresh, start_input
from alatau.storage.store import Store
from alatau.types.chain_config import ConsensusParameters
from alatau.types.genesis import genesis_validator_set
from alatau.types.vote import Vote, VoteKind
from tests.support.grown_chain import grow
from tests.support.small_network import VALIDATORS, small_genesis

DEPTH = 4
GENESIS = small_genesis(consensus=ConsensusParameters(absent_commits=DEPTH))
WITHOUT_THE_THIRD = (VALIDATORS[0], VALIDATORS[1], VALIDATORS[3])
VOTE = Vote(VoteKind.PREVOTE, 1, 0, b"\x01" * 32, b"\x02" * 20, b"\x03" * 65)


@pytest.fixture
def view(tmp_path: Path) -> Iterator[ChainView]:
    """A chain at genesis; absence is judged by four commits."""
    made = make_genesis(GENESIS)
    store = Store.open(tmp_path / "data")
    store.init_genesis(ExecutedBlock(made.block, (), (), made.diff, made.trie))
    yield open_chain_view(GENESIS.config, store, genesis_validator_set(GENESIS))
    store.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Nothing was logged or signed yet."""
    journal, _ = open_journal(tmp_path / "wal", tmp_path / "sign.json")
    yield journal
    journal.close()


def begun(view: ChainView, journal: Journal, number: int | None) -> InStart:
    """What the validator of this number, or an observer, begins with."""
    return start_input(view, journal, (), None if number is None else VALIDATORS[number].address)


def precommitted(journal: Journal, height: int) -> None:
    """The sign state stands at the precommit of a height's first round."""
    journal.record_sign_state(SignState(height, 0, SignStep.PRECOMMIT, b"\x04" * 32))


def test_disks_are_empty_where_nothing_is_on_them(view: ChainView, journal: Journal) -> None:
    """A log, a sign state or a block: whoever has one of them has a past."""
    assert is_fresh(view, journal, ())
    assert begun(view, journal, 0).fresh
    assert not is_fresh(view, journal, (OwnVoteRecord(VOTE, -1, None, -1, None),))
    precommitted(journal, 1)
    assert not is_fresh(view, journal, ())
    assert not begun(view, journal, 0).fresh


def test_a_chain_is_a_past(view: ChainView, journal: Journal) -> None:
    """Also without a log and a sign state: of an observer that becomes a validator."""
    grow(GENESIS, view, 1)
    assert not is_fresh(view, journal, ())


def test_consensus_begins_with_what_is_on_disk(view: ChainView, journal: Journal) -> None:
    """The height after the tip, the log in its order, the sign state."""
    grow(GENESIS, view, 2)
    precommitted(journal, 3)
    records = (OwnVoteRecord(VOTE, -1, None, -1, None),)
    begins = start_input(view, journal, records, VALIDATORS[0].address)
    assert begins.context == view.context(transactions_waiting=False)
    assert not begins.context.transactions_waiting
    assert begins.context.height == 3
    assert begins.records == records
    assert begins.sign_state == journal.sign_state.last


def test_at_genesis_every_validator_may_sign_and_no_observer(view: ChainView, journal: Journal) -> None:
    """Nobody has signed anything."""
    assert begun(view, journal, 0).may_sign
    assert not begun(view, journal, None).may_sign


@pytest.mark.parametrize(("signed", "may_sign"), [(None, False), (2, False), (3, True), (4, True)])
def test_a_sign_state_older_than_the_chain_keeps_silent(
    view: ChainView, journal: Journal, signed: int | None, *, may_sign: bool
) -> None:
    """The tip's commit holds our signature of height 3: a file that does not know it is an old one, or none."""
    grow(GENESIS, view, 3)
    if signed is not None:
        precommitted(journal, signed)
    assert begun(view, journal, 0).may_sign is may_sign
    assert begun(view, journal, 3).may_sign, "it signed no block of this chain"


@pytest.mark.parametrize(("later", "may_sign"), [(0, False), (1, False), (2, False), (3, False), (4, True)])
def test_our_last_signature_is_looked_for_in_the_last_commits(
    view: ChainView, journal: Journal, later: int, *, may_sign: bool
) -> None:
    """As many as say who is absent: whoever was away for longer may sign with a new file."""
    grow(GENESIS, view, 1)
    grow(GENESIS, view, later, WITHOUT_THE_THIRD)
    assert begun(view, journal, 2).may_sign is may_sign


def test_the_newest_of_our_signatures_is_the_one_that_counts(view: ChainView, journal: Journal) -> None:
    """The file knows it, so it knows those before."""
    grow(GENESIS, view, 2)
    grow(GENESIS, view, 1, WITHOUT_THE_THIRD)
    precommitted(journal, 2)
    assert begun(view, journal, 2).may_sign
