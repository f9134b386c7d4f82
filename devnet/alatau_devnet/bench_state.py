"""How trie and store do as accounts grow: ``python -m alatau_devnet.bench_state`` (or ``make bench-state``).

One database grows from 10 thousand to 3 million accounts. At each size a fresh process with the node's default
caches commits blocks that each change 300 accounts picked at random, which is what 100 token payments change, and
the worst case for every cache: nobody's payments are spread that evenly. Writes ``build/bench/state.json`` and
``build/bench/state.png``.

Time per changed key is the median block's, for the trie alone and with the commit (write batch, history): processor
time of the committing thread, which other work on the machine disturbs least, and wall time beside it.
Memory is what the process holds itself (``RssAnon``); table files that LevelDB maps are the kernel's to keep or to
drop and are told apart. Disk is the size of the files after compaction.
"""

import argparse
import json
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from alatau.build_form import FORM
from alatau.chain.executed import ExecutedBlock
from alatau.crypto.keccak import keccak256
from alatau.state.diff import BlockDiff
from alatau.storage.flat_state import ACCOUNTS_CACHED, CODES_CACHED_BYTES, SLOTS_CACHED
from alatau.storage.store import Store, StoreOptions
from alatau.trie.paths import HASHES_CACHED, address_hash
from alatau.trie.state_trie import AppliedDiff
from alatau.types.account import Account
from alatau.types.block import Block
from alatau.types.header import (
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    ZERO_HASH,
    Header,
)
from alatau.types.vote import Commit

SIZES = (10_000, 100_000, 1_000_000, 3_000_000)
KEYS_PER_BLOCK = 300
BLOCKS_WARM = 100
"""Blocks before the measurement, so that caches hold what they usually hold."""
BLOCKS_MEASURED = 200
_INSERTED_AT_ONCE = 50_000
OUTPUT = Path("build/bench")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured at one size. Times in microseconds per changed key, medians over blocks."""

    accounts: int
    trie_us: float
    """Processor time of the committing thread, for the new trie."""
    commit_us: float
    """The same, for the write."""
    total_us: float
    """Their sum."""
    wall_us: float
    """Wall time of both, fsync included."""
    process_us: float
    """Processor time of the whole process, LevelDB's compactions included, mean."""
    rss_anon_mb: float
    rss_file_mb: float
    memory_bound_mb: float
    """The process before it opened the store, and what all caches and buffers may take: see ``caches_mb``."""
    disk_bytes_per_account: float
    open_ms: float


def address(index: int) -> bytes:
    """The address of an account."""
    return keccak256(index.to_bytes(8, "big"))[:20]


@dataclass(frozen=True, slots=True)
class Spent:
    """What one block took, in seconds."""

    trie: float
    commit: float
    wall: float


def commit_changes(store: Store, accounts: Mapping[bytes, Account | None]) -> Spent:
    """Make and commit a block that changes accounts."""
    wall, began = time.perf_counter(), time.thread_time()
    applied = store.trie().apply(accounts, {})
    middle = time.thread_time()
    executed = _executed(store, applied)
    if store.tip is None:
        store.init_genesis(executed)
    else:
        store.commit(executed, Commit(executed.block.header.number, 0, executed.block.hash, ()))
    return Spent(middle - began, time.thread_time() - middle, time.perf_counter() - wall)


def _executed(store: Store, applied: AppliedDiff) -> ExecutedBlock:
    number = 0 if store.tip is None else store.tip.number + 1
    header = Header(
        parent_hash=store.tip_hash or ZERO_HASH,
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=bytes(20),
        state_root=applied.root,
        transactions_root=EMPTY_ROOT,
        receipts_root=EMPTY_ROOT,
        logs_bloom=bytes(256),
        difficulty=0,
        number=number,
        gas_limit=0,
        gas_used=0,
        timestamp=number,
        extra_data=ZERO_HASH,
        mix_hash=ZERO_HASH,
        nonce=NONCE,
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
        requests_hash=EMPTY_REQUESTS_HASH,
    )
    return ExecutedBlock(Block(header, (), None), (), (), BlockDiff(applied.accounts, {}, {}), applied)


def build(folder: Path, first: int, until: int) -> None:
    """Insert accounts ``first`` to ``until``, in the order of their hashes: neighbours share their nodes."""
    addresses = sorted((address(index) for index in range(first, until)), key=address_hash)
    store = Store.open(folder, StoreOptions(node_cache_bytes=256 << 20, history_blocks=1))
    for start in range(0, len(addresses), _INSERTED_AT_ONCE):
        part = addresses[start : start + _INSERTED_AT_ONCE]
        commit_changes(store, {one: Account(0, 10**18) for one in part})
    while store.tip is not None and store.tip.number - store.oldest_state > 1:
        # Leave no history of the measurement before: it would count as disk.
        commit_changes(store, {address(0): Account(1, store.tip.number)})
    for _ in store.compact():
        pass
    store.close()


def measure(folder: Path, accounts: int) -> Figures:
    """Commit blocks of random changes and say what they cost. Run in a process of its own."""
    empty_mb = _memory_mb()["RssAnon"]
    began = time.perf_counter()
    store = Store.open(folder)
    open_ms = (time.perf_counter() - began) * 1_000
    disk = store.size_bytes
    assert store.tip is not None
    # Another course at each run: values that are there already would change nothing.
    pick = random.Random(accounts << 32 | store.tip.number)  # noqa: S311  repeatable, not secret
    times: list[Spent] = []
    cpu = 0.0
    for number in range(BLOCKS_WARM + BLOCKS_MEASURED):
        if number == BLOCKS_WARM:
            times.clear()
            cpu = time.process_time()
        changed = (address(index) for index in pick.sample(range(accounts), KEYS_PER_BLOCK))
        block = {one: Account(number + 1, pick.randrange(10**20)) for one in changed}
        times.append(commit_changes(store, block))
    cpu = time.process_time() - cpu
    memory = _memory_mb()
    bound_mb = empty_mb + caches_mb(store.options)
    store.close()

    def per_key(seconds: float) -> float:
        return round(seconds / KEYS_PER_BLOCK * 1e6, 1)

    return Figures(
        accounts=accounts,
        trie_us=per_key(statistics.median(spent.trie for spent in times)),
        commit_us=per_key(statistics.median(spent.commit for spent in times)),
        total_us=per_key(statistics.median(spent.trie + spent.commit for spent in times)),
        wall_us=per_key(statistics.median(spent.wall for spent in times)),
        process_us=per_key(cpu / BLOCKS_MEASURED),
        rss_anon_mb=memory["RssAnon"],
        rss_file_mb=memory["RssFile"],
        memory_bound_mb=round(bound_mb, 1),
        disk_bytes_per_account=round(disk / accounts, 1),
        open_ms=round(open_ms, 1),
    )


def caches_mb(options: StoreOptions) -> float:
    """What the store's caches and buffers take at most, in MiB.

    LevelDB has two write buffers at a time, and the batch that is being written; an account takes 500 bytes in the
    cache of the flat tables, a word 250, a hashed address or slot 300.
    """
    database = options.database
    buffers = 2 * database.write_buffer_bytes + database.block_cache_bytes
    flat = ACCOUNTS_CACHED * 500 + SLOTS_CACHED * 250 + CODES_CACHED_BYTES
    return (options.node_cache_bytes + buffers + flat + 3 * HASHES_CACHED * 300) / 2**20


def _memory_mb() -> dict[str, float]:
    """This process's memory by kind, in MiB (Linux)."""
    fields = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {field[0][:-1]: round(int(field[1]) / 1024, 1) for field in fields if field[0] in {"RssAnon:", "RssFile:"}}


def _in_process(*arguments: str) -> str:
    """Run this module with arguments in a fresh process; gives what it prints."""
    command = [sys.executable, "-m", "alatau_devnet.bench_state", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Grow, measure, write, draw."""
    parser = argparse.ArgumentParser(
        prog="python -m alatau_devnet.bench_state", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--max", type=int, default=SIZES[-1], help=f"largest number of accounts ({SIZES[-1]})")
    parser.add_argument("--folder", type=Path, default=OUTPUT / "state-db", help="where the database grows")
    parser.add_argument("--keep", action="store_true", help="leave the database there afterwards")
    parser.add_argument("--build", nargs=2, type=int, metavar=("FIRST", "UNTIL"), help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=int, metavar="ACCOUNTS", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.build:
        build(given.folder, *given.build)
        return 0
    if given.measure:
        print(json.dumps(asdict(measure(given.folder, given.measure))))
        return 0
    shutil.rmtree(given.folder, ignore_errors=True)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    written, picture = OUTPUT / "state.json", OUTPUT / "state.png"
    figures: list[Figures] = []
    columns = ("trie us", "commit us", "total us", "wall us", "process us", "anon MiB", "disk B")
    print(f"{'accounts':>10}" + "".join(f"{column:>12}" for column in columns))
    first = 0
    for size in (size for size in SIZES if size <= given.max):
        _in_process("--folder", str(given.folder), "--build", str(first), str(size))
        entry = Figures(**json.loads(_in_process("--folder", str(given.folder), "--measure", str(size))))
        figures.append(entry)
        first = size
        shown = (
            entry.trie_us,
            entry.commit_us,
            entry.total_us,
            entry.wall_us,
            entry.process_us,
            entry.rss_anon_mb,
            entry.disk_bytes_per_account,
        )
        print(f"{size:>10,}" + "".join(f"{value:>12}" for value in shown), flush=True)
        # After each size: the largest takes minutes, and what is measured is measured.
        written.write_text(json.dumps(_document(figures), indent=2) + "\n")
    if not given.keep:
        shutil.rmtree(given.folder)
    subprocess.run([sys.executable, "-m", "alatau_devnet.plot_state", str(written), str(picture)], check=True)
    print(f"written: {written}, {picture}")
    return 0


def _document(figures: list[Figures]) -> dict[str, object]:
    return {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "build": FORM.build,
        "keys_per_block": KEYS_PER_BLOCK,
        "sizes": [asdict(entry) for entry in figures],
        "time_ratio_largest_to_100k": _ratio(figures),
    }


def _ratio(figures: list[Figures]) -> float | None:
    """Time per changed key at the largest size over that at 100,000; at most 2 is wanted."""
    at_100k = [entry.total_us for entry in figures if entry.accounts == 100_000]
    return round(figures[-1].total_us / at_100k[0], 2) if at_100k else None


if __name__ == "__main__":
    raise SystemExit(main())
