"""A validator that lost its sign state, as its operator lets it sign again."""

from pathlib import Path

import pytest

from alatau.app.home import Home
from alatau.app.resume_signing import MARGIN, ResumeSigningError, plan_resumption, resume_signing
from alatau.consensus.records import SignState, SignStep
from alatau.consensus.signing import Silence
from alatau.storage.sign_state import SignStateFile
from alatau.storage.store import Store
from alatau_devnet.synthetic_chain import SyntheticChain
from tests.support.table import Table


def with_chain(folder: Path, blocks: int) -> Home:
    """A home whose chain has some blocks."""
    home, chain = Home(folder), SyntheticChain(3)
    store = Store.open(home.database)
    store.init_genesis(chain.genesis())
    for _ in range(blocks):
        store.commit(*chain.next())
    store.close()
    return home


def test_the_new_sign_state_stands_above_all_that_is_known(tmp_path: Path) -> None:
    """Above the network's height, the chain's and the old file's; the old file is kept."""
    home = with_chain(tmp_path, 3)
    SignStateFile.open(home.sign_state).record(SignState(900, 1, SignStep.PREVOTE, bytes(32)))
    old = home.sign_state.read_bytes()
    assert plan_resumption(home, 1_000).silent_through == 1_000 + MARGIN
    planned = plan_resumption(home, 3)
    assert (planned.chain_height, planned.silent_through) == (3, 900 + MARGIN)
    aside = resume_signing(planned)
    assert aside is not None
    assert aside.read_bytes() == old
    last = SignStateFile.open(home.sign_state).last
    assert last is not None
    assert (last.height, last.step) == (900 + MARGIN, SignStep.PRECOMMIT)


def test_a_lost_or_damaged_file_is_replaced(tmp_path: Path) -> None:
    """There is nothing to keep, or what there is says nothing."""
    home = with_chain(tmp_path, 0)
    assert resume_signing(plan_resumption(home, 10)) is None
    home.sign_state.write_bytes(b"{")
    aside = resume_signing(plan_resumption(home, 10))
    assert aside is not None
    assert aside.read_bytes() == b"{"
    last = SignStateFile.open(home.sign_state).last
    assert last is not None
    assert last.height == 10 + MARGIN


def test_a_height_below_the_own_chain_is_refused(tmp_path: Path) -> None:
    """Then it is not the network's of now; nothing is written."""
    home = with_chain(tmp_path, 3)
    with pytest.raises(ResumeSigningError, match="at height 3, above 2"):
        plan_resumption(home, 2)
    assert not home.sign_state.exists()


def test_the_core_keeps_silent_below_it_and_says_until_when(tmp_path: Path) -> None:
    """The file as it is written, given to the real core: silent at height 1, and told when it ends."""
    home = with_chain(tmp_path, 0)
    resume_signing(plan_resumption(home, 0))
    table = Table()
    table.sign_state = SignStateFile.open(home.sign_state).last
    table.start()
    view = table.core.view()
    assert (view.silence, view.silent_until, view.may_sign) == (Silence.LOG_LOST, MARGIN + 1, False)
    guard = table.core._ctx.guard
    guard.begin(MARGIN + 1)
    assert guard.may_sign(MARGIN + 1)
