"""When ``/readyz`` sends clients elsewhere."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from alatau.app.node_metrics import _silent, why_unready
from alatau.consensus.signing import Silence
from alatau.consensus.view import RoundView
from alatau.rpc.node import Node, NodeStatus, PeerView, SyncState
from alatau.types.chain_config import ChainConfig
from alatau.types.validator import ValidatorSet
from tests.support.round_view import DIGITAL, HEALTH, JUSTICE, SYNCED, TIMING, VALIDATORS, VIEW


@dataclass
class _Tip:
    number: int = 9


@dataclass
class _Store:
    tip: _Tip = field(default_factory=_Tip)


@dataclass
class _Node:
    """What the question reads of a node."""

    view: RoundView | None = VIEW
    now: NodeStatus = SYNCED
    why_cut_off: str | None = None
    others: tuple[bytes, ...] = (DIGITAL, JUSTICE, HEALTH)
    store: Any = field(default_factory=_Store)
    config: ChainConfig = field(default_factory=lambda: ChainConfig(chain_id=1, name="test", consensus=TIMING))

    def status(self) -> NodeStatus:
        return self.now

    def round_view(self) -> RoundView | None:
        return self.view

    def cut_off(self) -> str | None:
        return self.why_cut_off

    def validators(self, height: int) -> ValidatorSet | None:
        return VALIDATORS if height == self.store.tip.number + 1 else None

    def peers(self) -> list[PeerView]:
        return [PeerView(id_, "", "127.0.0.1:1", True, True, 9, 0, 0) for id_ in self.others]


def _asked(**changes: Any) -> str | None:
    return why_unready(cast("Node", _Node(**changes)))


def test_a_node_at_the_tip_of_a_moving_network_is_ready() -> None:
    """Also with one of four away, and as an observer that takes no part."""
    assert _asked() is None
    assert _asked(others=(DIGITAL, JUSTICE)) is None
    assert _asked(view=None) is None


def test_a_node_that_reaches_nobody_is_unready_with_its_reason() -> None:
    """Also an observer that takes no part: what is submitted to it would wait there."""
    for view in (VIEW, None):
        assert _asked(view=view, why_cut_off="Finance keeps this node out") == "Finance keeps this node out"


def test_an_idle_network_is_ready() -> None:
    """Nothing waits, and the heartbeat is not over."""
    assert _asked(now=replace(SYNCED, pool_transactions=0, since_last_block_ms=9_000)) is None


def test_without_a_quorum_it_is_unready_at_once() -> None:
    """Long before a block is overdue; the answer names who is missing."""
    why = _asked(others=(DIGITAL,), now=replace(SYNCED, pool_transactions=0))
    assert why is not None
    assert "Bring back Justice, Health" in why


@pytest.mark.parametrize(("waiting", "since_ms"), [(3, 13_000), (0, 30_000)])
def test_an_overdue_block_makes_it_unready(waiting: int, since_ms: int) -> None:
    """With transactions waiting after the interval, without after the heartbeat."""
    why = _asked(now=replace(SYNCED, pool_transactions=waiting, since_last_block_ms=since_ms))
    assert why is not None
    assert "The last block, 9, was decided" in why


def test_a_validator_that_does_not_sign_is_unready() -> None:
    """With the reason and what to do; and the metric has every reason from the start."""
    silent = replace(VIEW, silence=Silence.NOT_ALLOWED)
    why = _asked(view=silent)
    assert why is not None
    assert "DOES NOT SIGN (sign_state_stale)" in why
    assert set(_silent(None).values()) == set(_silent(VIEW).values()) == {0.0}
    assert {reason for (reason,), on in _silent(silent).items() if on} == {"sign_state_stale"}
    assert len(_silent(silent)) == len(Silence)


def test_catching_up_comes_first() -> None:
    """With both heights."""
    behind = replace(SYNCED, sync_state=SyncState.SYNCING, highest_peer_height=40)
    assert _asked(now=behind) == ("This node is catching up: it is at height 9, 31 blocks behind its peers.")


def test_an_observer_need_not_see_a_quorum() -> None:
    """One connection brings it every block; an overdue one counts for it, too."""
    observer = replace(SYNCED, validator_address=None)
    assert _asked(others=(DIGITAL,), now=observer) is None
    assert _asked(others=(DIGITAL,), now=replace(observer, since_last_block_ms=60_000)) is not None
