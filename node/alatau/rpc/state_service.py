"""StateService: accounts, storage, code, and proofs of them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from alatau.codec import rlp
from alatau.pb.api.v1 import state_service_pb2
from alatau.rpc.access import caller_of
from alatau.rpc.committed_state import readable_height
from alatau.rpc.node import Node
from alatau.rpc.requests import Checks
from alatau.rpc.state_worker import Piece, StateWorker
from alatau.state.parent import ParentState
from alatau.storage.frozen_state import FrozenState
from alatau.transport.call import Call
from alatau.trie.proof import AccountProof, prove
from alatau.trie.state_trie import NodeCache, StateTrie
from alatau.types.account import EMPTY_ACCOUNT
from alatau.types.header import encode_header
from alatau.types.vote import commit_item
from alatau.wire.account import StateProof, write_account, write_proof

_pb = state_service_pb2
T = TypeVar("T")

_QUEUED_NONCES_MAX = 64
"""Nonces behind a gap that GetAccount names: as far ahead as the pool takes one."""
_SLOTS_MAX = 1_024
"""Slots in one GetStorage: about 3 us each at the tip, up to 2 ms each a thousand blocks back."""
_PROVED_SLOTS_MAX = 64
"""Slots in one GetProof: each reads about ten nodes, up to 2 ms each a thousand blocks back."""
_PROOF_CACHE_BYTES = 1024 * 1024
"""Nodes that the proofs of one call share: the upper part of the trie."""


class StateApi:
    """Serves ``alatau.api.v1.StateService``."""

    def __init__(self, node: Node, worker: StateWorker) -> None:
        self._node = node
        self._worker = worker

    async def get_account(self, request: _pb.GetAccountRequest, call: Call) -> _pb.GetAccountResponse:
        """An account after a block, and the nonce for its next transaction."""
        checks = Checks()
        address = checks.address("address", request.address)
        checks.finish()
        height = readable_height(self._node.store, request.height if request.HasField("height") else None)
        account = await self._read(call, height, lambda state: state.account(address)) or EMPTY_ACCOUNT
        return _pb.GetAccountResponse(
            account=write_account(address, account),
            height=height,
            next_nonce=self._node.next_nonce(address),
            queued_nonces=self._node.mempool.queued_nonces(address)[:_QUEUED_NONCES_MAX],
        )

    async def get_storage(self, request: _pb.GetStorageRequest, call: Call) -> _pb.GetStorageResponse:
        """Words of a contract's storage."""
        checks = Checks()
        address = checks.address("address", request.address)
        slots = checks.hashes("slots", request.slots, 1, _SLOTS_MAX)
        checks.finish()
        height = readable_height(self._node.store, request.height if request.HasField("height") else None)
        words = await self._read(
            call, height, lambda state: [state.storage(address, int.from_bytes(slot, "big")) for slot in slots]
        )
        return _pb.GetStorageResponse(values=[word.to_bytes(32, "big") for word in words], height=height)

    async def get_code(self, request: _pb.GetCodeRequest, call: Call) -> _pb.GetCodeResponse:
        """A contract's code."""
        checks = Checks()
        address = checks.address("address", request.address)
        checks.finish()
        height = readable_height(self._node.store, request.height if request.HasField("height") else None)
        code_hash, code = await self._read(call, height, lambda state: _code_of(state, address))
        return _pb.GetCodeResponse(code=code, code_hash=code_hash, height=height)

    async def get_proof(self, request: _pb.GetProofRequest, call: Call) -> _pb.GetProofResponse:
        """Proof of an account and of slots, with what certifies the root."""
        checks = Checks()
        address = checks.address("address", request.address)
        slots = [int.from_bytes(slot, "big") for slot in checks.hashes("slots", request.slots, 0, _PROVED_SLOTS_MAX)]
        checks.finish()
        store = self._node.store
        height = readable_height(store, request.height if request.HasField("height") else None)
        header, commit = store.header(height), store.commit_of(height)
        assert header is not None, "a readable height has a header"
        root, validators = header.state_root, self._node.validators(height)
        proof = await self._worker.on_state(_piece(call), height, lambda state: _prove(root, state, address, slots))
        message = StateProof(
            proof=proof,
            header=encode_header(header),
            commit=b"" if commit is None else rlp.encode(commit_item(commit)),
            validators=() if validators is None else validators.validators,
        )
        return _pb.GetProofResponse(proof=write_proof(message), height=height)

    async def _read(self, call: Call, height: int, read: Callable[[ParentState], T]) -> T:
        """Read the state after ``height``: at once at the tip, where it is cached, else in the thread."""
        store = self._node.store
        if store.tip is not None and store.tip.number == height:
            return read(store.state(height))
        return await self._worker.on_state(_piece(call), height, read)


def _piece(call: Call) -> Piece:
    """How far back one caller's reads go, and how many slots they take, hardly differs from call to call."""
    caller = caller_of(call)
    return Piece(caller, (call.method, caller))


def _code_of(state: ParentState, address: bytes) -> tuple[bytes, bytes]:
    """Hash of an account's code, and the code."""
    code_hash = (state.account(address) or EMPTY_ACCOUNT).code_hash
    return code_hash, b"" if code_hash == EMPTY_ACCOUNT.code_hash else state.code(code_hash)


def _prove(root: bytes, state: FrozenState, address: bytes, slots: Sequence[int]) -> AccountProof:
    return prove(StateTrie.open(root, state, NodeCache(_PROOF_CACHE_BYTES)), address, slots)
