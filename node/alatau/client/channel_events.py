"""Events of the channels contract, in the order in which they took effect."""

from collections.abc import Iterable

from alatau.client.abi import Abi
from alatau.wire.logs import EventLog


def in_effect_order(abi: Abi, logs: Iterable[EventLog]) -> list[EventLog]:
    """The chain's order, but that within a transaction a channel is closing before a voucher is submitted to it.

    ``close`` logs the voucher that it brings before it logs that the channel is closing.
    """
    closing = abi.event("Closing").topic
    return sorted(logs, key=lambda log: (log.height, log.transaction_index, log.topics[0] != closing))
