"""What the services are told of validators, and of a node that reaches none."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from alatau.app.node_view import NodeView
from alatau.p2p.member import Member, PeerInfo
from alatau.storage.errors import HistoryPrunedError
from alatau.types.chain_config import ChainConfig, SystemContracts
from alatau.types.validator import Validator, validator_set
from tests.support.round_view import DIGITAL, FINANCE, VALIDATORS
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

    monkeypatch.setattr("alatau.app.node_view.genesis_validator_set", lambda _: node.founders)
    monkeypatch.setattr("alatau.engine.chain_view.tip_of", pruned)
    assert view.validators(1) is None
    node.store.keep_validators(node.founders)
    assert view.validators(1) == node.founders
    assert view.validators(0) == node.founders
    assert view.validators(9) is None
    node.store.keep_validators(validator_set([Validator(b"\x02" * 20, 1, bytes(32), "", "")]))
    assert view.validators(2) == node.founders
    node.store.close()


@dataclass
class _Network:
    """What the question reads of the peers."""

    sessions: tuple[bytes, ...] = ()
    keeps_us_out: str = ""
    alone: float = 0.0

    def connected(self) -> tuple[bytes, ...]:
        return self.sessions

    def alone_s(self) -> float:
        return self.alone

    def peers(self) -> tuple[PeerInfo, ...]:
        member = Member(bytes(32), None, DIGITAL, "", "Digital")
        return (PeerInfo(member, bool(self.sessions), False, 0, 0, None, "", "", self.keeps_us_out),)


@dataclass
class _Seen:
    """A node's view, in part."""

    network: _Network
    validator: bytes | None = FINANCE
    validators: Any = VALIDATORS
    chain: Any = field(init=False)

    def __post_init__(self) -> None:
        self.chain = SimpleNamespace(height=9, validators={10: self.validators})

    def _kept_out_by(self) -> dict[str, str]:
        return NodeView._kept_out_by(cast("NodeView", self))


def _cut_off(network: _Network, **changes: Any) -> str | None:
    return NodeView.cut_off(cast("NodeView", _Seen(network, **changes)))


def test_a_node_that_is_banned_and_has_no_peer_is_cut_off_at_once() -> None:
    """It says who keeps it out; with one peer left, what is submitted reaches the others through that one."""
    assert "Digital keeps this node out" in (_cut_off(_Network(keeps_us_out="BAD_TRANSACTION")) or "")
    assert _cut_off(_Network(sessions=(DIGITAL,), keeps_us_out="BAD_TRANSACTION")) is None


def test_a_node_without_peers_is_cut_off_once_dialling_has_had_its_time() -> None:
    """A start, and a peer that comes back, do not turn clients away; an observer is treated no better."""
    assert _cut_off(_Network(alone=9.0)) is None
    assert _cut_off(_Network(alone=61.0)) == "This node has had no peer for 61 s."
    assert _cut_off(_Network(alone=61.0), validator=None) == "This node has had no peer for 61 s."


def test_a_validator_that_decides_alone_needs_nobody() -> None:
    """A network of one."""
    own = SimpleNamespace(validators=(VALIDATORS.by_address[FINANCE],))
    assert _cut_off(_Network(alone=61.0), validators=own) is None
