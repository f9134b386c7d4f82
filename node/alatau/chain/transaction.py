"""One transaction: whether it may be included, and what it does (Yellow Paper, section 6; the EIPs named below).

Fees are Ethereum's: the base fee is burnt, the priority fee goes to the block's beneficiary. On a network with
a base fee of 0 and prices of 0 the same rules cost nobody anything.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from alatau.chain.authorization import apply_authorizations
from alatau.evm.bounds import INITCODE_SIZE_MAX, NONCE_MAX
from alatau.evm.calls import create_address, delegate_of
from alatau.evm.environment import BlockEnvironment, TransactionEnvironment
from alatau.evm.frame import Runtime, Tracer
from alatau.evm.gas import (
    G_ACCESSLISTADDRESS,
    G_ACCESSLISTSTORAGE,
    G_INITCODEWORD,
    G_TRANSACTION,
    G_TXCREATE,
    GAS_PER_BLOB,
    MAX_REFUND_QUOTIENT,
    PER_EMPTY_ACCOUNT_COST,
    STANDARD_TOKEN_COST,
    TOKENS_PER_NONZERO_BYTE,
    TOTAL_COST_FLOOR_PER_TOKEN,
    words,
)
from alatau.evm.message import Message, run_message
from alatau.evm.precompiles import precompiles
from alatau.state.block_state import (
    BlockState,
    add_balance,
    balance_of,
    begin_transaction,
    code_hash_of,
    code_with_hash,
    end_transaction,
    nonce_of,
    set_balance,
    set_nonce,
    touch,
    warm_slot,
)
from alatau.types.chain_config import Fork
from alatau.types.receipt import Log
from alatau.types.transaction import AccessList, Transaction, TransactionType

TRANSACTION_GAS_MAX: Final = {Fork.OSAKA: 1 << 24}
"""Most gas that one transaction may ask for, where the fork has a limit (EIP-7825)."""

BLOBS_MAX: Final = {Fork.PRAGUE: 9, Fork.OSAKA: 6}
"""Blobs of one transaction: in Prague a block's (EIP-7691), in Osaka a limit of their own (EIP-7594)."""

BLOB_VERSION: Final = 1
"""First byte of a versioned hash (EIP-4844)."""


class InvalidTransactionError(ValueError):
    """A well-formed transaction that the state refuses. The sender's: the reason says what to change.

    Nothing is changed or charged. ``nonce_too_high`` and ``insufficient_funds`` may heal by waiting.
    """

    def __init__(self, reason: str, message: str, **values: int) -> None:
        super().__init__(message)
        self.reason: Final = reason
        """Stable, for programs: ``nonce_too_low`` and so on; ``validate_transaction`` lists them."""
        self.values: Final = values
        """What the message says in words, for programs; names are those of the client API's errors."""


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """What a transaction did, apart from the state."""

    succeeded: bool
    reverted: bool
    """It ended with REVERT, and ``output`` is the contract's reason."""
    gas_used: int
    """After refunds."""
    logs: tuple[Log, ...]
    output: bytes
    """What the call returned; of a creation the deployed code."""
    contract_address: bytes | None
    """The account created, if the transaction asked for one and succeeded."""


def validate_transaction(block: BlockEnvironment, state: BlockState, tx: Transaction, sender: bytes) -> tuple[int, int]:
    """Check everything that inclusion in ``block`` demands, and give the intrinsic gas and its floor.

    Raises:
        InvalidTransactionError: with one of the reasons ``wrong_chain``, ``gas_limit_above_block``,
            ``gas_limit_above_cap``, ``tip_above_fee_cap``, ``fee_cap_below_base_fee``, ``initcode_too_large``,
            ``intrinsic_gas``, ``no_authorizations``, ``no_blobs``, ``too_many_blobs``, ``blob_version``,
            ``blob_fee_cap_below_base_fee``, ``nonce_too_low``, ``nonce_too_high``, ``nonce_at_maximum``,
            ``insufficient_funds``, ``sender_has_code``.
    """
    intrinsic, floor = intrinsic_gas(tx.to, tx.data, tx.access_list, len(tx.authorizations))
    _check_terms(block, tx, max(intrinsic, floor))
    if tx.type is TransactionType.BLOB:
        _check_blobs(block, tx)
    _check_sender(state, tx, sender)
    return intrinsic, floor


def check_terms(block: BlockEnvironment, tx: Transaction) -> None:
    """The part of ``validate_transaction`` that needs no state: what a mempool checks on admission.

    Raises:
        InvalidTransactionError: as there.
    """
    _check_terms(block, tx, max(intrinsic_gas(tx.to, tx.data, tx.access_list, len(tx.authorizations))))


def intrinsic_gas(
    to: bytes | None, data: bytes, access_list: AccessList = (), authorization_count: int = 0
) -> tuple[int, int]:
    """Gas charged before execution, and the least that is charged in all (EIP-7623)."""
    zeros = data.count(0)
    tokens = zeros + TOKENS_PER_NONZERO_BYTE * (len(data) - zeros)
    gas = G_TRANSACTION + STANDARD_TOKEN_COST * tokens + PER_EMPTY_ACCOUNT_COST * authorization_count
    if to is None:
        gas += G_TXCREATE + G_INITCODEWORD * words(len(data))
    for _, slots in access_list:
        gas += G_ACCESSLISTADDRESS + G_ACCESSLISTSTORAGE * len(slots)
    return gas, G_TRANSACTION + TOTAL_COST_FLOOR_PER_TOKEN * tokens


def apply_transaction(
    block: BlockEnvironment,
    state: BlockState,
    tx: Transaction,
    sender: bytes,
    tracer: Tracer | None = None,
    runtime: Runtime | None = None,
) -> TransactionResult:
    """Execute ``tx`` on ``state``.

    Raises:
        InvalidTransactionError: it may not be included; the state is as before.
    """
    intrinsic, floor = validate_transaction(block, state, tx, sender)
    begin_transaction(state)
    tip = min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - block.base_fee_per_gas)
    price = block.base_fee_per_gas + tip
    blob_fee = GAS_PER_BLOB * len(tx.blob_versioned_hashes) * block.blob_base_fee
    set_balance(state, sender, balance_of(state, sender) - tx.gas_limit * price - blob_fee)
    set_nonce(state, sender, tx.nonce + 1)
    warm_up(block, state, sender, tx.to, tx.access_list)
    refund = apply_authorizations(block, state, tx.authorizations)

    message = message_of(state, sender, tx.nonce, tx.to, tx.value, tx.data, tx.gas_limit - intrinsic)
    transaction = TransactionEnvironment(sender, price, tx.blob_versioned_hashes)
    outcome = run_message(state, block, transaction, message, tracer, runtime)

    gas_used = gas_to_pay(tx.gas_limit - outcome.gas_left, state.refund + refund, floor)
    add_balance(state, sender, (tx.gas_limit - gas_used) * price)
    add_balance(state, block.beneficiary, gas_used * tip)
    touch(state, block.beneficiary)
    end_transaction(state)
    return TransactionResult(
        succeeded=outcome.succeeded,
        reverted=outcome.reverted,
        gas_used=gas_used,
        logs=tuple(state.logs),
        output=outcome.output,
        contract_address=message.address if outcome.succeeded and message.creates else None,
    )


def _check_terms(block: BlockEnvironment, tx: Transaction, gas_needed: int) -> None:
    """What the transaction offers against what the block takes."""
    if tx.chain_id is not None and tx.chain_id != block.chain_id:
        raise InvalidTransactionError("wrong_chain", f"signed for chain {tx.chain_id}, this is {block.chain_id}")
    if tx.gas_limit > block.gas_limit:
        raise InvalidTransactionError(
            "gas_limit_above_block",
            f"gas limit {tx.gas_limit} is above the block's, {block.gas_limit}",
            gas_limit_max=block.gas_limit,
        )
    cap = TRANSACTION_GAS_MAX.get(block.fork)
    if cap is not None and tx.gas_limit > cap:
        raise InvalidTransactionError(
            "gas_limit_above_cap", f"gas limit {tx.gas_limit} is above {cap} (EIP-7825)", gas_limit_max=cap
        )
    if tx.max_priority_fee_per_gas > tx.max_fee_per_gas:
        raise InvalidTransactionError("tip_above_fee_cap", "priority fee is above the fee cap (EIP-1559)")
    if tx.max_fee_per_gas < block.base_fee_per_gas:
        raise InvalidTransactionError(
            "fee_cap_below_base_fee",
            f"fee cap {tx.max_fee_per_gas} is below the base fee {block.base_fee_per_gas}",
            max_fee_per_gas_needed=block.base_fee_per_gas,
        )
    if tx.to is None and len(tx.data) > INITCODE_SIZE_MAX:
        raise InvalidTransactionError(
            "initcode_too_large", f"initcode has {len(tx.data)} bytes, at most {INITCODE_SIZE_MAX} (EIP-3860)"
        )
    if tx.gas_limit < gas_needed:
        raise InvalidTransactionError(
            "intrinsic_gas", f"gas limit {tx.gas_limit} is below the {gas_needed} it needs", gas_needed=gas_needed
        )
    if tx.type is TransactionType.SET_CODE and not tx.authorizations:
        raise InvalidTransactionError("no_authorizations", "a set-code transaction without authorizations (EIP-7702)")


def _check_blobs(block: BlockEnvironment, tx: Transaction) -> None:
    """EIP-4844 and the limits of the fork. A network refuses blobs altogether, on admission."""
    hashes = tx.blob_versioned_hashes
    if not hashes:
        raise InvalidTransactionError("no_blobs", "a blob transaction without blobs")
    if len(hashes) > BLOBS_MAX[block.fork]:
        raise InvalidTransactionError("too_many_blobs", f"{len(hashes)} blobs, at most {BLOBS_MAX[block.fork]}")
    if any(hash_[0] != BLOB_VERSION for hash_ in hashes):
        raise InvalidTransactionError("blob_version", "a blob's versioned hash does not begin with 0x01")
    if tx.max_fee_per_blob_gas < block.blob_base_fee:
        raise InvalidTransactionError(
            "blob_fee_cap_below_base_fee", f"blob fee cap is below the blob base fee {block.blob_base_fee}"
        )


def _check_sender(state: BlockState, tx: Transaction, sender: bytes) -> None:
    """Nonce, funds, and that no contract signs (EIP-3607)."""
    nonce = nonce_of(state, sender)
    if tx.nonce < nonce:
        raise InvalidTransactionError("nonce_too_low", f"nonce {tx.nonce}, the account's next is {nonce}")
    if tx.nonce > nonce:
        raise InvalidTransactionError("nonce_too_high", f"nonce {tx.nonce}, the account's next is {nonce}")
    if nonce == NONCE_MAX:
        raise InvalidTransactionError("nonce_at_maximum", "the account's nonce can grow no more (EIP-2681)")
    blob_fee = GAS_PER_BLOB * len(tx.blob_versioned_hashes) * tx.max_fee_per_blob_gas
    cost = tx.gas_limit * tx.max_fee_per_gas + blob_fee + tx.value
    if state.balances[sender] < cost:
        message = f"balance {state.balances[sender]}, it may cost {cost} wei"
        raise InvalidTransactionError("insufficient_funds", message, balance=state.balances[sender], needed=cost)
    code = code_with_hash(state, code_hash_of(state, sender))
    if code and delegate_of(code) is None:
        raise InvalidTransactionError("sender_has_code", "the sender is a contract (EIP-3607)")


@cache
def _precompile_addresses(fork: Fork) -> dict[bytes, None]:
    return {address.to_bytes(20): None for address in precompiles(fork)}


def warm_up(
    block: BlockEnvironment, state: BlockState, sender: bytes, to: bytes | None, access_list: AccessList
) -> None:
    """Warm what is warm from the start (EIP-2929, EIP-2930, EIP-3651)."""
    warm = state.warm = _precompile_addresses(block.fork).copy()
    warm[sender] = None
    warm[block.beneficiary] = None
    if to is not None:
        warm[to] = None
    for address, slots in access_list:
        warm[address] = None
        for slot in slots:
            warm_slot(state, address, slot)


def message_of(
    state: BlockState, sender: bytes, nonce: int, to: bytes | None, value: int, data: bytes, gas: int
) -> Message:
    """The message that a transaction stands for; what it runs becomes warm."""
    if to is None:
        address = create_address(sender, nonce)
        state.warm[address] = None
        return Message(sender, address, data, creates=True, value=value, data=b"", gas=gas)
    code = code_with_hash(state, code_hash_of(state, to))
    delegate = delegate_of(code)
    if delegate is not None:
        state.warm[delegate] = None
        code = code_with_hash(state, code_hash_of(state, delegate))
    return Message(
        sender, to, code, creates=False, value=value, data=data, gas=gas, precompile_allowed=delegate is None
    )


def gas_to_pay(used: int, refund: int, floor: int) -> int:
    """Gas to pay for: refunds are capped (EIP-3529), the floor holds after them (EIP-7623)."""
    return max(used - min(refund, used // MAX_REFUND_QUOTIENT), floor)
