"""Accounts, storage, code and proofs of them, after a block."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.block_id import LATEST, BlockId, height_of, read_block_id
from alatau.jsonrpc.values import data, quantity, read_address, read_list, read_slot, word
from alatau.rpc.committed_state import readable_height
from alatau.rpc.services import Parts
from alatau.rpc.state_reads import PROVED_SLOTS_MAX, code_of
from alatau.state.parent import ParentState
from alatau.trie.proof import AccountProof
from alatau.types.account import EMPTY_ACCOUNT

T = TypeVar("T")
_WORD_TEXT: Final = 66
"""Characters of a slot with all its zeros; proofs name slots as they were asked for."""


class StateMethods:
    """Reads of the committed state."""

    def __init__(self, parts: Parts) -> None:
        self._node = parts.node
        self._reads = parts.reads

    async def balance(self, asked: Asked) -> Any:
        """Wei."""
        asked.most(2)
        address = asked.at(0, read_address)
        return quantity(await self._read(asked, 1, lambda state: (state.account(address) or EMPTY_ACCOUNT).balance))

    async def transaction_count(self, asked: Asked) -> Any:
        """The nonce; at ``pending`` past the account's transactions that wait without a gap."""
        asked.most(2)
        address = asked.at(0, read_address)
        if asked.get(1, read_block_id, LATEST).pending:
            return quantity(self._node.next_nonce(address))
        return quantity(await self._read(asked, 1, lambda state: (state.account(address) or EMPTY_ACCOUNT).nonce))

    async def code(self, asked: Asked) -> Any:
        """A contract's code."""
        asked.most(2)
        address = asked.at(0, read_address)
        return data(await self._read(asked, 1, lambda state: code_of(state, address)[1]))

    async def storage_at(self, asked: Asked) -> Any:
        """A word of a contract's storage."""
        asked.most(3)
        address, slot = asked.at(0, read_address), asked.at(1, read_slot)
        return word(await self._read(asked, 2, lambda state: state.storage(address, slot)))

    async def proof(self, asked: Asked) -> Any:
        """Proof of an account and of slots (EIP-1186)."""
        asked.most(3)
        address = asked.at(0, read_address)
        texts = asked.at(1, lambda value: read_list(value, PROVED_SLOTS_MAX))
        slots = asked.at(1, lambda value: [read_slot(slot) for slot in value])
        height = self._height(asked.get(2, read_block_id, LATEST))
        proof = await self._reads.prove(asked.call, height, address, slots)
        return _proof_object(proof, [len(text) == _WORD_TEXT for text in texts])

    async def _read(self, asked: Asked, at: int, read: Callable[[ParentState], T]) -> T:
        height = self._height(asked.get(at, read_block_id, LATEST))
        return await self._reads.read(asked.call, height, read)

    def _height(self, block: BlockId) -> int:
        return readable_height(self._node.store, height_of(self._node.store, block))


def _proof_object(proof: AccountProof, as_words: list[bool]) -> dict[str, Any]:
    account = proof.account or EMPTY_ACCOUNT
    return {
        "address": data(proof.address),
        "accountProof": [data(node) for node in proof.account_nodes],
        "balance": quantity(account.balance),
        "codeHash": data(account.code_hash),
        "nonce": quantity(account.nonce),
        "storageHash": data(account.storage_root),
        "storageProof": [
            {
                "key": word(slot.slot) if as_word else quantity(slot.slot),
                "value": quantity(slot.value),
                "proof": [data(node) for node in slot.nodes],
            }
            for slot, as_word in zip(proof.slots, as_words, strict=True)
        ],
    }
