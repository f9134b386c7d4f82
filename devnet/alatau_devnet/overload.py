"""Far more payments than a network carries, offered without regard to what it answers.

As many tills as there are senders offer their next payments at a steady rate, whatever became of the last ones. What
is refused is offered again at once, as impatient programs do, so that a sender's nonces stay in order.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import trio

from alatau.client.submitting import Refused
from alatau.transport.errors import RpcError
from alatau.types.transaction import Transaction
from alatau.wire.reasons import CATALOGUE
from alatau_devnet.payments import LoadError, PaymentLoad, Sender

_TICK_S: Final = 0.05
_RAMP_S: Final = 3.0
"""Until the pools are full, at ten times what a network carries."""
_SETTLE_S: Final = 30.0
"""Within which all that was accepted must be final once nothing more is offered."""


@dataclass(frozen=True, slots=True)
class Overload:
    """How a network bore it."""

    offered_per_s: float
    """Payments that were offered, those again that had been refused counted again. Below what was asked for where the
    load generator can offer no more."""
    final_per_s: float
    share_of_maximum: float
    """``final_per_s`` over the throughput at full speed."""
    accepted_final_s_p95: float
    """From the node's yes to finality, of what became final after the ramp."""
    accepted_final_s_max: float
    accepted_lost: int
    """Accepted, and not final 30 s after the last offer."""
    refused: dict[str, int]
    """Refusals by reason."""
    refusals_unclear: int
    """Of them those whose reason is not in the catalogue (docs/errors.md)."""


@dataclass(slots=True)
class _Tills:
    """Offers under way."""

    load: PaymentLoad
    free: list[list[Sender]]
    """By node: the senders whose last offer has been answered."""
    offered: int = 0
    refused: Counter[str] = field(default_factory=Counter)


async def overload(load: PaymentLoad, per_s: float, duration_s: float, maximum_per_s: float) -> Overload:
    """Offer ``per_s`` payments a second for ``duration_s`` seconds after the ramp, and wait until all is final.

    ``maximum_per_s`` is what the network carries at full speed.

    Raises:
        LoadError: the load ran out of signed payments, or a payment failed.
    """
    tills = _Tills(load, [[s for s in load.senders if s.node == node] for node in range(len(load.clients))])
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(_RAMP_S):
            await _offer_at(tills, nursery, per_s)
        started, offered, first = trio.current_time(), tills.offered, load.times.final
        with trio.move_on_after(duration_s):
            await _offer_at(tills, nursery, per_s)
        passed = trio.current_time() - started
        offered, final = tills.offered - offered, load.times.final - first
    with trio.move_on_after(_SETTLE_S):
        while load.times.sent_at:
            await load.next_block()
    if load.times.failed:
        raise LoadError(f"{load.times.failed} payments failed")
    late = load.times.latencies_s[first:]
    lost = len(load.times.sent_at)
    load.times.sent_at.clear()
    return Overload(
        offered_per_s=round(offered / passed, 1),
        final_per_s=round(final / passed, 1),
        share_of_maximum=round(final / passed / maximum_per_s, 3),
        accepted_final_s_p95=round(sorted(late)[math.ceil(len(late) * 0.95) - 1], 3) if late else math.inf,
        accepted_final_s_max=round(max(late, default=math.inf), 3),
        accepted_lost=lost,
        refused=dict(tills.refused.most_common()),
        refusals_unclear=sum(count for reason, count in tills.refused.items() if reason not in CATALOGUE),
    )


async def _offer_at(tills: _Tills, nursery: trio.Nursery, per_s: float) -> None:
    """Offer at a rate until cancelled; the offers themselves run on in ``nursery``."""
    started, due = trio.current_time(), 0
    while True:
        now = trio.current_time()
        count = round((now - started) * per_s) - due
        due += count
        for node, senders in enumerate(tills.free):
            if senders:
                share = math.ceil(count / len(tills.free))
                tills.free[node] = []
                nursery.start_soon(_offer, tills, node, senders, share)
        await trio.sleep(_TICK_S)


async def _offer(tills: _Tills, node: int, senders: list[Sender], count: int) -> None:
    """Offer ``count`` payments of the senders to their node, and put back what it refuses."""
    each = math.ceil(count / len(senders))
    batch: list[tuple[Sender, Transaction]] = []
    for sender in senders:
        if len(sender.waiting) < each:
            raise LoadError("the load ran out of signed payments: sign more of them beforehand")
        batch += [(sender, sender.waiting.popleft()) for _ in range(each)]
    tills.offered += len(batch)
    sent_at, now = tills.load.times.sent_at, trio.current_time()
    sent_at |= dict.fromkeys((tx.hash for _, tx in batch), now)
    try:
        answers = await tills.load.clients[node].submit_many([tx for _, tx in batch], patience_s=0)
        reasons = [answer.reason if isinstance(answer, Refused) else None for answer in answers]
    except RpcError as error:
        reasons = [error.reason or error.code.name] * len(batch)
    answered_at = trio.current_time()
    for (sender, tx), reason in reversed(list(zip(batch, reasons, strict=True))):
        if reason is None and tx.hash in sent_at:
            sent_at[tx.hash] = answered_at
        elif reason is not None:
            tills.refused[reason] += 1
            sent_at.pop(tx.hash, None)
            sender.waiting.appendleft(tx)
    tills.free[node] += senders
