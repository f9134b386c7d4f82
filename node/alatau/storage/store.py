"""The store: blocks, state, trie, history and indexes of one node, in one LevelDB.

**One batch a height.** :meth:`Store.commit` gathers everything that a block changes into one write batch, so
after a crash at any point the node is at that height or at the one before, never between.

**Opening checks the tip.** Header, block, commit and state root must belong together, the root node must hash to
the state root, and the height must be the one that was committed last. What does not fit is reported with what
to do; nothing is repaired without being asked.

**The disk works elsewhere.** :meth:`Store.prepare_commit` gathers the batch, :meth:`Store.write_commit`, which may run
in a thread, writes it, :meth:`Store.finish_commit` moves the tip. Until then everything is read as it was before, so
nobody meets a block's values under its parent's height.

**One writer.** The engine commits. A :class:`StateView` stays at its height whatever is committed meanwhile, but
is for the thread that commits; other threads read a :class:`FrozenState`.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from alatau.chain.executed import ExecutedBlock
from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.storage import schema
from alatau.storage.account_index import PAGE_MAX as PLACES_MAX
from alatau.storage.account_index import Place, find_sent, places_of
from alatau.storage.check import Finding, Progress, check_everything
from alatau.storage.commit_batch import fill_batch, undo_batch
from alatau.storage.database import MIB, Database, DatabaseOptions, open_database
from alatau.storage.disk import Disk
from alatau.storage.errors import (
    RESTORE_OR_SYNC,
    CorruptionError,
    DiskFullError,
    HistoryPrunedError,
    SchemaError,
)
from alatau.storage.flat_state import ACCOUNTS_CACHED, SLOTS_CACHED, FlatState
from alatau.storage.frozen_state import FrozenState, frozen_state
from alatau.storage.history import HISTORY_BLOCKS
from alatau.storage.log_index import (
    BLOCK_STEPS,
    PAGE_MAX,
    STEPS_MAX,
    FoundLog,
    LogCursor,
    LogPage,
    LogQuery,
    candidate_heights,
    logs_of,
    matches,
)
from alatau.storage.past_state import INDEX_BYTES_CACHED, NewestNodes, Past, PastNodes, StateView
from alatau.storage.scrub import Scrub
from alatau.storage.tip_marker import TipMarker, read_marker
from alatau.trie.generations import GenerationCache
from alatau.trie.paths import ACCOUNTS
from alatau.trie.proof import AccountProof, prove
from alatau.trie.state_trie import CACHE_BYTES, NodeCache, StateTrie
from alatau.types.block import Block, decode_block
from alatau.types.header import EMPTY_ROOT, Header, decode_header
from alatau.types.receipt import Receipt, decode_receipt
from alatau.types.validator import ValidatorSet, decode_validator_set, encode_validator_set
from alatau.types.vote import Commit, commit_from_item

_PRUNED_MAX: Final = 64
"""Heights whose history one commit deletes at most."""


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How much memory and history the store may take."""

    database: DatabaseOptions = field(default_factory=DatabaseOptions)
    node_cache_bytes: int = CACHE_BYTES
    """Trie nodes kept in memory."""
    history_blocks: int = HISTORY_BLOCKS
    """Blocks that can be looked back to, proved and rolled back."""
    accounts_cached: int = ACCOUNTS_CACHED
    """Newest accounts kept decoded in memory."""
    slots_cached: int = SLOTS_CACHED
    """Newest words of storage kept in memory."""
    headers_cached: int = 1_024
    """Recent headers: BLOCKHASH asks for 256 of them, clients for the newest."""
    blocks_cached_bytes: int = 16 * MIB
    """Recent blocks, by size of their transactions: peers and subscribers ask for the newest."""
    history_cached_bytes: int = INDEX_BYTES_CACHED
    """Index records of the history kept in memory."""
    account_index: bool = False
    """Whether blocks go into the index of accounts from now on."""


@dataclass(frozen=True, slots=True)
class PreparedCommit:
    """A block whose records are gathered; nothing of it is written yet."""

    executed: ExecutedBlock
    commit: Commit | None
    """None for genesis alone."""
    batch: Any
    """The LevelDB write batch."""
    oldest: int
    """Lowest height that the history reaches back to afterwards."""


class Store:
    """An open store. Make one with :meth:`open`."""

    __slots__ = (
        "_blocks",
        "_db",
        "_disk",
        "_flat",
        "_headers",
        "_marker",
        "_node_cache",
        "_nodes",
        "_oldest",
        "_past",
        "_tip",
        "_tip_hash",
        "_trie",
        "options",
        "path",
    )

    def __init__(self, path: Path, db: Database, marker: TipMarker, options: StoreOptions, disk: Disk) -> None:
        self.path = path
        self.options = options
        self._db = db
        self._disk = disk
        self._marker = marker
        self._flat = FlatState(db, options.accounts_cached, options.slots_cached)
        self._nodes = NewestNodes(db)
        self._past = Past(db, self._reach, options.history_cached_bytes)
        self._node_cache = NodeCache(options.node_cache_bytes)
        self._headers: GenerationCache[int, Header] = GenerationCache(options.headers_cached)
        self._blocks: GenerationCache[int, Block] = GenerationCache(options.blocks_cached_bytes)
        self._tip: Header | None = None
        self._tip_hash = b""
        self._oldest = 0
        """Lowest height that the history reaches back to."""
        self._trie = StateTrie.open(EMPTY_ROOT, self._nodes, self._node_cache)

    @classmethod
    def open(cls, path: Path, options: StoreOptions | None = None, disk: Disk | None = None) -> "Store":
        """Open the store in a folder, or make an empty one.

        Raises:
            StoreLockedError: another process has it open.
            SchemaError: it is of another version.
            CorruptionError: it is damaged.
            DiskFullError: there is no room even to open it.
        """
        options = StoreOptions() if options is None else options
        disk = Disk() if disk is None else disk
        path.mkdir(parents=True, exist_ok=True)
        marked = read_marker(path / "tip")
        db = open_database(path / "db", options.database, disk, expected=marked is not None)
        try:
            _check_schema(db, marked)
            marker = TipMarker(path / "tip", disk)
        except BaseException:
            db.close()
            raise
        store = cls(path, db, marker, options, disk)
        try:
            store._load_tip(marked)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close it and let its lock go."""
        self._db.close()
        self._marker.close()

    # Writing

    def init_genesis(self, executed: ExecutedBlock) -> None:
        """Commit block 0 to an empty store; do nothing where it is there already.

        Raises:
            SchemaError: the store belongs to a network with another genesis.
        """
        assert executed.block.header.number == 0, "genesis is block 0"
        known = self._db.get(schema.META_GENESIS)
        if known is not None and known != executed.block.hash:
            raise SchemaError(
                f"{self.path} belongs to the network with genesis 0x{known.hex()}, the genesis file gives"
                f" 0x{executed.block.hash.hex()}. Use that network's genesis file, or another home"
            )
        if self._tip is None:
            self._write_now(self._gather(executed, None))

    def commit(self, executed: ExecutedBlock, commit: Commit) -> None:
        """Make a decided block durable, and its state the newest, at once; raises as :meth:`write_commit`."""
        self._write_now(self.prepare_commit(executed, commit))

    def prepare_commit(self, executed: ExecutedBlock, commit: Commit) -> Generator[None, None, PreparedCommit]:
        """Gather what a decided block writes, yielding now and then; nothing is written."""
        header = executed.block.header
        assert self._tip is not None, "genesis is committed first"
        assert header.number == self._tip.number + 1, "heights are committed in order"
        assert header.parent_hash == self._tip_hash, "a block is committed on its parent"
        assert (commit.height, commit.block_hash) == (header.number, executed.block.hash), "the commit is the block's"
        return (yield from self._gather(executed, commit))

    def write_commit(self, prepared: PreparedCommit) -> None:
        """Write it, all or nothing. May run in a thread while others read; :meth:`finish_commit` must follow.

        Raises:
            DiskFullError: too little room. If the message says nothing else, nothing was written.
            StorageError: the disk refused. Stop the node; opening finds this height or the one before.
        """
        self._db.pin()
        try:
            self._db.write(prepared.batch)
            self._disk.boundary("commit/written")
            if self.options.database.sync:
                # Otherwise a power failure might keep the marker and lose the block, as it may then.
                self._mark(prepared.executed.block.header.number)
            self._disk.boundary("commit/marked")
        except BaseException:
            self._db.unpin()
            raise

    def finish_commit(self, prepared: PreparedCommit) -> None:
        """Move the tip to what was written. In the thread of all other readers, and without a pause."""
        executed = prepared.executed
        block, applied = executed.block, executed.trie
        height = block.header.number
        self._db.unpin()
        applied.trie.mark_stored()
        self._tip, self._tip_hash, self._oldest = block.header, block.hash, prepared.oldest
        self._trie = StateTrie.open(applied.root, self._nodes, self._node_cache)
        self._flat.update(applied.accounts, executed.diff.storage)
        self._headers.put(height, block.header, 1)
        self._blocks.put(height, block, _block_units(block))

    def _write_now(self, work: Generator[None, None, PreparedCommit]) -> None:
        while True:
            try:
                next(work)
            except StopIteration as end:
                prepared: PreparedCommit = end.value
                break
        self.write_commit(prepared)
        self.finish_commit(prepared)

    def _gather(self, executed: ExecutedBlock, commit: Commit | None) -> Generator[None, None, PreparedCommit]:
        block, applied = executed.block, executed.trie
        assert block.header.state_root == applied.root, "the header carries the root of its own execution"
        self._disk.boundary("commit/begin")
        batch = self._db.batch()
        height = block.header.number
        # More than one at a time only after the option was made smaller.
        oldest = min(max(self._oldest, height - self.options.history_blocks), self._oldest + _PRUNED_MAX)
        pruned = range(self._oldest + 1, oldest + 1)
        indexes = self.options.account_index
        yield from fill_batch(batch, self._db, executed, commit, pruned, account_index=indexes)
        if commit is None:
            batch.put(schema.META_GENESIS, block.hash)
        self._disk.boundary("commit/gathered")
        return PreparedCommit(executed, commit, batch, oldest)

    # Blocks

    @property
    def tip(self) -> Header | None:
        """Header of the last committed block; None before genesis."""
        return self._tip

    @property
    def tip_hash(self) -> bytes:
        """Its hash; empty before genesis."""
        return self._tip_hash

    @property
    def genesis_hash(self) -> bytes | None:
        """Hash of block 0: the network's identity."""
        return self._db.get(schema.META_GENESIS)

    def header(self, height: int) -> Header | None:
        """The header at a height; None above the tip."""
        header = self._headers.get(height)
        if header is None:
            raw = self._db.get(schema.HEADER + schema.height_key(height))
            if raw is None:
                return None
            header = decode_header(raw)
            self._headers.put(height, header, 1)
        return header

    def block(self, height: int) -> Block | None:
        """The block at a height; None above the tip."""
        block = self._blocks.get(height)
        if block is None:
            raw = self.block_bytes(height)
            if raw is None:
                return None
            block = decode_block(raw)
            self._blocks.put(height, block, _block_units(block))
        return block

    def block_bytes(self, height: int) -> bytes | None:
        """The RLP of the block at a height, for peers."""
        return self._db.get(schema.BLOCK + schema.height_key(height))

    def hash_of(self, height: int) -> bytes:
        """Hash of the block at a height from 0 to the tip."""
        assert self._tip is not None, "there are hashes from genesis on"
        if height == self._tip.number:
            return self._tip_hash
        child = self.header(height + 1)
        assert child is not None, f"height {height} is not above the tip, {self._tip.number}"
        return child.parent_hash

    def height_of(self, block_hash: bytes) -> int | None:
        """Height of the block with a hash."""
        number = self._db.get(schema.HEIGHT_OF + block_hash)
        return None if number is None else int.from_bytes(number, "big")

    def commit_of(self, height: int) -> Commit | None:
        """The commit that decided the block at a height; None for genesis and above the tip."""
        raw = self._db.get(schema.COMMIT + schema.height_key(height))
        return None if raw is None else commit_from_item(rlp.decode(raw))

    def receipts(self, height: int) -> tuple[Receipt, ...]:
        """The receipts of the block at a height, in order; empty above the tip."""
        raw = self._db.get(schema.RECEIPTS + schema.height_key(height))
        return () if raw is None else tuple(decode_receipt(rlp.to_bytes(item)) for item in rlp.decode_list(raw))

    def keep_validators(self, validators: ValidatorSet) -> None:
        """Keep a validator set by its hash, for those who come when the state that named it is pruned."""
        key, encoded = schema.VALIDATORS + validators.hash, encode_validator_set(validators)
        if self._db.get(key) != encoded:
            batch = self._db.batch()
            batch.put(key, encoded)
            self._db.write(batch)

    def validators_of(self, set_hash: bytes) -> ValidatorSet | None:
        """The set with this hash, as headers name it; None where this store never kept it.

        Raises:
            CorruptionError: what is stored under the hash is another set, or none.
        """
        encoded = self._db.get(schema.VALIDATORS + set_hash)
        if encoded is None:
            return None
        try:
            validators = decode_validator_set(encoded)
        except ValueError as error:
            what = f"the validator set 0x{set_hash.hex()} cannot be read: {error}"
            raise CorruptionError(self.path, what, RESTORE_OR_SYNC) from error
        if validators.hash != set_hash:
            what = f"under the validator set 0x{set_hash.hex()} lies another"
            raise CorruptionError(self.path, what, RESTORE_OR_SYNC)
        return validators

    def find_transaction(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Height and index of a committed transaction."""
        place = self._db.get(schema.TRANSACTION + transaction_hash)
        return None if place is None else (int.from_bytes(place[:8], "big"), int.from_bytes(place[8:], "big"))

    @property
    def indexed_from(self) -> int | None:
        """The first height from which on every block is in the index of accounts; None where there is none."""
        first = self._db.get(schema.META_INDEXED)
        return None if first is None else int.from_bytes(first, "big")

    def find_sent(self, sender: bytes, nonce: int) -> Place | None:
        """Where the transaction of a sender with a nonce stands; None where the index does not have it."""
        return find_sent(self._db, sender, nonce)

    def places_of(self, address: bytes, first: Place, last_height: int, limit: int) -> tuple[list[Place], bool]:
        """Places of what an account sent or was paid by, oldest first, and whether there are more than ``limit``."""
        return places_of(self._db, address, first, last_height, min(limit, PLACES_MAX))

    def logs(self, query: LogQuery, cursor: LogCursor | None = None) -> LogPage:
        """Logs that match, oldest first, from ``cursor`` on; bounded work, so ask again while ``next`` is there."""
        tip = -1 if self._tip is None else self._tip.number
        start = LogCursor(query.first, 0) if cursor is None else cursor
        bounded = LogQuery(query.first, min(query.last, tip), query.addresses, query.topics)
        limit = min(max(query.limit, 1), PAGE_MAX)
        found: list[FoundLog] = []
        steps = 0
        for height, promising in candidate_heights(self._db, bounded, start.height):
            steps += 1
            if promising:
                skip = start.log_index if height == start.height else 0
                logs = list(logs_of(height, self.receipts(height)))
                steps += BLOCK_STEPS + len(logs)
                for entry in logs[skip:]:
                    if matches(entry.log, query):
                        if len(found) == limit:
                            return LogPage(tuple(found), LogCursor(height, entry.log_index))
                        found.append(entry)
            if steps >= STEPS_MAX:
                return LogPage(tuple(found), LogCursor(height + 1, 0))
        return LogPage(tuple(found), None)

    # State

    def state(self, height: int | None = None) -> StateView:
        """The state after a block, by default the newest.

        Raises:
            HistoryPrunedError: the height is further back than the history reaches, or above the tip.
        """
        assert self._tip is not None, "there is state from genesis on"
        wanted = self._tip.number if height is None else height
        self._reach(wanted)
        return StateView(wanted, self._flat, self._past)

    def frozen_state(self, height: int) -> AbstractContextManager[FrozenState]:
        """The state after a block for another thread to read, until the context ends.

        Raises:
            HistoryPrunedError: as :meth:`state`.
        """
        return frozen_state(self._db, height)

    def trie(self, height: int | None = None) -> StateTrie:
        """The trie after a block, by default the newest.

        The newest is there to build on; it cannot be read any more once another block than its child is
        committed. One of a given height below the tip reads through the history.

        Raises:
            HistoryPrunedError: as :meth:`state`.
        """
        if height is None or (self._tip is not None and height == self._tip.number):
            return self._trie
        self._reach(height)
        header = self.header(height)
        assert header is not None, "every height up to the tip has a header"
        return StateTrie.open(header.state_root, PastNodes(height, self._past), self._node_cache)

    def proof(self, address: bytes, slots: Sequence[int], height: int | None = None) -> AccountProof:
        """Prove an account and slots under the state root of a block, by default the newest.

        Raises:
            HistoryPrunedError: as :meth:`state`.
        """
        return prove(self.trie(height), address, slots)

    @property
    def oldest_state(self) -> int:
        """The lowest height whose state can be read."""
        return self._oldest

    def _reach(self, height: int) -> int:
        """The tip's height; raises where ``height`` is out of reach."""
        tip = -1 if self._tip is None else self._tip.number
        if not self._oldest <= height <= tip:
            raise HistoryPrunedError(height, self._oldest, tip)
        return tip

    # Upkeep

    def check(self) -> Iterator[Progress | Finding]:
        """Verify blocks, trie and flat tables against each other; yields as it goes. See ``check.py``."""
        assert self._tip is not None, "there is something to check from genesis on"
        return check_everything(self._db, self._tip, self._oldest)

    def scrub(self, needed: Iterable[Path] = ()) -> Scrub:
        """A reader of everything, for the background, that looks after ``needed`` files too. See ``scrub.py``."""
        return Scrub(self._db, needed=needed)

    def rollback(self, to: int) -> Iterator[Progress]:
        """Take blocks back until ``to`` is the tip; yields after each. Interrupted, it is at a height between.

        Raises:
            HistoryPrunedError: the history does not reach back to ``to``.
        """
        assert self._tip is not None, "there is something to take back from genesis on"
        self._reach(to)
        tip = self._tip.number
        for height in range(tip, to, -1):
            block = self.block(height)
            assert block is not None, "every height up to the tip has a block"
            # The marker goes first: one that is behind the database is no loss, one ahead of it is.
            self._mark(height - 1)
            self._db.write(undo_batch(self._db, block, self.receipts(height)))
            self._forget()
            self._load_tip(height - 1)
            yield Progress("taking blocks back", tip - height + 1, tip - to)

    def compact(self) -> Iterator[Progress]:
        """Have LevelDB rewrite its files without what was overwritten or deleted; yields as it goes."""
        ranges = self._db.ranges_of(schema.TABLES)
        for done, (start, stop) in enumerate(ranges, 1):
            self._db.compact(start, stop)
            yield Progress("compacting", done, len(ranges))

    @property
    def size_bytes(self) -> int:
        """Size of the database's files."""
        return self._db.size_bytes()

    # Opening

    def _forget(self) -> None:
        """Empty every cache: the tables changed underneath."""
        for cache in (self._headers, self._blocks, self._flat, self._node_cache):
            cache.clear()
        self._past.forget()

    def _mark(self, height: int) -> None:
        try:
            self._marker.write(height)
        except OSError as error:
            raise DiskFullError(self.path, f"the tip marker could not be written ({error})") from error

    def _load_tip(self, marked: int | None) -> None:
        raw = self._db.get(schema.META_TIP)
        height = -1 if raw is None else int.from_bytes(raw[:8], "big")
        if marked is not None and height < marked:
            raise CorruptionError(
                self.path,
                f"block {marked} was committed, but the database ends at {height}: the end of its log is lost",
                RESTORE_OR_SYNC + ".",
            )
        if raw is None:
            return
        self._tip, self._tip_hash = self._checked_tip(height, raw[8:])
        self._oldest = int.from_bytes(self._db.get(schema.META_OLDEST) or b"", "big")
        self._trie = StateTrie.open(self._tip.state_root, self._nodes, self._node_cache)
        if marked != height and self.options.database.sync:
            self._mark(height)

    def _checked_tip(self, height: int, tip_hash: bytes) -> tuple[Header, bytes]:
        """The tip's header, where header, block, commit and root node agree."""
        try:
            block, commit, header = self.block(height), self.commit_of(height), self.header(height)
        except ValueError as error:
            raise self._tip_error(height, f"a record of it cannot be read: {error}") from error
        if block is None or header is None or block.hash != tip_hash or block.header != header:
            raise self._tip_error(height, "its header and block are not those that were committed")
        if height and (commit is None or commit.block_hash != tip_hash or commit.height != height):
            raise self._tip_error(height, "its commit is missing or of another block")
        root = self._nodes.node(ACCOUNTS)
        if (EMPTY_ROOT if root is None else keccak256(root)) != header.state_root:
            raise self._tip_error(height, "the state trie has another root than its header")
        return header, tip_hash

    def _tip_error(self, height: int, what: str) -> CorruptionError:
        return CorruptionError(self.path, f"at block {height}, {what}", RESTORE_OR_SYNC + ".")


def _check_schema(db: Database, marked: int | None) -> None:
    """Refuse another version; name our own in an empty database. ``marked`` is the height that was committed."""
    version = db.get(schema.META_SCHEMA)
    if version is None:
        if marked is not None:
            lost = f"block {marked} was committed, but the record of the database's version is gone"
            raise CorruptionError(db.path, lost, RESTORE_OR_SYNC + ".")
        if next(db.keys(b"", b"\xff"), None) is not None:
            raise SchemaError(f"{db.path} is no database of this program. Choose another folder")
        batch = db.batch()
        batch.put(schema.META_SCHEMA, b"%d" % schema.SCHEMA_VERSION)
        db.write(batch)
    elif version != b"%d" % schema.SCHEMA_VERSION:
        raise SchemaError(
            f"{db.path} has schema version {version.decode(errors='replace')}, this program reads"
            f" {schema.SCHEMA_VERSION}. Start the version that wrote it, or move the folder away and sync again"
        )


def _block_units(block: Block) -> int:
    """About what a decoded block takes in memory, in bytes: a transaction several times its size."""
    return 4_096 + sum(len(tx.encoded) * 2 + 1_500 for tx in block.transactions)
