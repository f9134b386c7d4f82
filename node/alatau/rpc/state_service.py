"""StateService: accounts, storage, code, and proofs of them."""

from alatau.codec import rlp
from alatau.pb.api.v1 import state_service_pb2
from alatau.rpc.committed_state import state_at
from alatau.rpc.node import Node
from alatau.rpc.requests import Checks
from alatau.transport.call import Call
from alatau.types.account import EMPTY_ACCOUNT
from alatau.types.header import encode_header
from alatau.types.vote import commit_item
from alatau.wire.account import StateProof, write_account, write_proof

_pb = state_service_pb2

_SLOTS_MAX = 1_024
"""Slots in one GetStorage: about 10 us each."""
_PROVED_SLOTS_MAX = 256
"""Slots in one GetProof: each takes about 10 nodes of 500 bytes, so this stays below 2 MiB."""


class StateApi:
    """Serves ``alatau.api.v1.StateService``."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def get_account(self, request: _pb.GetAccountRequest, _call: Call) -> _pb.GetAccountResponse:
        """An account after a block, and the nonce for its next transaction."""
        checks = Checks()
        address = checks.address("address", request.address)
        checks.finish()
        height, state = state_at(self._node.store, request.height if request.HasField("height") else None)
        account = state.account(address) or EMPTY_ACCOUNT
        return _pb.GetAccountResponse(
            account=write_account(address, account), height=height, next_nonce=self._node.next_nonce(address)
        )

    async def get_storage(self, request: _pb.GetStorageRequest, _call: Call) -> _pb.GetStorageResponse:
        """Words of a contract's storage."""
        checks = Checks()
        address = checks.address("address", request.address)
        slots = checks.hashes("slots", request.slots, 1, _SLOTS_MAX)
        checks.finish()
        height, state = state_at(self._node.store, request.height if request.HasField("height") else None)
        words = [state.storage(address, int.from_bytes(slot, "big")).to_bytes(32, "big") for slot in slots]
        return _pb.GetStorageResponse(values=words, height=height)

    async def get_code(self, request: _pb.GetCodeRequest, _call: Call) -> _pb.GetCodeResponse:
        """A contract's code."""
        checks = Checks()
        address = checks.address("address", request.address)
        checks.finish()
        height, state = state_at(self._node.store, request.height if request.HasField("height") else None)
        code_hash = (state.account(address) or EMPTY_ACCOUNT).code_hash
        code = b"" if code_hash == EMPTY_ACCOUNT.code_hash else state.code(code_hash)
        return _pb.GetCodeResponse(code=code, code_hash=code_hash, height=height)

    async def get_proof(self, request: _pb.GetProofRequest, _call: Call) -> _pb.GetProofResponse:
        """Proof of an account and of slots, with what certifies the root."""
        checks = Checks()
        address = checks.address("address", request.address)
        slots = checks.hashes("slots", request.slots, 0, _PROVED_SLOTS_MAX)
        checks.finish()
        store = self._node.store
        height, _ = state_at(store, request.height if request.HasField("height") else None)
        proof = store.proof(address, [int.from_bytes(slot, "big") for slot in slots], height)
        header, commit = store.header(height), store.commit_of(height)
        assert header is not None
        message = StateProof(
            proof=proof,
            header=encode_header(header),
            commit=b"" if commit is None else rlp.encode(commit_item(commit)),
        )
        return _pb.GetProofResponse(proof=write_proof(message), height=height)
