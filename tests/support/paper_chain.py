"""A chain of headers and commits only, whose validators change with height, for light clients."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from alatau.client.exchange import Plan
from alatau.client.light import LightClient
from alatau.crypto.secp256k1 import PrivateKey
from alatau.pb.api.v1 import block_service_pb2, node_pb2, node_service_pb2
from alatau.transport.errors import Code, RpcError
from alatau.types.header import ZERO_HASH, Header, header_hash
from alatau.types.validator import Validator, ValidatorSet, validator_set
from alatau.types.vote import Commit, CommitSignature, VoteKind, consensus_domain, vote_digest
from alatau.wire.block import write_commit, write_header
from alatau.wire.status import write_validator
from tests.support.transactions import CHAIN_ID

KEYS = [PrivateKey(bytes([n]) * 32) for n in range(1, 13)]


def members(keys: Sequence[PrivateKey]) -> ValidatorSet:
    """A set in which each key has the same power."""
    return validator_set(Validator(key.address, 1, bytes(32), "127.0.0.1:1", "") for key in keys)


class PaperChain:
    """Headers and commits of a chain whose validators change with height; answers a light client's plans."""

    def __init__(self, template: Header, keys_at: Callable[[int], Sequence[PrivateKey]], length: int) -> None:
        self.keys_at = keys_at
        self.height = length
        self.headers: list[Header] = []
        self.asked: list[int] = []
        parent = ZERO_HASH
        for number in range(length + 1):
            extra = members(keys_at(max(1, number))).hash
            self.headers.append(replace(template, number=number, parent_hash=parent, extra_data=extra))
            parent = header_hash(self.headers[-1])
        self.genesis_hash = header_hash(self.headers[0])
        self.domain = consensus_domain(CHAIN_ID, self.genesis_hash)

    def commit(self, height: int, keys: Sequence[PrivateKey] | None = None) -> Commit:
        """The commit of a height, by its validators or by ``keys``."""
        block_hash = header_hash(self.headers[height])
        digest = vote_digest(self.domain, VoteKind.PRECOMMIT, height, 0, block_hash)
        signers = sorted(self.keys_at(height) if keys is None else keys, key=lambda key: key.address)
        return Commit(height, 0, block_hash, tuple(CommitSignature(k.address, k.sign(digest)) for k in signers))

    def run(self, plan: Plan[Any], signers: Sequence[PrivateKey] | None = None) -> Any:
        """Carry out a plan."""
        answer = None
        try:
            while True:
                asked: Any = plan.send(answer)
                answer = self._answer(asked.request, signers)
        except StopIteration as stop:
            return stop.value

    def _answer(self, request: Any, signers: Sequence[PrivateKey] | None) -> Any:
        if isinstance(request, node_service_pb2.ListValidatorsRequest):
            validators = members(self.keys_at(request.height))
            return node_service_pb2.ListValidatorsResponse(
                validators=[write_validator(v) for v in validators.validators], height=request.height
            )
        if isinstance(request, node_service_pb2.GetStatusRequest):
            return node_service_pb2.GetStatusResponse(
                height=self.height, genesis_hash=self.genesis_hash, sync_state=node_pb2.SYNC_STATE_SYNCED
            )
        height = request.height
        if height > self.height:
            raise RpcError(Code.OUT_OF_RANGE, f"height {height} is not decided yet", reason="HEIGHT_NOT_REACHED")
        if isinstance(request, block_service_pb2.GetCommitRequest):
            return block_service_pb2.GetCommitResponse(commit=write_commit(self.commit(height, signers), b""))
        self.asked.append(height)
        response = block_service_pb2.GetBlockResponse()
        response.block.header.CopyFrom(write_header(self.headers[height]))
        return response


def paper_client(chain: PaperChain) -> LightClient:
    """A light client that trusts block 0, when that was new."""
    light: LightClient = chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash))
    light.clock = lambda: float(chain.headers[0].timestamp)
    return light
