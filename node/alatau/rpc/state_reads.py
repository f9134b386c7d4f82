"""Reads of committed state: at once at the tip, where it is cached, else in the thread for reads."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from alatau.rpc.access import caller_of
from alatau.rpc.node import Node
from alatau.rpc.state_worker import Piece, StateWorker
from alatau.state.parent import ParentState
from alatau.storage.frozen_state import FrozenState
from alatau.transport.call import Call
from alatau.trie.proof import AccountProof, prove
from alatau.trie.state_trie import NodeCache, StateTrie
from alatau.types.account import EMPTY_ACCOUNT

T = TypeVar("T")

PROVED_SLOTS_MAX = 64
"""Slots in one proof: each reads about ten nodes, up to 2 ms each a thousand blocks back."""
_PROOF_CACHE_BYTES = 1024 * 1024
"""Nodes that the proofs of one call share: the upper part of the trie."""


class StateReads:
    """What accounts, slots and codes hold after a height that is known to be readable."""

    def __init__(self, node: Node, worker: StateWorker) -> None:
        self._node = node
        self._worker = worker

    async def read(self, call: Call, height: int, read: Callable[[ParentState], T]) -> T:
        """What ``read`` finds in the state after ``height``."""
        store = self._node.store
        if store.tip is not None and store.tip.number == height:
            return read(store.state(height))
        return await self._worker.on_state(_piece(call), height, read)

    async def prove(self, call: Call, height: int, address: bytes, slots: Sequence[int]) -> AccountProof:
        """Proof of an account and of slots under the state root of ``height``."""
        header = self._node.store.header(height)
        assert header is not None, "a readable height has a header"
        root = header.state_root
        return await self._worker.on_state(_piece(call), height, lambda state: _prove(root, state, address, slots))


def code_of(state: ParentState, address: bytes) -> tuple[bytes, bytes]:
    """Hash of an account's code, and the code."""
    code_hash = (state.account(address) or EMPTY_ACCOUNT).code_hash
    return code_hash, b"" if code_hash == EMPTY_ACCOUNT.code_hash else state.code(code_hash)


def _piece(call: Call) -> Piece:
    """How far back one caller's reads go, and how many slots they take, hardly differs from call to call."""
    caller = caller_of(call)
    return Piece(caller, (call.method, caller))


def _prove(root: bytes, state: FrozenState, address: bytes, slots: Sequence[int]) -> AccountProof:
    return prove(StateTrie.open(root, state, NodeCache(_PROOF_CACHE_BYTES)), address, slots)
