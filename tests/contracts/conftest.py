"""One world for all contract tests; each test starts from it and leaves it as it was."""

from collections.abc import Iterator

import boa
import pytest

from tests.contracts.world import World, build_world


@pytest.fixture(scope="session")
def genesis_world() -> World:
    """The contracts of genesis, built once."""
    return build_world()


@pytest.fixture
def world(genesis_world: World) -> Iterator[World]:
    """The contracts of genesis; whatever a test does to the chain is undone after it."""
    with boa.env.anchor():
        yield genesis_world
