"""Runs Ethereum's published state tests against the node's EVM and prints a table by folder.

Each subtest is one signed transaction on a given state. It passes if the state root and the hash of the logs
are the expected ones, or if the transaction is rejected where a rejection is expected. Any deviation makes the
program fail.
"""

import argparse
import json
import os
import sys
import tarfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing import Pool
from pathlib import Path, PurePosixPath
from typing import Any, Final

from alatau.chain.tracing import prestate_tracer
from alatau.chain.transaction import InvalidTransactionError, apply_transaction
from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.evm.environment import BlockEnvironment
from alatau.evm.frame import Tracer
from alatau.evm.runtime import runtime_of, translating_runtime
from alatau.evm.tracing import CallTracer, StructLogTracer
from alatau.state.block_state import BlockState
from alatau.trie.state_trie import NoNodes, StateTrie
from alatau.types.account import Account
from alatau.types.chain_config import Fork
from alatau.types.header import EMPTY_ROOT
from alatau.types.receipt import log_item
from alatau.types.transaction import Transaction, TransactionError, decode_transaction, recover_sender

FOLDER: Final = Path(os.environ.get("ALATAU_CONFORMANCE") or Path(__file__).parents[3] / "shared" / "conformance")
ARCHIVE: Final = FOLDER / "state_tests.tar.xz"


@dataclass(frozen=True, slots=True)
class MemoryState:
    """A parent state held in dictionaries."""

    accounts: dict[bytes, Account] = field(default_factory=dict)
    slots: dict[bytes, dict[int, int]] = field(default_factory=dict)
    codes: dict[bytes, bytes] = field(default_factory=dict)
    trie: StateTrie = field(default_factory=lambda: StateTrie.open(EMPTY_ROOT, NoNodes()))

    def account(self, address: bytes) -> Account | None:
        """See ``ParentState``."""
        return self.accounts.get(address)

    def storage(self, address: bytes, slot: int) -> int:
        """See ``ParentState``."""
        return self.slots.get(address, {}).get(slot, 0)

    def code(self, code_hash: bytes) -> bytes:
        """See ``ParentState``."""
        return self.codes[code_hash]


@dataclass(frozen=True, slots=True)
class Subtest:
    """One transaction on one state under one fork."""

    name: str
    fork: Fork
    case: Mapping[str, Any]
    post: Mapping[str, Any]


def subtests(content: bytes) -> Iterator[Subtest]:
    """The subtests of a fixture file, for the forks that the node has."""
    for name, case in json.loads(content).items():
        for fork, posts in case["post"].items():
            if fork.lower() not in [*Fork]:
                continue
            for index, post in enumerate(posts):
                yield Subtest(f"{name}[{fork}-{index}]", Fork(fork.lower()), case, post)


@dataclass(slots=True)
class Mode:
    """How the subtests run; set once in each process."""

    translates: bool = False
    """All code is translated at first sight, instead of hot code only."""
    tracer: str = ""
    """Name of a tracer that watches; the results must be the same."""


_MODE: Final = Mode()
_translating_runtime: Final = cache(translating_runtime)


def set_mode(mode: Mode) -> None:
    """Choose how the subtests of this process run."""
    _MODE.translates, _MODE.tracer = mode.translates, mode.tracer


def _tracer(block: BlockEnvironment, state: BlockState, tx: Transaction, sender: bytes) -> Tracer | None:
    match _MODE.tracer:
        case "calls":
            return CallTracer()
        case "steps":
            return StructLogTracer(limit=10_000)
        case "prestate":
            return prestate_tracer(block, state, tx, sender)
        case _:
            return None


def check(subtest: Subtest) -> str | None:
    """Run a subtest; what is wrong with its result, or None."""
    state = memory_state(subtest.case["pre"])
    expected = subtest.post.get("expectException")
    logs: list[Any] = []
    block_state = BlockState(state)
    try:
        tx = decode_transaction(_bytes(subtest.post["txbytes"]))
        block = block_environment(subtest)
        sender = recover_sender(tx)
        runtime = _translating_runtime(subtest.fork) if _MODE.translates else runtime_of(subtest.fork)
        tracer = _tracer(block, block_state, tx, sender)
        result = apply_transaction(block, block_state, tx, sender, tracer, runtime)
        logs = [log_item(log) for log in result.logs]
    except (TransactionError, InvalidTransactionError) as error:
        if expected is None:
            return f"rejected: {error}"
    else:
        if expected is not None:
            return f"accepted, expected {expected}"
    diff = block_state.diff()
    if keccak256(rlp.encode(logs)).hex() != subtest.post["logs"][2:]:
        return "logs differ"
    if state.trie.apply(diff.accounts, diff.storage).root.hex() != subtest.post["hash"][2:]:
        return "state root differs: " + _first_difference(block_state, memory_state(subtest.post["state"]))
    return None


def memory_state(accounts: Mapping[str, Any]) -> MemoryState:
    """The state that a fixture describes."""
    state = MemoryState()
    given: dict[bytes, Account | None] = {}
    for address_hex, fields in accounts.items():
        address, code = _bytes(address_hex), _bytes(fields["code"])
        code_hash = keccak256(code)
        given[address] = Account(int(fields["nonce"], 16), int(fields["balance"], 16), EMPTY_ROOT, code_hash)
        slots = {int(slot, 16): int(value, 16) for slot, value in fields["storage"].items()}
        state.slots[address] = {slot: value for slot, value in slots.items() if value}
        state.codes[code_hash] = code
    applied = StateTrie.open(EMPTY_ROOT, NoNodes()).apply(given, state.slots)
    state.accounts.update((address, account) for address, account in applied.accounts.items() if account)
    return replace(state, trie=applied.trie)


def block_environment(subtest: Subtest) -> BlockEnvironment:
    """The block that a fixture describes."""
    env = subtest.case["env"]
    number = int(env["currentNumber"], 16)
    fraction = subtest.case["config"]["blobSchedule"][subtest.fork.capitalize()]["baseFeeUpdateFraction"]
    return BlockEnvironment(
        fork=subtest.fork,
        chain_id=int(subtest.case["config"]["chainid"], 16),
        number=number,
        timestamp=int(env["currentTimestamp"], 16),
        beneficiary=_bytes(env["currentCoinbase"]),
        gas_limit=int(env["currentGasLimit"], 16),
        base_fee_per_gas=int(env["currentBaseFee"], 16),
        prev_randao=int(env["currentRandom"], 16).to_bytes(32),
        block_hash=lambda n: keccak256(str(n).encode()),
        blob_base_fee=fake_exponential(1, int(env["currentExcessBlobGas"], 16), int(fraction, 16)),
    )


def fake_exponential(factor: int, numerator: int, denominator: int) -> int:
    """``factor * e ** (numerator / denominator)`` in integers (EIP-4844)."""
    index, output, accumulator = 1, 0, factor * denominator
    while accumulator > 0:
        output += accumulator
        accumulator = accumulator * numerator // (denominator * index)
        index += 1
    return output // denominator


def _first_difference(found: BlockState, wanted: MemoryState) -> str:
    """Where the state after a transaction is not the expected one."""
    for address in sorted({*found.loaded, *wanted.accounts}):
        mine, theirs = found.account(address), wanted.account(address)
        if mine is None or theirs is None:
            if mine is not theirs:
                return f"0x{address.hex()} {'is missing' if mine is None else 'should not be there'}"
            continue
        if (mine.nonce, mine.balance) != (theirs.nonce, theirs.balance):
            found_text, wanted_text = f"{mine.nonce}, {mine.balance}", f"{theirs.nonce}, {theirs.balance}"
            return f"0x{address.hex()}: nonce, balance are {found_text}, not {wanted_text}"
        if mine.code_hash != theirs.code_hash:
            return f"0x{address.hex()} has another code"
        for slot in sorted({*found.slots.get(address, ()), *wanted.slots.get(address, ())}):
            if found.storage(address, slot) != wanted.storage(address, slot):
                return f"0x{address.hex()}[{slot:#x}] is {found.storage(address, slot):#x}"
    return "nothing that the transaction read or wrote"


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@dataclass(frozen=True, slots=True)
class FileResult:
    """The outcome of one fixture file."""

    path: str
    seconds: float
    passed: Counter[str]
    """By fork."""
    failures: tuple[str, ...]


def run_file(job: tuple[str, bytes]) -> FileResult:
    """Run all subtests of a file."""
    path, content = job
    passed: Counter[str] = Counter()
    failures = []
    start = time.perf_counter()
    for subtest in subtests(content):
        try:
            problem = check(subtest)
        except Exception:  # noqa: BLE001  a crash is a deviation like any other
            problem = "crashed: " + traceback.format_exc(limit=-3)
        if problem is None:
            passed[subtest.fork] += 1
        else:
            failures.append(f"{path}: {subtest.name}: {problem}")
    return FileResult(path, time.perf_counter() - start, passed, tuple(failures))


def fixture_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The fixture files of an archive, or of a folder."""
    if archive.is_dir():
        for path in sorted(archive.rglob("*.json")):
            yield str(path.relative_to(archive)), path.read_bytes()
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.name.endswith(".json") else None
            if stream is not None:
                yield member.name, stream.read()


def print_table(results: Iterable[FileResult]) -> int:
    """Print passed and failed subtests by folder; give the number of failures."""
    rows: dict[str, list[float]] = {}
    for result in results:
        folder = str(PurePosixPath(result.path).parent)
        row = rows.setdefault(folder, [0, 0, 0, 0])
        row[0] += result.passed[Fork.PRAGUE]
        row[1] += result.passed[Fork.OSAKA]
        row[2] += len(result.failures)
        row[3] += result.seconds
    print(f"{'folder':64} {'Prague':>7} {'Osaka':>7} {'failed':>7} {'seconds':>8}")
    for folder, (prague, osaka, failed, seconds) in sorted(rows.items()):
        print(f"{folder:64} {prague:7} {osaka:7} {failed:7} {seconds:8.1f}")
    totals = [sum(row[i] for row in rows.values()) for i in range(4)]
    print(f"{'all':64} {totals[0]:7} {totals[1]:7} {totals[2]:7} {totals[3]:8.1f}")
    return int(totals[2])


def main() -> int:
    """Run everything; 1 if anything deviates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, default=ARCHIVE, help="tar archive or folder of state tests")
    parser.add_argument("--only", default="", help="run only files whose path contains this")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--translate", action="store_true", help="translate all code at first sight, interpret none")
    parser.add_argument("--tracer", choices=("calls", "steps", "prestate"), default="", help="watch all execution")
    options = parser.parse_args()
    started = time.perf_counter()
    jobs = (job for job in fixture_files(options.archive) if options.only in job[0])
    results = []
    with Pool(options.processes, set_mode, [Mode(options.translate, options.tracer)]) as pool:
        for result in pool.imap_unordered(run_file, jobs, chunksize=4):
            results.append(result)
            for failure in result.failures:
                print("FAIL", failure)
    failed = print_table(results)
    print(f"{time.perf_counter() - started:.1f} s in {options.processes} processes")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
