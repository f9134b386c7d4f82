"""``alatau_*``: what Ethereum has no words for: commits, validators, why the chain stands still, who may send."""

from typing import Any

from alatau.chain.permission import kind_of, licences_of, may_deploy, may_transact, slot_of
from alatau.chain.registries import registry_in_office
from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.block_id import LATEST, height_of, read_block_id
from alatau.jsonrpc.errors import SERVER_ERROR, JsonRpcError
from alatau.jsonrpc.values import data, quantity, read_address
from alatau.rpc.committed_state import readable_height
from alatau.rpc.final_block import tip_height
from alatau.rpc.services import Parts
from alatau.rpc.stall import diagnose_node
from alatau.state.parent import ParentState


class OwnMethods:
    """What only this chain has."""

    def __init__(self, parts: Parts) -> None:
        self._node = parts.node
        self._reads = parts.reads

    async def commit(self, asked: Asked) -> Any:
        """Who signed a block, and what; null for genesis, which nobody signed."""
        asked.most(1)
        height = height_of(self._node.store, asked.get(0, read_block_id, LATEST))
        commit = self._node.store.commit_of(height)
        if commit is None:
            return None
        return {
            "height": quantity(commit.height),
            "round": quantity(commit.round),
            "blockHash": data(commit.block_hash),
            "signatures": [
                {"validator": data(one.validator), "signature": data(one.signature)} for one in commit.signatures
            ],
        }

    async def validators(self, asked: Asked) -> Any:
        """The set that decides the block after one; by default the next block's."""
        asked.most(1)
        height = height_of(self._node.store, asked.get(0, read_block_id, LATEST)) + 1
        validators = self._node.validators(height)
        if validators is None:
            raise JsonRpcError(SERVER_ERROR, f"the validators of height {height} are not known here any more")
        return {
            "height": quantity(height),
            "setHash": data(validators.hash),
            "totalPower": quantity(validators.total_power),
            "validators": [
                {"address": data(one.address), "power": quantity(one.power)} for one in validators.validators
            ],
        }

    async def consensus(self, asked: Asked) -> Any:
        """Whether blocks should be coming but are not, and what is waited for, in sentences."""
        asked.most(0)
        diagnosis = diagnose_node(self._node)
        return {
            "height": quantity(tip_height(self._node.store) + 1),
            "stalled": diagnosis.stalled,
            "explanations": list(diagnosis.sentences),
        }

    async def permission(self, asked: Asked) -> Any:
        """What the registry lets an account do now."""
        asked.most(2)
        address = asked.at(0, read_address)
        height = readable_height(self._node.store, height_of(self._node.store, asked.get(1, read_block_id, LATEST)))
        registry, now = self._node.config.system.participant_registry, self._node.next_block_time()
        if registry is None:
            return {"registry": None, "mayTransact": True, "mayDeploy": True}

        def word_of(state: ParentState) -> tuple[bytes, int]:
            in_office = registry_in_office(state, registry)
            return in_office, state.storage(in_office, slot_of(address))

        in_office, word = await self._reads.read(asked.call, height, word_of)
        kind = kind_of(word)
        return {
            "registry": data(in_office),
            "mayTransact": may_transact(word, now),
            "mayDeploy": may_deploy(word, now),
            "kind": None if kind is None else kind.name.lower(),
            "licences": quantity(licences_of(word, now)),
        }
