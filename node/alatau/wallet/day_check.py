"""A day of a channel, held against the root that its hub posted on the chain.

What the hub has booked for the channel has to be in the book whose root the chain holds, with the sums of the
statement; and what the wallet itself has paid or was paid has to stand in the statement. A hub that leaves something
out, or tells an auditor other sums than the owner, is found here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.books.day_root import Inclusion, is_included
from alatau.channels.forwarding.payment import LineKind
from alatau.channels.party.records import Incoming, IncomingPhase, Outgoing, OutgoingPhase
from alatau.channels.party.sessions import statement_digest
from alatau.client import Client
from alatau.client.hub_plans import METHODS
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.channel import Channel
from alatau.transport.errors import RpcError
from alatau.wallet.errors import WalletError
from alatau.wallet.setup import Setup
from alatau.wallet.statement import StatementLine
from alatau.wire.day_proof import read_day_proof

_pb = channel_service_pb2

_ANSWER_S: Final = 30.0
_PAID: Final = (LineKind.PAID, LineKind.REFUND_PAID)


class DayDiffersError(WalletError):
    """The hub's word, the chain's and the wallet's own differ. Keep the receipts, and show them to the regulator."""


@dataclass(frozen=True, slots=True)
class CheckedDay:
    """A day that is as it has to be."""

    day: int
    paid: int
    """Token units, fees included."""
    received: int
    proof: Inclusion | None
    """To be kept; None for a day on which the channel neither paid nor received."""


async def posted_word(client: Client, hub: bytes, day: int) -> bytes | None:
    """The root that a hub posted, as the chain holds it; None while it holds none. Raises ``RpcError``."""
    word = bytes(await client.contract(load("DayBook").abi, addresses.DAY_BOOK).read("day_root", hub, day))
    return word if any(word) else None


async def ask_day_proof(channel: Channel, setup: Setup, channel_id: bytes, day: int) -> Inclusion | None:
    """The hub's proof; None where it says that there is none. Raises ``RpcError``, ``WireError``."""
    now = int(setup.clock())
    signature = setup.key.sign(statement_digest(setup.domain, channel_id, now))
    request = _pb.GetDayProofRequest(channel_id=channel_id, day=day, time=now, signature=signature)
    try:
        answer = await channel.unary(METHODS["GetDayProof"], request, timeout_s=_ANSWER_S)
    except RpcError as error:
        if error.reason == "NOT_IN_BOOK":
            return None
        raise
    totals, entry, index, siblings = read_day_proof(channel_id, answer)
    return Inclusion(day, totals, entry, index, siblings)


def check_day(
    day: int,
    lines: Sequence[StatementLine],
    proof: Inclusion | None,
    posted: bytes | None,
    outgoing: Iterable[Outgoing],
    incoming: Iterable[Incoming],
) -> CheckedDay:
    """Hold everything against each other.

    Args:
        day: days since 1970 in the hub's time zone.
        lines: the hub's, of that day.
        proof: the hub's.
        posted: the word on chain.
        outgoing: the wallet's payments of that day, by its own clock.
        incoming: its invoices that were paid on that day.

    Raises:
        DayDiffersError: with the first difference.
        WalletError: the root is not on the chain yet.
    """
    paid = sum(line.amount for line in lines if line.kind in _PAID)
    received = sum(line.amount for line in lines if line.kind not in _PAID)
    known = {(line.kind, line.invoice_hash) for line in lines}
    for mine in outgoing:
        if mine.phase is OutgoingPhase.PAID and (LineKind.PAID, mine.invoice_hash) not in known:
            raise DayDiffersError(f"the hub's statement lacks the payment 0x{mine.invoice_hash.hex()}")
    for theirs in incoming:
        if theirs.phase is IncomingPhase.PAID and (LineKind.RECEIVED, theirs.invoice_hash) not in known:
            raise DayDiffersError(f"the hub's statement lacks the income 0x{theirs.invoice_hash.hex()}")
    if proof is None:
        if paid or received:
            raise DayDiffersError(f"the statement has movements of day {day}, and the hub has no proof for them")
        return CheckedDay(day, 0, 0, None)
    if posted is None:
        raise WalletError(f"the root of day {day} is not on the chain yet; hubs post it some hours after midnight")
    if not is_included(proof, posted):
        raise DayDiffersError("the hub's proof does not lead to the root that the chain holds")
    if (proof.entry.debits, proof.entry.credits) != (paid, received):
        raise DayDiffersError(
            f"the book has {proof.entry.debits} paid and {proof.entry.credits} received,"
            f" the statement {paid} and {received}"
        )
    return CheckedDay(day, paid, received, proof)
