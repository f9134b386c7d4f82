"""A channel's statement, as its hub keeps it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from alatau.channels.forwarding.payment import LineKind
from alatau.channels.party.sessions import statement_digest
from alatau.client.hub_plans import METHODS
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.channel import Channel
from alatau.wallet.setup import Setup
from alatau.wire.amount import read_amount

_pb = channel_service_pb2

_PAGE: Final = 1_000
_ANSWER_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line."""

    kind: LineKind
    invoice_hash: bytes
    """32 bytes."""
    amount: int
    """Token units; with the fee, where the channel paid."""
    fee: int
    time: int
    """Seconds since 1970."""
    day: int
    """Days since 1970 in the hub's time zone."""
    details: bytes
    """Of the invoice, as its merchant wrote them."""


async def ask_statement(
    channel: Channel, setup: Setup, channel_id: bytes, first_day: int, last_day: int
) -> AsyncIterator[StatementLine]:
    """Lines from ``first_day`` to ``last_day`` (both included, days since 1970), oldest first. Raises ``RpcError``."""
    token = ""
    while True:
        now = int(setup.clock())
        request = _pb.ListPaymentsRequest(
            channel_id=channel_id,
            from_day=first_day,
            to_day=last_day,
            time=now,
            signature=setup.key.sign(statement_digest(setup.domain, channel_id, now)),
            page_size=_PAGE,
            page_token=token,
        )
        page = await channel.unary(METHODS["ListPayments"], request, timeout_s=_ANSWER_S)
        for line in page.lines:
            yield StatementLine(
                LineKind(line.kind),
                line.invoice_hash,
                read_amount(line.amount),
                read_amount(line.fee),
                line.time,
                line.day,
                line.details,
            )
        token = page.next_page_token
        if not token:
            return
