"""A node for each test, on a disk of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.solo_node import SoloNode, solo_node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[SoloNode]:
    """A network at genesis."""
    made = solo_node(tmp_path)
    yield made
    made.store.close()
