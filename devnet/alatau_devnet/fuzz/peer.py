"""The node's side of a case: the same answer as the oracle's, by the code that a validator runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from alatau.chain.transaction import InvalidTransactionError, apply_transaction
from alatau.crypto.keccak import EMPTY_HASH, keccak256
from alatau.evm.environment import BlockEnvironment
from alatau.evm.frame import Runtime
from alatau.evm.runtime import new_runtime, translating_runtime
from alatau.state.block_state import BlockState
from alatau.state.diff import OverlayState
from alatau.trie.state_trie import NoNodes, StateTrie
from alatau.types.account import Account
from alatau.types.chain_config import Fork
from alatau.types.header import EMPTY_ROOT
from alatau.types.transaction import (
    Transaction,
    TransactionError,
    TransactionType,
    decode_transaction,
    recover_sender,
)


@dataclass(frozen=True, slots=True)
class MemoryState:
    """A parent state in memory. See ``ParentState``."""

    accounts: dict[bytes, Account]
    slots: dict[bytes, dict[int, int]]
    codes: dict[bytes, bytes]

    def account(self, address: bytes) -> Account | None:
        """The account, or None."""
        return self.accounts.get(address)

    def storage(self, address: bytes, slot: int) -> int:
        """The word at a slot."""
        return self.slots.get(address, {}).get(slot, 0)

    def code(self, code_hash: bytes) -> bytes:
        """The code with that hash."""
        return self.codes[code_hash]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def load(pre: dict[str, Any]) -> tuple[MemoryState, StateTrie]:
    """The accounts of a case as a parent state, and their trie."""
    accounts: dict[bytes, Account | None] = {}
    slots: dict[bytes, dict[int, int]] = {}
    codes = {EMPTY_HASH: b""}
    for key, fields in pre.items():
        address, code = _bytes(key), _bytes(fields["code"])
        codes[keccak256(code)] = code
        accounts[address] = Account(int(fields["nonce"], 16), int(fields["balance"], 16), EMPTY_ROOT, keccak256(code))
        slots[address] = {int(slot, 16): int(value, 16) for slot, value in fields["storage"].items()}
    applied = StateTrie.open(EMPTY_ROOT, NoNodes()).apply(accounts, slots)
    stored = {address: account for address, account in applied.accounts.items() if account is not None}
    return MemoryState(stored, slots, codes), applied.trie


def environment_of(case: dict[str, Any]) -> BlockEnvironment:
    """The block environment of a case."""
    env = case["env"]
    number, hashes = int(env["number"], 16), [_bytes(text) for text in env["block_hashes"]]
    return BlockEnvironment(
        fork=Fork(case["fork"]),
        chain_id=int(env["chain_id"], 16),
        number=number,
        timestamp=int(env["timestamp"], 16),
        beneficiary=_bytes(env["coinbase"]),
        gas_limit=int(env["gas_limit"], 16),
        base_fee_per_gas=int(env["base_fee"], 16),
        prev_randao=_bytes(env["prev_randao"]),
        block_hash=lambda wanted: hashes[wanted - number],
    )


def _run_transaction(
    block: BlockEnvironment, state: BlockState, data: bytes, gas_left: int, runtime: Runtime
) -> dict[str, Any]:
    try:
        tx = decode_transaction(data)
        sender = recover_sender(tx)
        if tx.gas_limit > gas_left:
            return {"rejected": "the block has no gas left"}
        result = apply_transaction(block, state, tx, sender, runtime=runtime)
    except (TransactionError, InvalidTransactionError) as error:
        return {"rejected": str(error)}
    return {
        "succeeded": result.succeeded,
        "gas_used": hex(result.gas_used),
        "refund": _refund(tx, state, succeeded=result.succeeded),
        "output": _hex(result.output),
        "logs": [
            {"address": _hex(log.address), "topics": [_hex(t) for t in log.topics], "data": _hex(log.data)}
            for log in result.logs
        ],
    }


def _refund(tx: Transaction, state: BlockState, *, succeeded: bool) -> str | None:
    """The refund counter; None where authorizations add to it outside of the EVM."""
    if tx.type is TransactionType.SET_CODE:
        return None
    return hex(state.refund) if succeeded else "0x0"


def interpreting(fork: Fork) -> Runtime:
    """A runtime that has seen no code: whatever runs once is interpreted."""
    return new_runtime(fork)


def translating(fork: Fork) -> Runtime:
    """A runtime that translates everything before it runs."""
    return translating_runtime(fork)


def switching(fork: Fork) -> Runtime:
    """A runtime that goes over to translations in the middle of a frame, at a place's second visit."""
    return replace(new_runtime(fork), gas_per_instruction=1, entries_min=2, credit_min=1)


RUNTIMES: Final = (interpreting, translating, switching)
"""All ways of running code; each must give the specification's results."""


def answer(case: dict[str, Any], make_runtime: Callable[[Fork], Runtime] = interpreting) -> dict[str, Any]:
    """Run one case."""
    runtime = make_runtime(Fork(case["fork"]))
    parent, trie = load(case["pre"])
    block = environment_of(case)
    state = BlockState(parent)
    results = []
    gas_left = block.gas_limit
    for data in case["txs"]:
        results.append(_run_transaction(block, state, _bytes(data), gas_left, runtime))
        gas_left -= int(results[-1].get("gas_used", "0x0"), 16)
    diff = state.diff()
    applied = trie.apply(diff.accounts, diff.storage)
    return {"txs": results, "root": _hex(applied.root), "post": OverlayState(parent, diff)}


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """What the two answers disagree on, in words; empty where they agree."""
    found = []
    for index, (mine, other) in enumerate(zip(ours["txs"], theirs["txs"], strict=True)):
        if ("rejected" in mine) != ("rejected" in other):
            found.append(f"tx {index}: ours {mine}, theirs {other}")
            continue
        found += [
            f"tx {index} {field}: ours {mine[field]}, theirs {other[field]}"
            for field in ("succeeded", "gas_used", "refund", "output", "logs")
            if "rejected" not in mine and mine[field] is not None and mine[field] != other[field]
        ]
    if ours["root"] != theirs["root"]:
        found.append(f"root: ours {ours['root']}, theirs {theirs['root']}")
        found += _state_differences(ours["post"], theirs["state"])
    return found


def _state_differences(post: OverlayState, theirs: dict[str, Any]) -> list[str]:
    """Which accounts and slots make two roots differ."""
    found = []
    for key, fields in theirs.items():
        address = _bytes(key)
        mine = post.account(address) or Account()
        for name, value in (("nonce", mine.nonce), ("balance", mine.balance)):
            if value != int(fields[name], 16):
                found.append(f"{key} {name}: ours {value}, theirs {int(fields[name], 16)}")
        if mine.code_hash != keccak256(_bytes(fields["code"])):
            found.append(f"{key} code: ours has hash {mine.code_hash.hex()}, theirs is {fields['code']}")
        for slot, value in fields["storage"].items():
            word = post.storage(address, int(slot, 16))
            if word != int(value, 16):
                found.append(f"{key} slot {slot}: ours {word:#x}, theirs {value}")
    return found
