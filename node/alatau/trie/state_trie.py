"""The state trie: accounts, each with the root of its own storage trie (Yellow Paper, section 4.1).

**Values.** A :class:`StateTrie` is a value: :meth:`StateTrie.apply` gives a new one and leaves the old as it
was, so blocks that compete for a height, and a block that builds on one still being voted on, each have
theirs. Nothing is written: the changed nodes go to the store with the rest of the block.

**Where nodes are.** The store holds one version of each node, by path. Newer versions that are not stored yet
lie in the *layers* of the tries that made them. In front of both is a bounded cache, shared by all versions;
it is keyed by a node's hash, so it cannot mix them up. A node that comes from the store is hashed once and
compared with what its parent says.

**Staleness.** Once another block is stored, a trie that does not descend from it can no longer read what that
block overwrote: it raises ``TrieCorruptionError`` rather than answer wrongly. Older versions come from the
store's history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.trie.errors import TrieCorruptionError
from alatau.trie.generations import GenerationCache
from alatau.trie.nodes import (
    EMPTY_REFERENCE,
    HASH_MARK,
    REFERENCE_SIZE,
    Leaf,
    decode_node,
)
from alatau.trie.paths import ACCOUNTS, NIBBLE, address_hash, address_path, slot_path, storage_prefix
from alatau.trie.update import TrieUpdate
from alatau.types.account import Account, decode_account, encode_account
from alatau.types.header import EMPTY_ROOT

CACHE_BYTES: Final = 32 * 1024 * 1024
"""Default bound of the node cache. Holds the nodes of some 50,000 accounts, a city's worth of active ones."""

_ENTRY_BYTES: Final = 180
"""What a cached node takes beyond its RLP: two bytes objects, a dictionary slot at usual fill (measured)."""


class NodeReader(Protocol):
    """Where stored nodes are: the database, or nothing in tests."""

    def node(self, path_key: bytes) -> bytes | None:
        """The RLP of the node at a path key, or None."""


class NoNodes:
    """A reader of nothing: for tries that start empty and are never stored."""

    def node(self, path_key: bytes) -> bytes | None:  # noqa: ARG002  the protocol's argument
        """None."""
        return None


class NodeCache(GenerationCache[bytes, bytes]):
    """Encoded nodes by reference. ``limit`` is in bytes."""

    __slots__ = ()


@dataclass(slots=True)
class Layer:
    """The nodes that one block made, until they are stored."""

    nodes: dict[bytes, bytes]
    """Reference -> RLP."""
    stored: bool = False


@dataclass(frozen=True, slots=True)
class AppliedDiff:
    """What applying a block's changes gave."""

    trie: "StateTrie"
    root: bytes
    accounts: dict[bytes, Account | None]
    """Address -> account as it is now, with its new storage root; None where removed."""
    nodes: dict[bytes, bytes | None]
    """Path key -> RLP of the node to store there; None where a node is to be deleted."""
    previous: dict[bytes, bytes]
    """Path key -> RLP of the node that was there, for the keys of ``nodes`` that had one."""
    account_values: dict[bytes, tuple[bytes | None, bytes | None]]
    """Address -> RLP of the account before and now, for the flat table. Unchanged ones are left out."""
    slot_values: dict[bytes, dict[int, tuple[int, int]]]
    """Address -> slot -> word before and now. Unchanged ones, and those that go with their account, are left out."""


class StateTrie:
    """One version of the state trie. Make one with :meth:`open`."""

    __slots__ = ("_cache", "_layers", "_reader", "root")

    def __init__(self, root: bytes, reader: NodeReader, cache: NodeCache, layers: tuple[Layer, ...]) -> None:
        self.root = root
        """32 bytes; goes into the header."""
        self._reader = reader
        self._cache = cache
        self._layers = layers
        """Newest first."""

    @classmethod
    def open(cls, root: bytes, reader: NodeReader, cache: NodeCache | None = None) -> "StateTrie":
        """The trie with this root, whose nodes ``reader`` has. Nothing is read yet."""
        return cls(root, reader, NodeCache(CACHE_BYTES) if cache is None else cache, ())

    def apply(
        self, accounts: Mapping[bytes, Account | None], storage: Mapping[bytes, Mapping[int, int]]
    ) -> AppliedDiff:
        """Change accounts and slots; about 20 us per changed key.

        Args:
            accounts: address -> account, or None to remove it with all its storage. ``storage_root`` is the
                one before the change.
            storage: address -> slot -> word, 0 to clear; each address is also in ``accounts``.

        Raises:
            TrieCorruptionError: a stored node is missing or damaged, or this trie is stale.
        """
        assert storage.keys() <= accounts.keys(), "an account whose storage changes is among the changed ones"
        update = TrieUpdate(self._load)
        changed: dict[bytes, Account | None] = {}
        slot_values: dict[bytes, dict[int, tuple[int, int]]] = {}
        encoded: dict[str, bytes] = {}
        for address, given in accounts.items():
            account = given
            if account is None:
                self._wipe_storage(update, address)
            elif storage.get(address):
                account, slot_values[address] = _write_storage(update, address, account, storage[address])
            changed[address] = account
            encoded[address_path(address)] = b"" if account is None else encode_account(account)
        root = update.apply(ACCOUNTS, self.root, sorted(encoded.items()))
        update.close()
        account_values = {}
        for address, (path, value) in zip(changed, encoded.items(), strict=True):
            old, new = update.before.get(path), value or None
            if old != new:
                account_values[address] = (old, new)
        trie = self._successor(root, update)
        return AppliedDiff(trie, root, changed, update.nodes, update.previous, account_values, slot_values)

    def mark_stored(self) -> None:
        """The store says: the nodes of this trie are stored now. Later versions need not carry them."""
        for layer in self._layers:
            layer.stored = True

    def account(self, address: bytes) -> Account | None:
        """Walk to an account. Execution reads the flat table instead."""
        value = self._lookup(ACCOUNTS, self.root, address_path(address))
        return None if value is None else decode_account(value)

    def storage(self, address: bytes, slot: int) -> int:
        """Walk to a slot."""
        account = self.account(address)
        if account is None:
            return 0
        value = self._lookup(storage_prefix(address_hash(address)), account.storage_root, slot_path(slot))
        return 0 if value is None else rlp.to_uint(rlp.decode(value))

    def path_nodes(self, prefix: bytes, root: bytes, path: str) -> list[bytes]:
        """The RLP of each node that stands by itself on the way to ``path``, from the root: a proof.

        Args:
            prefix: of the trie's path keys.
            root: the trie's root.
            path: a whole key's; where nothing is there the nodes show that.
        """
        found: list[bytes] = []
        reference = EMPTY_REFERENCE if root == EMPTY_ROOT else HASH_MARK + root
        depth = 0
        while reference != EMPTY_REFERENCE:
            raw = reference
            if len(reference) == REFERENCE_SIZE:
                raw = self._read(reference, prefix + path[:depth].encode())
                found.append(raw)
            node = decode_node(raw)
            if isinstance(node, Leaf):
                break
            if isinstance(node, list):
                reference, depth = node[NIBBLE[path[depth]]], depth + 1
            elif path.startswith(node.path, depth):
                reference, depth = node.reference, depth + len(node.path)
            else:
                break
        return found

    def _lookup(self, prefix: bytes, root: bytes, path: str) -> bytes | None:
        reference = EMPTY_REFERENCE if root == EMPTY_ROOT else HASH_MARK + root
        depth = 0
        while reference != EMPTY_REFERENCE:
            inline = len(reference) != REFERENCE_SIZE
            node = decode_node(reference if inline else self._read(reference, prefix + path[:depth].encode()))
            if isinstance(node, Leaf):
                return node.value if path[depth:] == node.path else None
            if isinstance(node, list):
                reference, depth = node[NIBBLE[path[depth]]], depth + 1
            elif path.startswith(node.path, depth):
                reference, depth = node.reference, depth + len(node.path)
            else:
                return None
        return None

    def _wipe_storage(self, update: TrieUpdate, address: bytes) -> None:
        account = self.account(address)
        if account is not None:
            update.wipe(storage_prefix(address_hash(address)), account.storage_root)

    def _read(self, reference: bytes, path_key: bytes) -> bytes:
        """Load a node that stays in the trie, and so may be asked for again."""
        raw = self._load(reference, path_key)
        self._cache.put(reference, raw, _cached_bytes(raw))
        return raw

    def _load(self, reference: bytes, path_key: bytes) -> bytes:
        """The RLP of the node that ``reference`` (a hash) names."""
        raw = self._cache.get(reference)
        if raw is not None:
            return raw
        for layer in self._layers:
            raw = layer.nodes.get(reference)
            if raw is not None:
                return raw
        raw = self._reader.node(path_key)
        found = None if raw is None else keccak256(raw)
        if raw is None or found != reference[1:]:
            raise TrieCorruptionError(path_key, reference[1:], found)
        return raw

    def _successor(self, root: bytes, update: TrieUpdate) -> "StateTrie":
        fresh = update.fresh
        self._cache.drop_all(update.replaced, _cached_bytes)
        self._cache.put_all(fresh, sum(map(len, fresh.values())) + len(fresh) * _ENTRY_BYTES)
        unstored = tuple(layer for layer in self._layers if not layer.stored)
        return StateTrie(root, self._reader, self._cache, (Layer(fresh), *unstored))


def _cached_bytes(raw: bytes) -> int:
    """What a cached node takes in memory."""
    return len(raw) + _ENTRY_BYTES


def _write_storage(
    update: TrieUpdate, address: bytes, account: Account, writes: Mapping[int, int]
) -> tuple[Account, dict[int, tuple[int, int]]]:
    """The account with its new storage root, and slot -> word before and now."""
    entries = sorted((slot_path(slot), rlp.encode(word) if word else b"") for slot, word in writes.items())
    root = update.apply(storage_prefix(address_hash(address)), account.storage_root, entries)
    before = update.before
    values = {}
    for slot, word in writes.items():
        value = before.get(slot_path(slot))
        old = 0 if value is None else rlp.to_uint(rlp.decode(value))
        if old != word:
            values[slot] = (old, word)
    return Account(account.nonce, account.balance, root, account.code_hash), values
