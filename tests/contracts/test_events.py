"""What each call logs: measured, and compared with the page of the documentation."""

import pytest

from tests.contracts.roles.events import PAGE, page, said
from tests.contracts.roles.matrix import CONTRACTS
from tests.contracts.world import World


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_page_is_what_the_contracts_log(world: World, contract: str) -> None:
    """An event that is gone, comes twice, or says nothing in a field is seen; `make roles` writes the page anew."""
    wanted = PAGE.read_text().partition(f"## {contract}\n")[2].partition("\n## ")[0].strip()
    now_ = page({contract: said(world, contract)}).partition(f"## {contract}\n")[2].strip()
    assert wanted == now_
