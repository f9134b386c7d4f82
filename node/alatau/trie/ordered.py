"""The root of a list: transactions and receipts (Yellow Paper, eq. 36): keys are the RLP of the indices."""

from collections.abc import Sequence
from functools import lru_cache

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.trie.build import build
from alatau.trie.nodes import INLINE_SIZE_MAX, REFERENCE_SIZE, reference_of
from alatau.trie.proof import verify_path
from alatau.types.header import EMPTY_ROOT


def ordered_root(items: Sequence[bytes]) -> bytes:
    """The root (32 bytes) of the trie that maps the RLP of 0, 1, 2 ... to ``items``; none may be empty.

    About 4 us an item, hashing included.
    """
    if not items:
        return EMPTY_ROOT
    reference = build(0, [(path, items[index]) for path, index in _order(len(items))], _emit)
    return reference[1:] if len(reference) == REFERENCE_SIZE else keccak256(reference)


def prove_item(items: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Prove that ``items[index]`` stands at ``index``: RLP of the nodes from the root of :func:`ordered_root` down.

    Costs what the root costs: the nodes of a list are kept nowhere.
    """
    path = rlp.encode(index).hex()
    nodes: list[tuple[int, bytes]] = []

    def keep(at: str, raw: bytes) -> bytes:
        if path.startswith(at) and (not at or len(raw) > INLINE_SIZE_MAX):
            nodes.append((len(at), raw))
        return reference_of(raw)

    build(0, [(key, items[i]) for key, i in _order(len(items))], keep)
    return tuple(raw for _, raw in sorted(nodes, key=lambda node: node[0]))


def item_at(root: bytes, index: int, nodes: Sequence[bytes]) -> bytes | None:
    """The item that ``nodes`` prove at ``index`` under ``root``; None where they show that the list is shorter.

    Raises:
        ProofError: see :func:`alatau.trie.proof.verify_path`.
    """
    return verify_path(root, rlp.encode(index).hex(), nodes)


@lru_cache(maxsize=64)
def _order(count: int) -> tuple[tuple[str, int], ...]:
    """(path, index) of the first ``count`` indices, sorted by path. A few sizes of block are usual."""
    return tuple(sorted((rlp.encode(index).hex(), index) for index in range(count)))


def _emit(path: str, raw: bytes) -> bytes:  # noqa: ARG001  nothing is stored, so the path is of no interest
    return reference_of(raw)
