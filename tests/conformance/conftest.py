"""What several of the published suites run through."""

from collections.abc import Iterator

import pytest

from tests.support.p256_contract import P256Contract, deployed_p256_contract


@pytest.fixture(scope="module")
def p256_contract() -> Iterator[P256Contract]:
    """The contracts' module for P-256 accounts."""
    with deployed_p256_contract() as contract:
        yield contract
