"""A state and a block that are other than they are, for one call (geth's state and block overrides)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from alatau.crypto.keccak import keccak256
from alatau.evm.environment import BlockEnvironment
from alatau.jsonrpc.errors import invalid_params
from alatau.jsonrpc.values import (
    field,
    read_address,
    read_data,
    read_hash,
    read_object,
    read_quantity,
    read_slot,
    read_uint64,
)
from alatau.state.parent import ParentState
from alatau.types.account import EMPTY_ACCOUNT, Account

_ACCOUNTS_MAX: Final = 1_024
"""Accounts, and slots of one: more than a call reads."""


@dataclass(frozen=True, slots=True)
class AccountOverride:
    """What an account is to be; None leaves it as it is."""

    balance: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    state: Mapping[int, int] | None = None
    """All of its storage."""
    state_diff: Mapping[int, int] | None = None
    """Some of its storage."""


StateOverrides = Mapping[bytes, AccountOverride]
"""By address."""
BlockOverrides = Callable[[BlockEnvironment], BlockEnvironment]


class OverriddenState:
    """A ``ParentState`` with other accounts."""

    def __init__(self, state: ParentState, overrides: StateOverrides) -> None:
        self._state = state
        self._overrides = overrides
        self._codes = {keccak256(each.code): each.code for each in overrides.values() if each.code is not None}

    def account(self, address: bytes) -> Account | None:
        """See ``ParentState``."""
        found, override = self._state.account(address), self._overrides.get(address)
        if override is None:
            return found
        account = found or EMPTY_ACCOUNT
        if override.balance is not None:
            account = replace(account, balance=override.balance)
        if override.nonce is not None:
            account = replace(account, nonce=override.nonce)
        if override.code is not None:
            account = replace(account, code_hash=keccak256(override.code))
        return None if account == EMPTY_ACCOUNT else account

    def storage(self, address: bytes, slot: int) -> int:
        """See ``ParentState``."""
        override = self._overrides.get(address)
        if override is not None:
            if override.state is not None:
                return override.state.get(slot, 0)
            if override.state_diff is not None and slot in override.state_diff:
                return override.state_diff[slot]
        return self._state.storage(address, slot)

    def code(self, code_hash: bytes) -> bytes:
        """See ``ParentState``."""
        return self._codes[code_hash] if code_hash in self._codes else self._state.code(code_hash)


def read_state_overrides(value: Any) -> StateOverrides:
    """An object of accounts by address."""
    document = read_object(value)
    if len(document) > _ACCOUNTS_MAX:
        raise invalid_params(f"{len(document)} accounts to override, at most {_ACCOUNTS_MAX}")
    return {read_address(address): _read_account(read_object(account)) for address, account in document.items()}


def _read_account(account: Mapping[str, Any]) -> AccountOverride:
    if account.get("movePrecompileToAddress") is not None:
        raise invalid_params("movePrecompileToAddress is not supported: precompiles stay where they are")
    override = AccountOverride(
        balance=field(account, "balance", read_quantity),
        nonce=field(account, "nonce", read_uint64),
        code=field(account, "code", read_data),
        state=field(account, "state", _read_slots),
        state_diff=field(account, "stateDiff", _read_slots),
    )
    if override.state is not None and override.state_diff is not None:
        raise invalid_params("account has both 'state' and 'stateDiff'")
    return override


def _read_slots(value: Any) -> Mapping[int, int]:
    document = read_object(value)
    if len(document) > _ACCOUNTS_MAX:
        raise invalid_params(f"{len(document)} slots, at most {_ACCOUNTS_MAX}")
    return {read_slot(slot): read_slot(held) for slot, held in document.items()}


def read_block_overrides(value: Any) -> BlockOverrides:
    """What contracts are to see of the block."""
    document = read_object(value)
    changes: dict[str, Any] = {
        "number": field(document, "number", read_uint64),
        "timestamp": field(document, "time", read_uint64),
        "gas_limit": field(document, "gasLimit", read_uint64),
        "beneficiary": field(document, "feeRecipient", read_address) or field(document, "coinbase", read_address),
        "prev_randao": field(document, "prevRandao", read_hash) or field(document, "random", read_hash),
        "base_fee_per_gas": field(document, "baseFeePerGas", read_quantity),
        "blob_base_fee": field(document, "blobBaseFee", read_quantity),
    }
    if changes["base_fee_per_gas"] is None:
        changes["base_fee_per_gas"] = field(document, "baseFee", read_quantity)
    given = {name: changed for name, changed in changes.items() if changed is not None}
    return lambda block: replace(block, **given)
