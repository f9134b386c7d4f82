"""The Python SDK: ``connect`` for programs on Trio, ``connect_sync`` for scripts.

Everything that comes back is a value (``alatau.wire``, ``alatau.types``); everything that fails is a
:class:`ClientError` or, for what a node refused, an ``RpcError`` with a stable ``reason``.
"""

from alatau.client.client import Client, connect
from alatau.client.errors import (
    ClientError,
    ContractReverted,
    NodeUntrustworthyError,
    TransactionFailed,
    TransactionRefused,
)
from alatau.client.light import LightClient
from alatau.client.sync_client import SyncClient, connect_sync
from alatau.client.tls import client_tls
from alatau.client.wallet import Wallet
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.errors import RpcError

__all__ = [
    "Client",
    "ClientError",
    "ContractReverted",
    "LightClient",
    "NodeUntrustworthyError",
    "PrivateKey",
    "RpcError",
    "SyncClient",
    "TransactionFailed",
    "TransactionRefused",
    "Wallet",
    "client_tls",
    "connect",
    "connect_sync",
]
