"""What the longer rows of the opcode table call.

Functions that may charge take ``gas`` and give back what is left; a negative rest is the caller's to refuse.
"""

from typing import Final

from sha3 import keccak_256

from alatau.crypto.keccak import EMPTY_HASH
from alatau.evm.bounds import BLOCK_HASHES
from alatau.evm.exceptions import OutOfGasError, StaticCallError
from alatau.evm.frame import Frame
from alatau.evm.gas import (
    G_CALLSTIPEND,
    G_COLDACCOUNTACCESS,
    G_COLDSLOAD,
    G_MEMORY,
    G_NEWACCOUNT,
    G_SRESET,
    G_SSET,
    G_WARMACCESS,
    R_SCLEAR,
)
from alatau.state.block_state import (
    ABSENT,
    add_balance,
    balance_of,
    code_hash_of,
    code_with_hash,
    is_alive,
    load_slot,
    set_balance,
    touch,
    warm_account,
)
from alatau.types.receipt import Log

M: Final = 2**256 - 1
"""All bits of a word."""
SIGN: Final = 2**255
"""The sign bit; flipping it in both operands turns a signed comparison into an unsigned one."""
TOP: Final = 2**256
"""A negative word is its value plus this."""
ADDRESS: Final = 2**160 - 1
ZERO: Final = b"\0"
word: Final = int.from_bytes

PAIRS_MAX: Final = 1 << 15
"""Hashes of pairs of words that are remembered: those of the accounts of the last blocks, in about 8 MiB."""
_pairs: Final[dict[tuple[int, int], int]] = {}


def signed_div(a: int, b: int) -> int:
    """SDIV: towards zero."""
    if b == 0:
        return 0
    if a < SIGN:
        return a // b if b < SIGN else -(a // (TOP - b)) & M
    return (-((TOP - a) // b) if b < SIGN else (TOP - a) // (TOP - b)) & M


def signed_mod(a: int, b: int) -> int:
    """SMOD: the sign is the dividend's."""
    if b == 0:
        return 0
    if b >= SIGN:
        b = TOP - b
    return a % b if a < SIGN else -((TOP - a) % b) & M


def sign_extend(size: int, value: int) -> int:
    """SIGNEXTEND from byte ``size`` on, counted from the lowest."""
    if size > 30:
        return value
    bit = 1 << (8 * size + 7)
    return value | (M ^ (bit - 1)) if value & bit else value & (bit - 1)


def shift_arithmetic(shift: int, value: int) -> int:
    """SAR (EIP-145)."""
    if value < SIGN:
        return value >> shift if shift < 256 else 0
    return value - TOP >> shift & M if shift < 256 else M


def keccak_word(data: bytes | bytearray) -> int:
    """The hash of ``data`` as a word."""
    return int.from_bytes(keccak_256(data).digest())


def keccak_pair(first: int, second: int) -> int:
    """The hash of two words: where mappings keep their values. Remembers the last ones."""
    key = (first, second)
    value = _pairs.get(key)
    if value is None:
        if len(_pairs) >= PAIRS_MAX:
            _pairs.clear()
        value = _pairs[key] = int.from_bytes(keccak_256(first.to_bytes(32) + second.to_bytes(32)).digest())
    return value


def load(data: bytes | memoryview, offset: int) -> int:
    """CALLDATALOAD: the word at ``offset``, with zeros past the end."""
    part = data[offset : offset + 32]
    return int.from_bytes(part) if len(part) == 32 else int.from_bytes(part) << 8 * (32 - len(part))


def grow(memory: bytearray, end: int, gas: int) -> int:
    """Extend the memory to ``end`` bytes, rounded up to words; it is shorter now (Yellow Paper, eq. 330)."""
    old, new = len(memory) >> 5, end + 31 >> 5
    gas -= G_MEMORY * (new - old) + (new * new >> 9) - (old * old >> 9)
    if gas < 0:
        raise OutOfGasError
    memory.extend(bytes((new - old) << 5))
    return gas


def sload_cold(f: Frame, slot: int, gas: int) -> tuple[int, int]:
    """SLOAD of a cold slot, which it warms."""
    gas -= G_COLDSLOAD - G_WARMACCESS
    if gas < 0:
        raise OutOfGasError
    return _warm_up(f, slot), gas


def _warm_up(f: Frame, slot: int) -> int:
    slots = f.slots
    value = slots[slot] if slot in slots else load_slot(f.state, f.address, slot)
    f.warm[slot] = value
    f.state.journal.append((f.warm, slot, ABSENT))
    return value


def sstore(f: Frame, slot: int, value: int, gas: int) -> int:
    """SSTORE (EIP-2200, EIP-2929, EIP-3529)."""
    if f.static:
        raise StaticCallError
    if gas <= G_CALLSTIPEND:  # a call's stipend must not write (EIP-2200)
        raise OutOfGasError
    warm, slots = f.warm, f.slots
    if slot in warm:
        current = slots[slot]
    else:
        gas -= G_COLDSLOAD
        if gas < 0:
            raise OutOfGasError
        current = _warm_up(f, slot)
    if current == value:
        return gas - G_WARMACCESS
    original = warm[slot]
    state = f.state
    if current == original:
        if original == 0:
            gas -= G_SSET
        else:
            gas -= G_SRESET
            if value == 0:
                state.refund += R_SCLEAR
    else:
        gas -= G_WARMACCESS
        if original != 0:
            if current == 0:
                state.refund -= R_SCLEAR
            elif value == 0:
                state.refund += R_SCLEAR
        if value == original:
            state.refund += (G_SSET if original == 0 else G_SRESET) - G_WARMACCESS
    state.journal.append((slots, slot, current))
    slots[slot] = value
    return gas


def tload(f: Frame, slot: int) -> int:
    """TLOAD (EIP-1153)."""
    slots = f.state.transient.get(f.address)
    return 0 if slots is None else slots.get(slot, 0)


def tstore(f: Frame, slot: int, value: int) -> None:
    """TSTORE (EIP-1153)."""
    if f.static:
        raise StaticCallError
    slots = f.state.transient.setdefault(f.address, {})
    f.state.journal.append((slots, slot, slots.get(slot, ABSENT)))
    slots[slot] = value


def emit(f: Frame, data: bytes, topics: tuple[bytes, ...]) -> None:
    """LOG0..LOG4."""
    if f.static:
        raise StaticCallError
    f.state.logs.append(Log(f.address, topics, data))


def balance(f: Frame, account: int, gas: int) -> tuple[int, int]:
    """BALANCE."""
    address = (account & ADDRESS).to_bytes(20)
    if warm_account(f.state, address):
        gas -= G_COLDACCOUNTACCESS - G_WARMACCESS
        if gas < 0:
            raise OutOfGasError
    return balance_of(f.state, address), gas


def code_at(f: Frame, account: int, gas: int) -> tuple[bytes, int]:
    """The code that EXTCODECOPY reads; of a delegated account the designation itself (EIP-7702)."""
    address = (account & ADDRESS).to_bytes(20)
    if warm_account(f.state, address):
        gas -= G_COLDACCOUNTACCESS - G_WARMACCESS
        if gas < 0:
            raise OutOfGasError
    return code_with_hash(f.state, code_hash_of(f.state, address)), gas


def code_size(f: Frame, account: int, gas: int) -> tuple[int, int]:
    """EXTCODESIZE."""
    code, gas = code_at(f, account, gas)
    return len(code), gas


def code_hash(f: Frame, account: int, gas: int) -> tuple[int, int]:
    """EXTCODEHASH: 0 for an account that does not exist or is empty (EIP-1052)."""
    address = (account & ADDRESS).to_bytes(20)
    if warm_account(f.state, address):
        gas -= G_COLDACCOUNTACCESS - G_WARMACCESS
        if gas < 0:
            raise OutOfGasError
    hash_ = code_hash_of(f.state, address)
    if hash_ == EMPTY_HASH and not is_alive(f.state, address):
        return 0, gas
    return int.from_bytes(hash_), gas


def block_hash(f: Frame, number: int) -> int:
    """BLOCKHASH: of the last 256 blocks, else 0."""
    block = f.machine.block
    if not block.number - BLOCK_HASHES <= number < block.number:
        return 0
    return int.from_bytes(block.block_hash(number))


def blob_hash(f: Frame, index: int) -> int:
    """BLOBHASH (EIP-4844)."""
    hashes = f.machine.blob_hashes
    return int.from_bytes(hashes[index]) if index < len(hashes) else 0


def self_destruct(f: Frame, heir: int, gas: int) -> int:
    """SELFDESTRUCT: send the balance; destroy the account if this transaction created it (EIP-6780)."""
    if f.static:
        raise StaticCallError
    state, address = f.state, f.address
    beneficiary = (heir & ADDRESS).to_bytes(20)
    if warm_account(state, beneficiary):
        gas -= G_COLDACCOUNTACCESS
    amount = state.balances[address]
    if amount and not is_alive(state, beneficiary):
        gas -= G_NEWACCOUNT
    if gas < 0:
        raise OutOfGasError
    touch(state, beneficiary)
    if beneficiary != address and amount:
        add_balance(state, beneficiary, amount)
        set_balance(state, address, 0)
    if address in state.created:
        if beneficiary == address:
            set_balance(state, address, 0)
        if address not in state.destroyed:
            state.destroyed[address] = None
            state.journal.append((state.destroyed, address, ABSENT))
    return gas
