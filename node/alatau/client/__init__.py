"""The Python SDK: ``connect`` for programs on Trio, ``connect_sync`` for scripts.

Everything that comes back is a value (``alatau.wire``, ``alatau.types``); everything that fails is a
:class:`ClientError` or, for what a node refused, an ``RpcError`` with a stable ``reason``.

A name is imported when it is first asked for (PEP 562): a node reads a keystore and no more of the SDK, and starts
without the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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

_PLACES: Final = {
    "alatau.client.client": ("Client", "connect"),
    "alatau.client.errors": (
        "ClientError",
        "ContractFailed",
        "ContractHalted",
        "ContractReverted",
        "NodeUntrustworthyError",
        "TransactionFailed",
        "TransactionRefused",
    ),
    "alatau.client.keystore": ("KeystoreError", "WrongPasswordError"),
    "alatau.client.light": ("LightClient",),
    "alatau.client.sync_client": ("SyncClient", "connect_sync"),
    "alatau.client.tls": ("client_tls",),
    "alatau.client.wallet": ("Wallet",),
    "alatau.crypto.secp256k1": ("PrivateKey",),
    "alatau.transport.errors": ("RpcError",),
    "alatau.wire.logs": ("EventFilter",),
}
_PLACE_OF: Final = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A name of ``__all__``, imported now and kept."""
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PLACE_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
