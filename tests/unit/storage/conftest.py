"""A store with some blocks in it, made once for each test that asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alatau.storage.store import Store
from alatau_devnet.synthetic_chain import SyntheticChain
from tests.support.ledger import SEED, Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Genesis and eleven blocks."""
    filled = Ledger(Store.open(tmp_path / "data"), SyntheticChain(SEED))
    filled.grow(12)
    yield filled
    filled.store.close()
