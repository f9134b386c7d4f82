"""The accounts that a transaction looked at, as they were before it; and, compared, what it changed."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from alatau.evm.bounds import INITCODE_SIZE_MAX
from alatau.evm.calls import create2_address, create_address, delegate_of
from alatau.evm.frame import Frame, Tracer
from alatau.evm.operations import ADDRESS
from alatau.state.block_state import BlockState, code_with_hash
from alatau.types.account import EMPTY_ACCOUNT

_ADDRESS_ON_TOP: Final = frozenset({0x31, 0x3B, 0x3C, 0x3F, 0xFF})
"""BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT."""
_ADDRESS_BELOW: Final = frozenset({0xF1, 0xF2, 0xF4, 0xFA})
"""CALL, CALLCODE, DELEGATECALL, STATICCALL."""
_SLOT_ON_TOP: Final = frozenset({0x54, 0x55})
"""SLOAD, SSTORE."""
_CREATE: Final = 0xF0
_CREATE2: Final = 0xF5


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """An account with those of its slots that the transaction used."""

    balance: int
    nonce: int
    code: bytes
    storage: dict[int, int] = field(default_factory=dict)
    """Slot -> word, 0 included."""


class PrestateTracer(Tracer):
    """Collects accounts in ``before``; ``changes`` compares them with the state afterwards."""

    def __init__(self, state: BlockState, accounts: Iterable[bytes]) -> None:
        """Begin before the transaction: ``accounts`` are sender, recipient, beneficiary and authorities."""
        self.before: dict[bytes, AccountSnapshot] = {}
        self._state: Final = state
        for address in accounts:
            self._look_at(address)
            self._look_at_delegate(address)

    def step(self, frame: Frame, pc: int) -> None:
        """See ``Tracer``."""
        code, stack = frame.program.padded[pc], frame.stack
        if code in _SLOT_ON_TOP and stack:
            self._look_at(frame.address)
            self.before[frame.address].storage.setdefault(stack[-1], self._state.storage(frame.address, stack[-1]))
        elif code in _ADDRESS_ON_TOP and stack:
            self._look_at((stack[-1] & ADDRESS).to_bytes(20))
        elif code in _ADDRESS_BELOW and len(stack) > 1:
            address = (stack[-2] & ADDRESS).to_bytes(20)
            self._look_at(address)
            self._look_at_delegate(address)
        elif code == _CREATE:
            self._look_at(create_address(frame.address, self._state.nonces[frame.address]))
        elif code == _CREATE2 and len(stack) > 3:
            start, size = stack[-2], stack[-3]
            if size <= INITCODE_SIZE_MAX:
                initcode = bytes(frame.memory[start : start + size]).ljust(size, b"\0")
                self._look_at(create2_address(frame.address, stack[-4], initcode))

    def changes(self) -> tuple[dict[bytes, AccountSnapshot], dict[bytes, AccountSnapshot]]:
        """What the transaction changed: the accounts before and after it.

        Only changed slots are in either; an account that is missing after was removed, one that is missing
        before was created.
        """
        before: dict[bytes, AccountSnapshot] = {}
        after: dict[bytes, AccountSnapshot] = {}
        for address, old in self.before.items():
            new = _snapshot(self._state, address, old.storage)
            if new == old:
                continue
            changed = [slot for slot, word in old.storage.items() if new.storage[slot] != word]
            if not _is_empty(old):
                before[address] = replace(old, storage={slot: old.storage[slot] for slot in changed})
            if not _is_empty(new):
                after[address] = replace(new, storage={slot: new.storage[slot] for slot in changed})
        return before, after

    def existing(self) -> dict[bytes, AccountSnapshot]:
        """``before`` without the accounts that were only created."""
        return {address: old for address, old in self.before.items() if not _is_empty(old)}

    def _look_at(self, address: bytes) -> None:
        if address not in self.before:
            self.before[address] = _snapshot(self._state, address, ())

    def _look_at_delegate(self, address: bytes) -> None:
        delegate = delegate_of(self.before[address].code)
        if delegate is not None:
            self._look_at(delegate)


def _snapshot(state: BlockState, address: bytes, slots: Iterable[int]) -> AccountSnapshot:
    account = state.account(address) or EMPTY_ACCOUNT
    code = code_with_hash(state, account.code_hash)
    return AccountSnapshot(account.balance, account.nonce, code, {slot: state.storage(address, slot) for slot in slots})


def _is_empty(account: AccountSnapshot) -> bool:
    return not (account.balance or account.nonce or account.code)
