"""Submitting many: a full pool, a rate, a missing nonce, a node that was lost with what it had taken."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from alatau.client import RpcError, submitting
from alatau.client.exchange import Pause
from alatau.client.submitting import Refused, SubmitOutcome, Submitted, submit_many
from alatau.mempool.limits import MempoolLimits
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.rpc.limits import Limits
from alatau.rpc.node import Refusal
from alatau.transport.errors import Code
from alatau.types.transaction import Transaction
from alatau.wire.reasons import reason_number
from alatau.wire.transaction import TransactionState, write_state
from tests.support.solo_node import RESIDENT, SoloNode, payment, running, solo_node

_pb = transaction_service_pb2


async def carry_out(
    transactions: Sequence[Transaction], node_for: Callable[[int], SoloNode], patience_s: float = 30
) -> tuple[list[SubmitOutcome], list[int], float]:
    """Run the plan without a network: the sizes of its batches, and the seconds that it would have paused."""
    plan = submit_many(transactions, patience_s)
    sizes, paused_s, answer = [], 0.0, None
    try:
        while True:
            asked = plan.send(answer)
            if isinstance(asked, Pause):
                paused_s, answer = paused_s + asked.seconds, None
                continue
            raw = list(asked.request.transactions)  # type: ignore[attr-defined]
            node = node_for(len(sizes))
            sizes.append(len(raw))
            answer = _response(raw, await node.submit(raw))
    except StopIteration as stop:
        return stop.value, sizes, paused_s


def _response(raw: Sequence[bytes], refusals: Sequence[Refusal | None]) -> _pb.BatchSubmitTransactionsResponse:
    return _pb.BatchSubmitTransactionsResponse(
        results=[
            _pb.SubmitResult(state=write_state(TransactionState.POOLED))
            if refusal is None
            else _pb.SubmitResult(
                rejection=_pb.SubmitRejection(reason=reason_number(refusal.reason), message=refusal.message)
            )
            for refusal in refusals
        ]
    )


@pytest.mark.trio
async def test_what_finds_no_room_is_offered_again(tmp_path: Path) -> None:
    """A pool of 50 takes 400 of one sender, in order, as blocks make room; each is in a block once."""
    node = solo_node(tmp_path, limits=MempoolLimits(per_sender_max=50))
    transactions = [payment(nonce) for nonce in range(400)]

    def decide(_: int) -> SoloNode:
        node.commit_block()
        return node

    outcomes, sizes, paused_s = await carry_out(transactions, decide)
    assert all(isinstance(outcome, Submitted) for outcome in outcomes)
    assert len(outcomes) == 400
    assert sizes[0] == 400
    assert max(sizes[1:]) <= 100  # it asks for little more than there was room for
    assert 0 < paused_s <= len(sizes) * 0.25
    node.commit_block()
    assert len(node.mempool) == 0
    assert node.next_nonce(RESIDENT.address) == 400
    node.store.close()


@pytest.mark.trio
async def test_patience_ends(tmp_path: Path) -> None:
    """A pool that stays full refuses what is left, with its own reason, and what it took is told."""
    node = solo_node(tmp_path, limits=MempoolLimits(per_sender_max=50))
    outcomes, sizes, paused_s = await carry_out([payment(n) for n in range(300)], lambda _: node, patience_s=2)
    assert [isinstance(outcome, Submitted) for outcome in outcomes] == [True] * 50 + [False] * 250
    assert {o.reason for o in outcomes if isinstance(o, Refused)} == {"POOL_FULL", "NONCE_GAP_TOO_LARGE"}
    assert paused_s == pytest.approx(2, abs=0.3)
    assert len(sizes) < 20
    node.store.close()


@pytest.mark.trio
async def test_a_nonce_that_never_comes_is_told_at_once(node: SoloNode) -> None:
    """Nothing that waits for room could fill the gap: no patience is spent; other senders are not held up."""
    transactions = [payment(nonce) for nonce in range(100, 200)]
    outcomes, sizes, paused_s = await carry_out(transactions, lambda _: node)
    assert {getattr(outcome, "reason", None) for outcome in outcomes} == {"NONCE_GAP_TOO_LARGE"}
    assert (len(sizes), paused_s) == (1, 0)


@pytest.mark.trio
async def test_a_node_that_was_lost_with_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one misses nonces: it is offered everything anew, and has all in the end."""
    monkeypatch.setattr(submitting, "BATCH_COUNT_MAX", 100)
    lost, other = (solo_node(tmp_path / name, limits=MempoolLimits(per_sender_max=5_000)) for name in ("a", "b"))
    transactions = [payment(nonce) for nonce in range(150)]
    outcomes, sizes, paused_s = await carry_out(transactions, lambda call: other if call else lost)
    assert all(isinstance(outcome, Submitted) for outcome in outcomes)
    assert len(other.mempool) == 150
    assert (sizes[:2], paused_s) == ([100, 50], 0)
    for node in (lost, other):
        node.store.close()


@pytest.mark.trio
async def test_a_rate_is_kept(node: SoloNode) -> None:
    """The node says when to come again; smaller batches fit its burst."""
    limits = Limits(transactions_per_s=2_000, transactions_burst=100)
    async with running(node, limits=limits) as served, served.connect() as client:
        outcomes = await client.submit_many([payment(nonce) for nonce in range(300)])
        assert all(isinstance(outcome, Submitted) for outcome in outcomes)
        with pytest.raises(RpcError) as caught:
            await client.submit_many([payment(nonce) for nonce in range(300, 700)], patience_s=0)
        assert caught.value.code is Code.RESOURCE_EXHAUSTED
