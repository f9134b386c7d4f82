"""An owner's proof of a day over the wire. Reading raises ``WireError``; what it proves is for the reader to see."""

from alatau.channels.day_book import ENTRIES_MAX, DayEntry, DayTotals, Node
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.wire.amount import read_amount, write_amount
from alatau.wire.bounds import WireError, sized

_pb = channel_service_pb2

_DEPTH_MAX = ENTRIES_MAX.bit_length() - 1

Proof = tuple[DayTotals, DayEntry, int, tuple[Node, ...]]
"""Totals, the owner's entry, its place and the nodes beside its way."""


def write_day_proof(proof: Proof) -> _pb.GetDayProofResponse:
    """As a message."""
    totals, entry, index, siblings = proof
    return _pb.GetDayProofResponse(
        tree=totals.tree,
        debits=write_amount(totals.debits),
        credits=write_amount(totals.credits),
        fees=write_amount(totals.fees),
        entries=totals.entries,
        paid=write_amount(entry.debits),
        received=write_amount(entry.credits),
        index=index,
        siblings=[
            _pb.DayNode(hash=one.hash, debits=write_amount(one.debits), credits=write_amount(one.credits))
            for one in siblings
        ],
    )


def read_day_proof(channel_id: bytes, message: _pb.GetDayProofResponse) -> Proof:
    """Of a message about ``channel_id``."""
    if len(message.siblings) > _DEPTH_MAX or not 0 <= message.index < message.entries <= ENTRIES_MAX:
        raise WireError("the proof is of no book that the contract takes")
    totals = DayTotals(
        sized(message.tree, 32, "tree"),
        read_amount(message.debits),
        read_amount(message.credits),
        read_amount(message.fees),
        message.entries,
    )
    entry = DayEntry(channel_id, read_amount(message.paid), read_amount(message.received))
    siblings = tuple(
        Node(sized(one.hash, 32, "siblings"), read_amount(one.debits), read_amount(one.credits))
        for one in message.siblings
    )
    return totals, entry, message.index, siblings
