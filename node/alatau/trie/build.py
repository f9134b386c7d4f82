"""Build a trie from sorted entries, where nothing was before."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from alatau.codec import rlp
from alatau.trie.nodes import EMPTY_REFERENCE, encode_branch, encode_extension, encode_leaf
from alatau.trie.paths import NIBBLE, shared_length

Entry: TypeAlias = tuple[str, bytes]
"""A whole path and its value; an empty value deletes."""

Emit: TypeAlias = Callable[[str, bytes], bytes]
"""Takes a node's path and RLP, gives its reference."""


def build(depth: int, entries: Sequence[Entry], emit: Emit) -> bytes:
    """The reference of the smallest subtree that holds ``entries``; ``emit`` gets every node, children first.

    Args:
        depth: where the subtree hangs; all entries share this many digits.
        entries: sorted by path, each path once, no value empty.
        emit: see :data:`Emit`.
    """
    if not entries:
        return EMPTY_REFERENCE
    first = entries[0][0]
    if len(entries) == 1:
        return emit(first[:depth], encode_leaf(first[depth:], entries[0][1]))
    # Sorted: what the first and the last share, all share.
    fork = shared_length(first, entries[-1][0], depth)
    branch = [EMPTY_REFERENCE] * 17
    start = 0
    if len(first) == fork:
        branch[16] = rlp.encode(entries[0][1])
        start = 1
    while start < len(entries):
        digit = entries[start][0][fork]
        end = start + 1
        while end < len(entries) and entries[end][0][fork] == digit:
            end += 1
        branch[NIBBLE[digit]] = build(fork + 1, entries[start:end], emit)
        start = end
    reference = emit(first[:fork], encode_branch(branch))
    if fork == depth:
        return reference
    return emit(first[:depth], encode_extension(first[depth:fork], reference))
