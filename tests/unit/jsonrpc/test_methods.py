"""The methods that the page names are those that are served."""

import re
from pathlib import Path

import pytest

from alatau.jsonrpc.methods import methods_of
from alatau.rpc.services import Api
from tests.support.solo_node import SoloNode

PAGE = Path(__file__).parents[3] / "docs" / "jsonrpc.md"


@pytest.mark.trio
async def test_the_page_has_every_method(node: SoloNode) -> None:
    """And no other."""
    table = PAGE.read_text().partition("## Methods")[2]
    named = re.findall(r"`((?:eth|net|web3|debug|txpool|alatau|ots)_\w+)`", table)
    assert len(named) == len(set(named))
    over_sockets = {"eth_subscribe", "eth_unsubscribe"}
    assert set(named) == set(methods_of(Api(node).parts)) | over_sockets
