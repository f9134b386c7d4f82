"""The transaction object of calls (execution-apis, GenericTransaction): what of it counts where nobody signs."""

from collections.abc import Mapping
from typing import Any, Final

from alatau.chain.message import CallRequest
from alatau.jsonrpc.errors import JsonRpcError, invalid_params
from alatau.jsonrpc.values import (
    field,
    read_address,
    read_data,
    read_list,
    read_object,
    read_quantity,
    read_slot,
    read_uint64,
)
from alatau.types.transaction import AccessList, Authorization

DATA_SIZE_MAX: Final = 131_072
"""Bytes of call data: what a transaction may carry."""
_ENTRIES_MAX: Final = 4_096
"""Of an access list, and slots of an entry: gas bounds them further."""
_AUTHORIZATIONS_MAX: Final = 1_024


def read_call(value: Any, chain_id: int) -> CallRequest:
    """What to run; ``gas`` is None where none is named.

    Fields that only matter to a signed transaction (nonce, fees, type) are read and left: a call pays nothing.
    """
    document = read_object(value)
    for name in ("blobs", "blobVersionedHashes"):
        if document.get(name):
            raise invalid_params(f"{name}: this network takes no blob transactions")
    asked = field(document, "chainId", read_quantity)
    if asked is not None and asked != chain_id:
        raise JsonRpcError(-32000, f"chainId does not match node's (have={asked}, want={chain_id})")
    prices = [field(document, name, read_quantity) for name in ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas")]
    if prices[0] is not None and (prices[1] is not None or prices[2] is not None):
        raise JsonRpcError(-32000, "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    to, payload = field(document, "to", read_address), _payload(document)
    if to is None and not payload:
        raise JsonRpcError(-32000, "contract creation without any data provided")
    return CallRequest(
        sender=field(document, "from", read_address) or bytes(20),
        to=to,
        value=field(document, "value", read_quantity) or 0,
        data=payload,
        gas=field(document, "gas", read_uint64),
        gas_price=prices[0] or prices[1] or 0,
        access_list=field(document, "accessList", read_access_list) or (),
        authorizations=field(document, "authorizationList", _read_authorizations) or (),
    )


def read_access_list(value: Any) -> AccessList:
    """Accounts and slots (EIP-2930)."""
    entries = []
    for one in read_list(value, _ENTRIES_MAX):
        entry = read_object(one)
        slots = field(entry, "storageKeys", lambda keys: tuple(map(read_slot, read_list(keys, _ENTRIES_MAX))))
        address = field(entry, "address", read_address)
        if address is None:
            raise invalid_params("an entry of the access list has no address")
        entries.append((address, slots or ()))
    return tuple(entries)


def _payload(document: Mapping[str, Any]) -> bytes:
    data, payload = field(document, "data", read_data), field(document, "input", read_data)
    if data is not None and payload is not None and data != payload:
        raise JsonRpcError(-32000, 'both "data" and "input" are set and not equal')
    found = payload if payload is not None else data or b""
    if len(found) > DATA_SIZE_MAX:
        raise invalid_params(f"input has {len(found)} bytes, at most {DATA_SIZE_MAX}")
    return found


def _read_authorizations(value: Any) -> tuple[Authorization, ...]:
    return tuple(map(_read_authorization, read_list(value, _AUTHORIZATIONS_MAX)))


def _read_authorization(value: Any) -> Authorization:
    one = read_object(value)
    numbers = [field(one, name, read_quantity) or 0 for name in ("chainId", "nonce", "yParity", "r", "s")]
    address = field(one, "address", read_address)
    if address is None:
        raise invalid_params("an authorization has no address")
    return Authorization(numbers[0], address, *numbers[1:])
