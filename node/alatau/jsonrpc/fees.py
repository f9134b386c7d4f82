"""What gas costs. The base fee is the network's and does not move; tips only order what waits."""

from collections.abc import Sequence
from typing import Any, Final

from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.block_id import height_of, read_block_number
from alatau.jsonrpc.errors import invalid_params
from alatau.jsonrpc.values import quantity, read_list, read_uint64
from alatau.rpc.access import caller_of
from alatau.rpc.final_block import FinalBlock, effective_gas_price, outcomes
from alatau.rpc.services import Parts
from alatau.rpc.stored_block import stored_final_block
from alatau.storage.store import Store

_BLOCKS_MAX: Final = 1_024
"""Blocks of a fee history; more gives as many, as geth does."""
_REWARD_BLOCKS_MAX: Final = 64
"""With rewards, for which each block's transactions are read: about 10 ms for a full one."""
_PERCENTILES_MAX: Final = 100


class FeeMethods:
    """Prices."""

    def __init__(self, parts: Parts) -> None:
        self._node = parts.node
        self._feed = parts.feed

    async def gas_price(self, asked: Asked) -> Any:
        """The base fee: what a transaction pays at least, and no more is needed."""
        asked.most(0)
        return quantity(self._node.config.base_fee_per_gas)

    async def max_priority_fee(self, asked: Asked) -> Any:
        """No tip is needed."""
        asked.most(0)
        return quantity(0)

    async def blob_base_fee(self, asked: Asked) -> Any:
        """Its least: there are no blobs."""
        asked.most(0)
        return quantity(1)

    async def fee_history(self, asked: Asked) -> Any:
        """Base fees of the last blocks and of the next, how full they were, and percentiles of the tips paid."""
        asked.most(3)
        count = asked.at(0, _read_count)
        newest = height_of(self._node.store, asked.at(1, read_block_number))
        percentiles: tuple[float, ...] = asked.get(2, _read_percentiles, ())
        count = min(count, newest + 1, _REWARD_BLOCKS_MAX if percentiles else _BLOCKS_MAX)
        if not count:
            return {"oldestBlock": quantity(0), "gasUsedRatio": [], "baseFeePerGas": []}
        heights = range(newest + 1 - count, newest + 1)
        return await self._feed.read(caller_of(asked.call), self._history, heights, percentiles)

    def _history(self, store: Store, heights: range, percentiles: Sequence[float]) -> dict[str, Any]:
        headers = [header for height in heights if (header := store.header(height)) is not None]
        fees = [quantity(header.base_fee_per_gas) for header in headers]
        body: dict[str, Any] = {
            "oldestBlock": quantity(heights[0]),
            "baseFeePerGas": [*fees, quantity(self._node.config.base_fee_per_gas)],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
            "baseFeePerBlobGas": [quantity(1)] * (len(headers) + 1),
            "blobGasUsedRatio": [0] * len(headers),
        }
        if percentiles:
            body["reward"] = [_rewards(stored_final_block(store, height), percentiles) for height in heights]
        return body


def _rewards(final: FinalBlock, percentiles: Sequence[float]) -> list[str]:
    """The tips at shares of the gas that a block used, from the lowest tip up."""
    base_fee = final.block.header.base_fee_per_gas
    paid = sorted(
        (effective_gas_price(tx, base_fee) - base_fee, outcome.gas_used)
        for tx, outcome in zip(final.block.transactions, outcomes(final.receipts), strict=True)
    )
    if not paid:
        return [quantity(0)] * len(percentiles)
    total, found = sum(gas for _, gas in paid), []
    index, passed = 0, paid[0][1]
    for percentile in percentiles:
        while index < len(paid) - 1 and passed < total * percentile / 100:
            index += 1
            passed += paid[index][1]
        found.append(quantity(paid[index][0]))
    return found


def _read_count(value: Any) -> int:
    """Hexadecimal or, as some tools send it, a number."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else read_uint64(value)


def _read_percentiles(value: Any) -> tuple[float, ...]:
    found = read_list(value, _PERCENTILES_MAX)
    for one in found:
        if not isinstance(one, int | float) or isinstance(one, bool) or not 0 <= one <= 100:
            raise invalid_params(f"invalid reward percentile: {one!r:.40}")
    if sorted(found) != found:
        raise invalid_params("invalid reward percentiles: they have to ascend")
    return tuple(found)
