"""Change many keys of one trie in one traversal.

The entries arrive sorted, so those below one branch are neighbours: each node on the way is read once, decoded
once, and encoded and hashed once, however many of its keys change. What was read and what replaces it are
gathered by path; a path that was read and not written again holds a node that is gone.

The shape of a trie follows from its keys alone. After a deletion a branch with one child left is therefore
merged with it, exactly as if the deleted key had never been there.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.trie.build import Entry, build
from alatau.trie.nodes import (
    EMPTY_REFERENCE,
    HASH_MARK,
    INLINE_SIZE_MAX,
    REFERENCE_SIZE,
    Branch,
    Extension,
    Leaf,
    decode_node,
    encode_branch,
    encode_extension,
    encode_leaf,
)
from alatau.trie.paths import DIGITS, NIBBLE, shared_length
from alatau.types.header import EMPTY_ROOT

Load: TypeAlias = Callable[[bytes, bytes], bytes]
"""Takes a reference that is a hash, and a path key; gives the node's RLP."""


class TrieUpdate:
    """One batch of changes. Use it for one trie after another; the gathered nodes are of all of them."""

    __slots__ = ("_load", "_prefix", "before", "fresh", "nodes", "previous", "replaced")

    def __init__(self, load: Load) -> None:
        self._load = load
        self._prefix = b""
        self.before: dict[str, bytes] = {}
        """Path -> value before, for those keys of the last :meth:`apply` that had one."""
        self.nodes: dict[bytes, bytes | None] = {}
        """Path key -> RLP of the node now there."""
        self.previous: dict[bytes, bytes] = {}
        """Path key -> RLP of the node that was there, for every path that changes."""
        self.fresh: dict[bytes, bytes] = {}
        """Reference -> RLP, of the new nodes."""
        self.replaced: set[bytes] = set()
        """References that were read and are not part of the trie any more."""

    def apply(self, prefix: bytes, root: bytes, entries: Sequence[Entry]) -> bytes:
        """Change the trie under ``prefix`` and give its new root (32 bytes).

        Args:
            prefix: what the path keys of this trie begin with.
            root: its root before.
            entries: sorted by path, each path once; an empty value deletes.
        """
        self._prefix = prefix
        self.before = {}
        before = EMPTY_REFERENCE if root == EMPTY_ROOT else HASH_MARK + root
        after = self._write("", before, entries) if entries else before
        if after == EMPTY_REFERENCE:
            return EMPTY_ROOT
        if len(after) != REFERENCE_SIZE:
            # The root is stored and named by its hash however short it is.
            raw, after = after, HASH_MARK + keccak256(after)
            self.nodes[prefix] = self.fresh[after] = raw
        return after[1:]

    def wipe(self, prefix: bytes, root: bytes) -> None:
        """Delete every node of the trie under ``prefix``."""
        self._prefix = prefix
        if root != EMPTY_ROOT:
            self._wipe("", HASH_MARK + root)

    def close(self) -> None:
        """After the last trie: mark what is gone."""
        self.nodes.update(dict.fromkeys(self.previous.keys() - self.nodes.keys()))

    def _write(self, path: str, reference: bytes, entries: Sequence[Entry]) -> bytes:
        """Change the subtree at ``path``; give its new reference."""
        if reference == EMPTY_REFERENCE:
            return build(len(path), [entry for entry in entries if entry[1]], self._emit)
        raw = self._visit(path, reference)
        node = decode_node(raw)
        if isinstance(node, list):
            changed = self._write_branch(path, node, entries, raw)
        elif isinstance(node, Leaf):
            changed = self._write_leaf(path, node, entries)
        else:
            changed = self._write_extension(path, node, entries)
        return self._keep(path, reference, raw) if changed is None else changed

    def _write_branch(self, path: str, branch: Branch, entries: Sequence[Entry], before: bytes) -> bytes | None:
        """None where nothing changes. ``before`` is the branch's RLP."""
        depth = len(path)
        emptied = False
        start, count = 0, len(entries)
        if len(entries[0][0]) == depth:
            # Only keys of unequal length end at a branch: none in the state, whose values ``before`` is for.
            branch[16] = rlp.encode(entries[0][1])
            emptied = not entries[0][1]
            start = 1
        while start < count:
            digit = entries[start][0][depth]
            end = start + 1
            while end < count and entries[end][0][depth] == digit:
                end += 1
            nibble = NIBBLE[digit]
            child = self._write(path + digit, branch[nibble], entries[start:end])
            emptied = emptied or child == EMPTY_REFERENCE
            branch[nibble] = child
            start = end
        if emptied and branch.count(EMPTY_REFERENCE) >= 16:
            return self._collapse(path, branch)
        raw = encode_branch(branch)
        return None if raw == before else self._emit(path, raw)

    def _collapse(self, path: str, branch: Branch) -> bytes:
        """Replace a branch that has one child, or none, by what the trie needs instead."""
        if branch[16] != EMPTY_REFERENCE:
            return self._emit(path, encode_leaf("", rlp.to_bytes(rlp.decode(branch[16]))))
        for nibble, child in enumerate(branch):
            if child != EMPTY_REFERENCE:
                return self._prolong(path, DIGITS[nibble], child)
        return EMPTY_REFERENCE

    def _write_leaf(self, path: str, leaf: Leaf, entries: Sequence[Entry]) -> bytes | None:
        full = path + leaf.path
        if len(entries) == 1 and entries[0][0] == full:
            value = entries[0][1]
            self.before[full] = leaf.value
            if value == leaf.value:
                return None
            return self._emit(path, encode_leaf(leaf.path, value)) if value else EMPTY_REFERENCE
        changes = dict(entries)
        if full in changes:
            self.before[full] = leaf.value
        values = {full: leaf.value, **changes}
        left = sorted(entry for entry in values.items() if entry[1])
        if left == [(full, leaf.value)]:
            return None
        return build(len(path), left, self._emit)

    def _write_extension(self, path: str, extension: Extension, entries: Sequence[Entry]) -> bytes | None:
        full = path + extension.path
        depth = len(path)
        shared = min(
            shared_length(full, entries[0][0], depth),
            shared_length(full, entries[-1][0], depth),
        )
        if shared == len(full):
            child = self._write(full, extension.reference, entries)
            return None if child == extension.reference else self._prolong(path, extension.path, child)
        # Some key leaves the extension midway: a branch is needed there.
        rest = full[shared + 1 :]
        branch = [EMPTY_REFERENCE] * 17
        branch[NIBBLE[full[shared]]] = (
            self._emit(full[: shared + 1], encode_extension(rest, extension.reference)) if rest else extension.reference
        )
        grown = self._write_branch(full[:shared], branch, entries, b"")
        assert grown is not None, "a branch that was not there before differs from what was"
        return self._prolong(path, full[depth:shared], grown)

    def _prolong(self, path: str, digits: str, reference: bytes) -> bytes:
        """Hang the node at ``path + digits`` on ``path`` through ``digits``: merge paths, or extend to a branch."""
        if reference == EMPTY_REFERENCE or not digits:
            return reference
        raw = self._peek(path + digits, reference)
        node = decode_node(raw)
        if node.__class__ is list:
            return self._emit(path, encode_extension(digits, reference))
        self._absorb(path + digits, reference, raw)
        if isinstance(node, Leaf):
            return self._emit(path, encode_leaf(digits + node.path, node.value))
        assert isinstance(node, Extension)
        return self._emit(path, encode_extension(digits + node.path, node.reference))

    def _wipe(self, path: str, reference: bytes) -> None:
        node = decode_node(self._visit(path, reference))
        if isinstance(node, Extension):
            self._wipe(path + node.path, node.reference)
        elif not isinstance(node, Leaf):
            for digit, child in zip(DIGITS, node, strict=False):
                if child != EMPTY_REFERENCE:
                    self._wipe(path + digit, child)

    def _peek(self, path: str, reference: bytes) -> bytes:
        """The RLP of a node."""
        if len(reference) != REFERENCE_SIZE:
            return reference
        raw = self.fresh.get(reference)
        return self._load(reference, self._prefix + path.encode()) if raw is None else raw

    def _visit(self, path: str, reference: bytes) -> bytes:
        """The RLP of a node that is about to be replaced, noted as gone unless it is emitted again later."""
        if len(reference) != REFERENCE_SIZE:
            return reference
        key = self._prefix + path.encode()
        raw = self.nodes.pop(key, None)
        if raw is None:
            self.previous[key] = raw = self._load(reference, key)
            self.replaced.add(reference)
        return raw

    def _absorb(self, path: str, reference: bytes, raw: bytes) -> None:
        """Note that the node at ``path`` was merged into its parent."""
        if len(reference) != REFERENCE_SIZE:
            return
        key = self._prefix + path.encode()
        if self.nodes.pop(key, None) is None:
            self.previous[key] = raw
            self.replaced.add(reference)

    def _keep(self, path: str, reference: bytes, raw: bytes) -> bytes:
        """Take a visit back: the node stays."""
        if len(reference) == REFERENCE_SIZE:
            key = self._prefix + path.encode()
            if self.previous.pop(key, None) is None:
                self.nodes[key] = raw
            else:
                self.replaced.discard(reference)
        return reference

    def _emit(self, path: str, raw: bytes) -> bytes:
        """Note the new node at ``path``; give its reference."""
        if len(raw) <= INLINE_SIZE_MAX:
            return raw
        reference = HASH_MARK + keccak256(raw)
        self.nodes[self._prefix + path.encode()] = raw
        self.fresh[reference] = raw
        return reference
