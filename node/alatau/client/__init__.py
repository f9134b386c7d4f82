"""The Python SDK: ``connect`` for programs on Trio, ``connect_sync`` for scripts.

Everything that comes back is a value (``alatau.wire``, ``alatau.types``); everything that fails is a
:class:`ClientError` or, for what a node refused, an ``RpcError`` with a stable ``reason``.
"""

from alatau.client.client import Client, connect
from alatau.client.errors import (
    ClientError,
    ContractFailed,
    ContractHalted,
    ContractReverted,
    NodeUntrustworthyError,
    TransactionFailed,
    TransactionRefused,
)
from alatau.client.keystore import KeystoreError, WrongPasswordError
from alatau.client.light import LightClient
from alatau.client.sync_client import SyncClient, connect_sync
from alatau.client.tls import client_tls
from alatau.client.wallet import Wallet
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.errors import RpcError
from alatau.wire.logs import EventFilter

__all__ = [
    "Client",
    "ClientError",
    "ContractFailed",
    "ContractHalted",
    "ContractReverted",
    "EventFilter",
    "KeystoreError",
    "LightClient",
    "NodeUntrustworthyError",
    "PrivateKey",
    "RpcError",
    "SyncClient",
    "TransactionFailed",
    "TransactionRefused",
    "Wallet",
    "WrongPasswordError",
    "client_tls",
    "connect",
    "connect_sync",
]
