"""The network and this node."""

import sys
from typing import Any

import alatau
from alatau.crypto.keccak import keccak256
from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.errors import SERVER_ERROR, JsonRpcError
from alatau.jsonrpc.values import data, quantity, read_data
from alatau.rpc.final_block import tip_height
from alatau.rpc.node import SyncState
from alatau.rpc.services import Parts


class NetworkMethods:
    """Who answers, and for which network."""

    def __init__(self, parts: Parts) -> None:
        self._node = parts.node

    async def chain_id(self, asked: Asked) -> Any:
        """EIP-155's."""
        asked.most(0)
        return quantity(self._node.config.chain_id)

    async def net_version(self, asked: Asked) -> Any:
        """The chain id, in decimal."""
        asked.most(0)
        return str(self._node.config.chain_id)

    async def net_listening(self, asked: Asked) -> Any:
        """It does."""
        asked.most(0)
        return True

    async def peer_count(self, asked: Asked) -> Any:
        """Nodes that are connected."""
        asked.most(0)
        return quantity(len(self._node.peers()))

    async def client_version(self, asked: Asked) -> Any:
        """Name, version and platform."""
        asked.most(0)
        python = ".".join(map(str, sys.version_info[:3]))
        return f"Alatau/v{alatau.__version__}/{sys.platform}/python{python}"

    async def sha3(self, asked: Asked) -> Any:
        """keccak256 of some bytes."""
        asked.most(1)
        return data(keccak256(asked.at(0, read_data)))

    async def syncing(self, asked: Asked) -> Any:
        """False at the tip; else how far the node is."""
        asked.most(0)
        status = self._node.status()
        if status.sync_state is SyncState.SYNCED:
            return False
        height = tip_height(self._node.store)
        return {
            "startingBlock": quantity(0),
            "currentBlock": quantity(height),
            "highestBlock": quantity(max(height, status.highest_peer_height)),
        }

    async def accounts(self, asked: Asked) -> Any:
        """None: a node holds no keys of users."""
        asked.most(0)
        return []

    async def coinbase(self, asked: Asked) -> Any:
        """The address of this validator."""
        asked.most(0)
        address = self._node.status().validator_address
        if address is None:
            raise JsonRpcError(SERVER_ERROR, "this node is an observer and builds no blocks")
        return data(address)

    async def mining(self, asked: Asked) -> Any:
        """Nobody mines."""
        asked.most(0)
        return False

    async def hash_rate(self, asked: Asked) -> Any:
        """Nobody mines."""
        asked.most(0)
        return quantity(0)
