"""Verify the whole database: blocks against their hashes, trie against its root, flat tables against the trie.

The trie is read in the order in which it is stored, by path: each node comes after its parent, so one pass with
the hashes that are still expected verifies all of it and finds nodes that belong to nothing. The flat tables are
in another order (by address, not by its hash); both sides are therefore summed up, as the hashes of their entries
added modulo 2**256, and only if the sums differ are the entries compared one by one. Such a sum finds damage; it
is no defence against someone who chooses the entries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.storage import schema
from alatau.storage.database import Database
from alatau.storage.errors import CorruptionError
from alatau.storage.history import all_entries
from alatau.storage.past_state import NewestNodes
from alatau.trie.errors import TrieCorruptionError, describe_path_key
from alatau.trie.nodes import EMPTY_REFERENCE, HASH_MARK, REFERENCE_SIZE, Extension, Leaf, decode_node
from alatau.trie.ordered import ordered_root
from alatau.trie.paths import ACCOUNTS, DIGITS, STORAGE, storage_prefix
from alatau.trie.state_trie import NodeCache, StateTrie
from alatau.types.account import decode_account
from alatau.types.header import EMPTY_ROOT, Header, decode_header

FINDINGS_MAX: Final = 20
"""Differences named one by one; more say nothing new."""
_STEP: Final = 2_000
"""Records between two reports of progress: about 10 ms."""
_CACHE_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of a check. ``done`` may pass ``total`` a little where the total is an estimate."""

    phase: str
    """What is being done, in words."""
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be."""

    what: str


@dataclass(slots=True)
class _Sum:
    """Number and sum of the entries of a set, whatever their order."""

    count: int = 0
    total: int = 0

    def add(self, entry: bytes) -> None:
        self.count += 1
        self.total = (self.total + int.from_bytes(keccak256(entry), "big")) & (1 << 256) - 1


def check_everything(db: Database, tip: Header, oldest: int) -> Iterator[Progress | Finding]:
    """Check blocks, trie, flat tables and history; findings come among the reports of progress."""
    try:
        yield from _check_blocks(db, tip)
        yield from _check_history(db, tip, oldest)
        in_trie = _Sum(), _Sum()
        yield from _check_tries(db, tip, *in_trie)
        in_tables = _Sum(), _Sum()
        yield from _sum_tables(db, *in_tables)
        for name, a, b in zip(("accounts", "slots"), in_trie, in_tables, strict=True):
            if a != b:
                yield Finding(f"the trie has {a.count} {name}, the flat table {b.count}, and they are not the same")
        if in_trie != in_tables:
            yield from _compare_tables(db, tip)
    except CorruptionError as error:
        yield Finding(str(error))
    except (ValueError, IndexError) as error:
        yield Finding(f"a record cannot be read, and the check ends there: {error}")


def _check_blocks(db: Database, tip: Header) -> Iterator[Progress | Finding]:
    parent_hash = bytes(32)
    for height in range(tip.number + 1):
        number = schema.height_key(height)
        raw, body = db.get(schema.HEADER + number), db.get(schema.BLOCK + number)
        receipts, commit = db.get(schema.RECEIPTS + number), db.get(schema.COMMIT + number)
        if raw is None or body is None or receipts is None or (commit is None and height):
            yield Finding(f"block {height}: a record of it is missing")
            return
        block_hash = keccak256(raw)
        header = decode_header(raw)
        wrong = [
            what
            for what, holds in (
                ("the header does not follow its parent", header.parent_hash == parent_hash),
                ("the hash index does not lead to it", db.get(schema.HEIGHT_OF + block_hash) == number),
                ("the transactions are not those of its header", _transactions_root(body) == header.transactions_root),
                ("the receipts are not those of its header", _receipts_root(receipts) == header.receipts_root),
            )
            if not holds
        ]
        for what in wrong:
            yield Finding(f"block {height}: {what}")
        parent_hash = block_hash
        if height % 100 == 0 or height == tip.number:
            yield Progress("blocks", height + 1, tip.number + 1)


def _transactions_root(body: bytes) -> bytes:
    _, transactions, _ = rlp.to_list(rlp.decode(body), 3)
    return ordered_root([rlp.to_bytes(tx) for tx in rlp.to_list(transactions)])


def _receipts_root(receipts: bytes) -> bytes:
    return ordered_root([rlp.to_bytes(receipt) for receipt in rlp.decode_list(receipts)])


def _check_history(db: Database, tip: Header, oldest: int) -> Iterator[Progress | Finding]:
    for height in range(oldest + 1, tip.number + 1):
        number = schema.height_key(height)
        index, entries = db.get(schema.HISTORY_INDEX + number), db.get(schema.HISTORY + number)
        if index is None or entries is None:
            yield Finding(f"the history of block {height} is missing")
        elif len(index) != 8 * sum(1 for _ in all_entries(entries)):
            yield Finding(f"the history of block {height} does not fit its index")
        if height % 100 == 0 or height == tip.number:
            yield Progress("history", height - oldest, tip.number - oldest)


def _check_tries(db: Database, tip: Header, accounts: _Sum, slots: _Sum) -> Iterator[Progress | Finding]:
    roots: dict[bytes, bytes] = {}

    def on_account(path: str, value: bytes) -> None:
        accounts.add(path.encode() + value)
        root = decode_account(value).storage_root
        if root != EMPTY_ROOT:
            roots[bytes.fromhex(path)] = root

    total = db.estimate(schema.NODE, bytes((schema.NODE[0] + 1,)))
    walk = _TrieWalk(db, total)
    yield from walk.check(schema.NODE + ACCOUNTS, tip.state_root, on_account)
    for owner in sorted(roots):
        on_slot = partial(_add_slot, slots, owner.hex())
        yield from walk.check(schema.NODE + storage_prefix(owner), roots[owner], on_slot)
    yield from _find_orphans(db, roots)


def _add_slot(slots: _Sum, owner: str, path: str, value: bytes) -> None:
    slots.add((owner + path).encode() + value)


class _TrieWalk:
    """Reads one trie after another in the order of their paths."""

    def __init__(self, db: Database, total: int) -> None:
        self._db = db
        self._total = total
        self._bytes = 0
        self._records = 0

    def check(self, prefix: bytes, root: bytes, on_leaf: Callable[[str, bytes], None]) -> Iterator[Progress | Finding]:
        """Verify the trie whose node keys begin with ``prefix``, and hand over its leaves."""
        expected = {} if root == EMPTY_ROOT else {"": HASH_MARK + root}
        for key, raw in self._db.items_with(prefix):
            path = key[len(prefix) :].decode()
            reference = expected.pop(path, None)
            if reference is None:
                yield Finding(f"trie node {describe_path_key(key[1:])} belongs to nothing")
                continue
            if HASH_MARK + keccak256(raw) != reference:
                yield Finding(f"trie node {describe_path_key(key[1:])} is not the one that its parent names")
                continue
            _expect_children(path, raw, expected, on_leaf)
            self._records += 1
            self._bytes += len(key) + len(raw)
            if self._records % _STEP == 0:
                yield Progress("trie", min(self._bytes, self._total), self._total)
        for path in list(expected)[:FINDINGS_MAX]:
            yield Finding(f"trie node {describe_path_key(prefix[1:] + path.encode())} is missing")


def _expect_children(path: str, raw: bytes, expected: dict[str, bytes], on_leaf: Callable[[str, bytes], None]) -> None:
    """Note which nodes a node names, inline ones included; hand over leaves."""
    node = decode_node(raw)
    if isinstance(node, Leaf):
        on_leaf(path + node.path, node.value)
        return
    children = (
        [(path + node.path, node.reference)]
        if isinstance(node, Extension)
        else [(path + digit, child) for digit, child in zip(DIGITS, node, strict=False)]
    )
    for child_path, child in children:
        if len(child) == REFERENCE_SIZE:
            expected[child_path] = child
        elif child != EMPTY_REFERENCE:
            _expect_children(child_path, child, expected, on_leaf)


def _find_orphans(db: Database, roots: dict[bytes, bytes]) -> Iterator[Finding]:
    """Storage tries whose owner is no account with storage. Seeks from owner to owner."""
    table = schema.NODE + STORAGE
    start, stop = table, schema.NODE + bytes((STORAGE[0] + 1,))
    while (key := next(db.keys(start, stop), None)) is not None:
        owner = key[len(table) : len(table) + 32]
        if owner not in roots:
            yield Finding(f"the storage trie of 0x{owner.hex()} belongs to no account")
        start = table + owner + b"g"  # behind every path of hex digits


def _sum_tables(db: Database, accounts: _Sum, slots: _Sum) -> Iterator[Progress]:
    total = db.estimate(schema.ACCOUNT, bytes((schema.ACCOUNT[0] + 1,)))
    total += db.estimate(schema.SLOT, bytes((schema.SLOT[0] + 1,)))
    read = 0
    for records, (key, value) in enumerate(db.items_with(schema.ACCOUNT)):
        accounts.add(keccak256(key[1:]).hex().encode() + value)
        read += len(key) + len(value)
        if records % _STEP == 0:
            yield Progress("flat tables", min(read, total), total)
    for records, (key, value) in enumerate(db.items_with(schema.SLOT)):
        owner, path = keccak256(key[1:21]).hex(), keccak256(key[21:]).hex()
        slots.add((owner + path).encode() + rlp.encode(value))
        read += len(key) + len(value)
        if records % _STEP == 0:
            yield Progress("flat tables", min(read, total), total)


def _compare_tables(db: Database, tip: Header) -> Iterator[Progress | Finding]:
    """Name the entries that differ, having found that some do."""
    trie = StateTrie.open(tip.state_root, NewestNodes(db), NodeCache(_CACHE_BYTES))
    found = 0
    try:
        for records, (key, value) in enumerate(db.items_with(schema.ACCOUNT)):
            if trie.account(key[1:]) != decode_account(value):
                yield Finding(f"account 0x{key[1:].hex()}: the flat table and the trie differ")
                found += 1
            if records % _STEP == 0:
                yield Progress("comparing accounts", records, records)
            if found >= FINDINGS_MAX:
                return
        for records, (key, value) in enumerate(db.items_with(schema.SLOT)):
            address, slot = key[1:21], int.from_bytes(key[21:], "big")
            if trie.storage(address, slot) != int.from_bytes(value, "big"):
                yield Finding(f"slot {slot:#x} of 0x{address.hex()}: the flat table and the trie differ")
                found += 1
            if records % _STEP == 0:
                yield Progress("comparing slots", records, records)
            if found >= FINDINGS_MAX:
                return
    except TrieCorruptionError as error:
        yield Finding(str(error))
