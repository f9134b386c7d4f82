"""The state as a block's transactions read and write it.

Reads fall through from what the block wrote to the parent state; the first read of an account or a slot
leaves its value here, so that the parent is asked once per block. Writes go through a journal of
``(mapping, key, previous value)``: a call frame that reverts pops its entries, and nothing is ever copied.
Everything that a revert must undo is therefore a ``dict``, including the sets of warm addresses and slots
(EIP-2929) and the accounts created and destroyed (EIP-6780).

Accounts are kept as three mappings, because most changes touch one field: a transfer writes balances only.
An account without nonce, balance and code does not exist (EIP-161), so existence needs no mark of its own.

The EVM's hottest reads are inlined where they happen (``alatau.evm``); the functions here are the others.
"""

from typing import Any, Final, TypeAlias

from alatau.crypto.keccak import EMPTY_HASH, keccak256
from alatau.state.diff import BlockDiff
from alatau.state.parent import ParentState
from alatau.types.account import EMPTY_ACCOUNT, Account
from alatau.types.header import EMPTY_ROOT
from alatau.types.receipt import Log

ABSENT: Final = object()
"""Stands in the journal for the previous value of a key that was not there."""

Journal: TypeAlias = list[tuple[dict[Any, Any], Any, Any]]


class BlockState:
    """One block's view of the state. Not shared between blocks; cheap to make."""

    __slots__ = (
        "balances",
        "code_hashes",
        "codes",
        "created",
        "destroyed",
        "hollow",
        "journal",
        "loaded",
        "loaded_slots",
        "logs",
        "nonces",
        "parent",
        "refund",
        "slots",
        "touched",
        "transient",
        "warm",
        "warm_slots",
    )

    def __init__(self, parent: ParentState) -> None:
        self.parent = parent
        # Of the block: what was read of the parent, and what is current.
        self.loaded: dict[bytes, Account | None] = {}
        self.balances: dict[bytes, int] = {}
        self.nonces: dict[bytes, int] = {}
        self.code_hashes: dict[bytes, bytes] = {}
        self.loaded_slots: dict[bytes, dict[int, int]] = {}
        self.slots: dict[bytes, dict[int, int]] = {}
        self.codes: dict[bytes, bytes] = {EMPTY_HASH: b""}
        self.hollow: set[bytes] = set()
        """Accounts that are there but empty: left from before EIP-161, on a chain that old."""
        self.touched: dict[bytes, None] = {}
        """Those of them that were touched, and are removed unless something was put into them."""
        # Of the transaction.
        self.journal: Journal = []
        self.logs: list[Log] = []
        self.refund = 0
        self.warm: dict[bytes, None] = {}
        self.warm_slots: dict[bytes, dict[int, int]] = {}
        """Address -> warm slot -> its value when the transaction began (EIP-2200's original value)."""
        self.transient: dict[bytes, dict[int, int]] = {}
        self.created: dict[bytes, None] = {}
        self.destroyed: dict[bytes, None] = {}

    def account(self, address: bytes) -> Account | None:
        """The current account, with its parent's storage root. For reads outside of the EVM."""
        balance = balance_of(self, address)
        nonce, code_hash = self.nonces[address], self.code_hashes[address]
        if not (nonce or balance) and code_hash == EMPTY_HASH:
            return None
        before = self.loaded[address]
        return Account(nonce, balance, EMPTY_ROOT if before is None else before.storage_root, code_hash)

    def storage(self, address: bytes, slot: int) -> int:
        """The current word of a slot. For reads outside of the EVM."""
        slots = slots_of(self, address)
        return slots[slot] if slot in slots else load_slot(self, address, slot)

    def code(self, code_hash: bytes) -> bytes:
        """The code with that hash."""
        return code_with_hash(self, code_hash)

    def diff(self) -> BlockDiff:
        """What the block changed so far."""
        return diff_of(self)


def begin_transaction(state: BlockState) -> None:
    """Forget what lives as long as a transaction: warm sets, transient storage, originals, journal, logs."""
    state.journal = []
    state.logs = []
    state.refund = 0
    state.warm = {}
    state.warm_slots = {}
    state.transient = {}
    state.created = {}
    state.destroyed = {}


def end_transaction(state: BlockState) -> None:
    """Remove the accounts that were created and destroyed in this transaction (EIP-6780)."""
    for address in state.destroyed:
        state.balances[address] = 0
        state.nonces[address] = 0
        state.code_hashes[address] = EMPTY_HASH
        slots = state.slots.get(address)
        if slots:
            # Creation demands empty storage (EIP-7610), so whatever is there was written in this transaction.
            for slot in slots:
                slots[slot] = 0


def rollback(state: BlockState, mark: int, log_mark: int, refund: int) -> None:
    """Undo everything journaled since the journal had ``mark`` entries."""
    journal = state.journal
    while len(journal) > mark:
        mapping, key, previous = journal.pop()
        if previous is ABSENT:
            del mapping[key]
        else:
            mapping[key] = previous
    del state.logs[log_mark:]
    state.refund = refund


def load_account(state: BlockState, address: bytes) -> None:
    """Bring an account from the parent state."""
    account = state.parent.account(address)
    state.loaded[address] = account
    if account is None:
        account = EMPTY_ACCOUNT
    elif not (account.balance or account.nonce) and account.code_hash == EMPTY_HASH:
        state.hollow.add(address)
    state.nonces[address] = account.nonce
    state.code_hashes[address] = account.code_hash
    state.balances[address] = account.balance


def touch(state: BlockState, address: bytes) -> None:
    """Have an empty account removed, which a call or a fee of 0 does (EIP-161)."""
    if address in state.hollow and address not in state.touched:
        state.touched[address] = None
        state.journal.append((state.touched, address, ABSENT))


def balance_of(state: BlockState, address: bytes) -> int:
    """The balance in wei."""
    if address not in state.balances:
        load_account(state, address)
    return state.balances[address]


def nonce_of(state: BlockState, address: bytes) -> int:
    """The nonce."""
    if address not in state.nonces:
        load_account(state, address)
    return state.nonces[address]


def code_hash_of(state: BlockState, address: bytes) -> bytes:
    """The hash of an account's code; of no code for an account that does not exist."""
    if address not in state.code_hashes:
        load_account(state, address)
    return state.code_hashes[address]


def code_with_hash(state: BlockState, code_hash: bytes) -> bytes:
    """The code with that hash."""
    code = state.codes.get(code_hash)
    if code is None:
        code = state.codes[code_hash] = state.parent.code(code_hash)
    return code


def is_alive(state: BlockState, address: bytes) -> bool:
    """Whether an account exists and is not empty (EIP-161)."""
    return bool(balance_of(state, address) or state.nonces[address] or state.code_hashes[address] != EMPTY_HASH)


def exists(state: BlockState, address: bytes) -> bool:
    """Whether an account is in the state, be it empty.

    Only an allocation of a genesis of old, or a test, puts an empty account there (EIP-161, EIP-7523).
    """
    return is_alive(state, address) or (address in state.hollow and address not in state.touched)


def has_storage(state: BlockState, address: bytes) -> bool:
    """Whether any slot of an account is set (EIP-7610)."""
    balance_of(state, address)
    before = state.loaded[address]
    if before is not None and before.storage_root != EMPTY_ROOT:
        return True
    return any(state.slots.get(address, {}).values())


def set_balance(state: BlockState, address: bytes, balance: int) -> None:
    """Write a balance; the account has been loaded."""
    balances = state.balances
    state.journal.append((balances, address, balances[address]))
    balances[address] = balance


def add_balance(state: BlockState, address: bytes, amount: int) -> None:
    """Credit (or, with a negative amount that it covers, debit) an account."""
    set_balance(state, address, balance_of(state, address) + amount)


def set_nonce(state: BlockState, address: bytes, nonce: int) -> None:
    """Write a nonce; the account has been loaded."""
    nonces = state.nonces
    state.journal.append((nonces, address, nonces[address]))
    nonces[address] = nonce


def set_code(state: BlockState, address: bytes, code: bytes) -> None:
    """Write an account's code; the account has been loaded."""
    hashes = state.code_hashes
    state.journal.append((hashes, address, hashes[address]))
    code_hash = keccak256(code)
    hashes[address] = code_hash
    state.codes[code_hash] = code


def warm_account(state: BlockState, address: bytes) -> bool:
    """Mark an address as accessed (EIP-2929); whether it was cold."""
    if address in state.warm:
        return False
    state.warm[address] = None
    state.journal.append((state.warm, address, ABSENT))
    return True


def slots_of(state: BlockState, address: bytes) -> dict[int, int]:
    """Current values of an account's slots, as far as they were read."""
    slots = state.slots.get(address)
    if slots is None:
        slots = state.slots[address] = {}
        state.loaded_slots[address] = {}
    return slots


def warm_slots_of(state: BlockState, address: bytes) -> dict[int, int]:
    """An account's warm slots with their original values."""
    warm = state.warm_slots.get(address)
    if warm is None:
        warm = state.warm_slots[address] = {}
    return warm


def load_slot(state: BlockState, address: bytes, slot: int) -> int:
    """Bring a slot from the parent state."""
    value = state.parent.storage(address, slot)
    state.loaded_slots[address][slot] = value
    state.slots[address][slot] = value
    return value


def warm_slot(state: BlockState, address: bytes, slot: int) -> None:
    """Mark a slot as accessed, as an access list does (EIP-2930)."""
    warm = warm_slots_of(state, address)
    if slot not in warm:
        slots = slots_of(state, address)
        warm[slot] = slots[slot] if slot in slots else load_slot(state, address, slot)
        state.journal.append((warm, slot, ABSENT))


def diff_of(state: BlockState) -> BlockDiff:
    """Net changes against the parent state; what ended as it began is left out."""
    diff = BlockDiff()
    for address, slots in state.slots.items():
        before = state.loaded_slots[address]
        written = {slot: value for slot, value in slots.items() if value != before[slot]}
        if written:
            diff.storage[address] = written
            if address not in state.loaded:
                load_account(state, address)
    for address, old in state.loaded.items():
        account = state.account(address)
        if account is None:
            if old is not None and (address not in state.hollow or address in state.touched):
                diff.accounts[address] = None
                diff.storage.pop(address, None)
        elif account != old or address in diff.storage:
            diff.accounts[address] = account
            if account.code_hash != (EMPTY_HASH if old is None else old.code_hash):
                diff.codes[account.code_hash] = state.codes[account.code_hash]
    diff.codes.pop(EMPTY_HASH, None)
    return diff
