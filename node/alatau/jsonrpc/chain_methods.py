"""Blocks, transactions and receipts."""

from typing import Any, Final

from alatau.jsonrpc.asked import Asked, Encoded
from alatau.jsonrpc.block_id import BlockId, find_height, read_block_id, read_block_number
from alatau.jsonrpc.blocks import block_object, place_in
from alatau.jsonrpc.envelope import encode
from alatau.jsonrpc.errors import unknown_block
from alatau.jsonrpc.receipts import receipt_object
from alatau.jsonrpc.transactions import transaction_object
from alatau.jsonrpc.values import data, quantity, read_bool, read_hash, read_uint64
from alatau.rpc.access import caller_of
from alatau.rpc.final_block import FinalBlock, tip_height, transaction_receipt, transaction_receipts
from alatau.rpc.services import Parts
from alatau.rpc.stored_block import stored_final_block, stored_outcome

_LONG: Final = 64
"""Transactions of a block from which on a thread writes its JSON: about two milliseconds."""


class ChainMethods:
    """What is decided, and what waits by its hash."""

    def __init__(self, parts: Parts) -> None:
        self._node = parts.node
        self._feed = parts.feed

    async def block_number(self, asked: Asked) -> Any:
        """The tip's height."""
        asked.most(0)
        return quantity(tip_height(self._node.store))

    async def block_by_number(self, asked: Asked) -> Any:
        """A block, null where none is decided."""
        asked.most(2)
        return await self._block(asked, asked.at(0, read_block_number))

    async def block_by_hash(self, asked: Asked) -> Any:
        """The same by its hash."""
        asked.most(2)
        return await self._block(asked, BlockId(hash=asked.at(0, read_hash)))

    async def transaction_count_by_number(self, asked: Asked) -> Any:
        """How many transactions a block has."""
        asked.most(1)
        final = await self.final(asked, asked.at(0, read_block_number))
        return None if final is None else quantity(len(final.block.transactions))

    async def transaction_count_by_hash(self, asked: Asked) -> Any:
        """The same by its hash."""
        asked.most(1)
        final = await self.final(asked, BlockId(hash=asked.at(0, read_hash)))
        return None if final is None else quantity(len(final.block.transactions))

    async def uncle_count_by_number(self, asked: Asked) -> Any:
        """None; null where there is no such block."""
        asked.most(1)
        return None if find_height(self._node.store, asked.at(0, read_block_number)) is None else quantity(0)

    async def uncle_count_by_hash(self, asked: Asked) -> Any:
        """The same by its hash."""
        asked.most(1)
        return None if self._node.store.height_of(asked.at(0, read_hash)) is None else quantity(0)

    async def no_uncle(self, asked: Asked) -> Any:
        """There are none."""
        asked.most(2)
        asked.at(0, read_block_id)
        asked.at(1, read_uint64)

    async def transaction_by_hash(self, asked: Asked) -> Any:
        """A transaction that is final, or waits; null where it is not known here."""
        asked.most(1)
        hash_ = asked.at(0, read_hash)
        place = self._node.store.find_transaction(hash_)
        if place is not None:
            return self._transaction(await self._final_at(asked, place[0]), place[1])
        pooled = self._node.mempool.pooled(hash_)
        return None if pooled is None else transaction_object(pooled.tx, pooled.sender, None)

    async def transaction_by_number_and_index(self, asked: Asked) -> Any:
        """A transaction by its place; null where there is none."""
        asked.most(2)
        final = await self.final(asked, asked.at(0, read_block_number))
        return self._transaction(final, asked.at(1, read_uint64))

    async def transaction_by_hash_and_index(self, asked: Asked) -> Any:
        """The same by the block's hash."""
        asked.most(2)
        final = await self.final(asked, BlockId(hash=asked.at(0, read_hash)))
        return self._transaction(final, asked.at(1, read_uint64))

    async def raw_transaction_by_hash(self, asked: Asked) -> Any:
        """The signed bytes; null where it is not known here."""
        asked.most(1)
        hash_ = asked.at(0, read_hash)
        place = self._node.store.find_transaction(hash_)
        if place is not None:
            return _raw(await self._final_at(asked, place[0]), place[1])
        pooled = self._node.mempool.pooled(hash_)
        return None if pooled is None else data(pooled.tx.encoded)

    async def raw_transaction_by_number_and_index(self, asked: Asked) -> Any:
        """The signed bytes by place."""
        asked.most(2)
        return _raw(await self.final(asked, asked.at(0, read_block_number)), asked.at(1, read_uint64))

    async def raw_transaction_by_hash_and_index(self, asked: Asked) -> Any:
        """The same by the block's hash."""
        asked.most(2)
        return _raw(await self.final(asked, BlockId(hash=asked.at(0, read_hash))), asked.at(1, read_uint64))

    async def transaction_receipt(self, asked: Asked) -> Any:
        """The outcome of a final transaction; null until it is."""
        asked.most(1)
        place = self._node.store.find_transaction(asked.at(0, read_hash))
        if place is None:
            return None
        height, index = place
        final = self._feed.recent(height)
        if final is None:
            return receipt_object(await self._feed.read(caller_of(asked.call), stored_outcome, height, index))
        return receipt_object(transaction_receipt(final, index))

    async def block_receipts(self, asked: Asked) -> Any:
        """The outcomes of a block's transactions; null where there is no such block."""
        asked.most(1)
        final = await self.final(asked, asked.at(0, read_block_id))
        if final is None:
            return None

        def write() -> list[dict[str, Any]]:
            return [receipt_object(receipt) for receipt in transaction_receipts(final)]

        if len(final.receipts) < _LONG:
            return write()
        return await self._feed.read(caller_of(asked.call), lambda _: Encoded(encode(write())))

    async def final(self, asked: Asked, block: BlockId) -> FinalBlock | None:
        """A decided block with its outcomes; None where there is none."""
        height = find_height(self._node.store, block)
        return None if height is None else await self._final_at(asked, height)

    async def final_or_error(self, asked: Asked, block: BlockId) -> FinalBlock:
        """The same; raises ``JsonRpcError`` "header not found"."""
        final = await self.final(asked, block)
        if final is None:
            raise unknown_block()
        return final

    async def _final_at(self, asked: Asked, height: int) -> FinalBlock:
        final = self._feed.recent(height)
        return await self._feed.read(caller_of(asked.call), stored_final_block, height) if final is None else final

    async def _block(self, asked: Asked, block: BlockId) -> Any:
        full = asked.get(1, read_bool, default=False)
        final = await self.final(asked, block)
        if final is None or len(final.block.transactions) < _LONG:
            return None if final is None else block_object(final, full=full)
        return await self._feed.read(caller_of(asked.call), lambda _: Encoded(encode(block_object(final, full=full))))

    def _transaction(self, final: FinalBlock | None, index: int) -> Any:
        if final is None or index >= len(final.block.transactions):
            return None
        return transaction_object(final.block.transactions[index], final.senders[index], place_in(final, index))


def _raw(final: FinalBlock | None, index: int) -> str | None:
    if final is None or index >= len(final.block.transactions):
        return None
    return data(final.block.transactions[index].encoded)
