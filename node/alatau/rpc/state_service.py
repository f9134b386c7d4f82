"""StateService: accounts, storage, code, and proofs of them."""

from alatau.codec import rlp
from alatau.pb.api.v1 import state_service_pb2
from alatau.rpc.committed_state import readable_height
from alatau.rpc.node import Node
from alatau.rpc.requests import Checks
from alatau.rpc.state_reads import PROVED_SLOTS_MAX, StateReads, code_of
from alatau.transport.call import Call
from alatau.types.account import EMPTY_ACCOUNT
from alatau.types.header import encode_header
from alatau.types.vote import commit_item
from alatau.wire.account import StateProof, write_account, write_proof

_pb = state_service_pb2

_QUEUED_NONCES_MAX = 64
"""Nonces behind a gap that GetAccount names: as far ahead as the pool takes one."""
_SLOTS_MAX = 1_024
"""Slots in one GetStorage: about 3 us each at the tip, up to 2 ms each a thousand blocks back."""


class StateApi:
    """Serves ``alatau.api.v1.StateService``."""

    def __init__(self, node: Node, reads: StateReads) -> None:
        self._node = node
        self._reads = reads

    async def get_account(self, request: _pb.GetAccountRequest, call: Call) -> _pb.GetAccountResponse:
        """An account after a block, and the nonce for its next transaction."""
        checks = Checks()
        address = checks.address("address", request.address)
        checks.finish()
        height = readable_height(self._node.store, request.height if request.HasField("height") else None)
        account = await self._reads.read(call, height, lambda state: state.account(address)) or EMPTY_ACCOUNT
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
        words = await self._reads.read(
            call, height, lambda state: [state.storage(address, int.from_bytes(slot, "big")) for slot in slots]
        )
        return _pb.GetStorageResponse(values=[word.to_bytes(32, "big") for word in words], height=height)

    async def get_code(self, request: _pb.GetCodeRequest, call: Call) -> _pb.GetCodeResponse:
        """A contract's code."""
        checks = Checks()
        address = checks.address("address", request.address)
        checks.finish()
        height = readable_height(self._node.store, request.height if request.HasField("height") else None)
        code_hash, code = await self._reads.read(call, height, lambda state: code_of(state, address))
        return _pb.GetCodeResponse(code=code, code_hash=code_hash, height=height)

    async def get_proof(self, request: _pb.GetProofRequest, call: Call) -> _pb.GetProofResponse:
        """Proof of an account and of slots, with what certifies the root."""
        checks = Checks()
        address = checks.address("address", request.address)
        slots = [int.from_bytes(slot, "big") for slot in checks.hashes("slots", request.slots, 0, PROVED_SLOTS_MAX)]
        checks.finish()
        store = self._node.store
        height = readable_height(store, request.height if request.HasField("height") else None)
        header, commit = store.header(height), store.commit_of(height)
        assert header is not None, "a readable height has a header"
        validators = self._node.validators(height)
        proof = await self._reads.prove(call, height, address, slots)
        message = StateProof(
            proof=proof,
            header=encode_header(header),
            commit=b"" if commit is None else rlp.encode(commit_item(commit)),
            validators=() if validators is None else validators.validators,
        )
        return _pb.GetProofResponse(proof=write_proof(message), height=height)
