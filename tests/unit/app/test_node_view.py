"""What the services are told of validators."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from alatau.app.node_view import NodeView
from alatau.storage.errors import HistoryPrunedError
from alatau.types.chain_config import ChainConfig, SystemContracts
from alatau.types.validator import Validator, validator_set
from tests.support.solo_node import solo_node


def test_a_set_whose_state_is_pruned_is_found_by_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the store kept it; another is not made up."""
    node = solo_node(tmp_path)
    for _ in range(3):
        node.commit_block()
    config = ChainConfig(1, "test", system=SystemContracts(validator_registry=b"\x01" * 20))
    chain = SimpleNamespace(store=node.store, validators={}, height=3)
    view = NodeView(
        *cast("tuple[Any, ...]", (SimpleNamespace(config=config), chain, *([None] * 8)))  # no service asks the others
    )

    def pruned(*_: object) -> None:
        raise HistoryPrunedError(1, 2, 3)

    monkeypatch.setattr("alatau.app.node_view.tip_of", pruned)
    assert view.validators(1) is None
    node.store.keep_validators(node.founders)
    assert view.validators(1) == node.founders
    assert view.validators(0) == node.founders
    assert view.validators(9) is None
    node.store.keep_validators(validator_set([Validator(b"\x02" * 20, 1, bytes(32), "", "")]))
    assert view.validators(2) == node.founders
    node.store.close()
