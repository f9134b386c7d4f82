"""Proofs that an account or a slot has a value, or has none, under a state root (EIP-1186).

A proof is the nodes on the way from the root to the key. Whoever knows the root, from a header that a commit
certifies, needs to trust nobody for the rest: each node's hash is named by the one before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.trie.errors import ProofError
from alatau.trie.nodes import EMPTY_REFERENCE, HASH_MARK, REFERENCE_SIZE, Leaf, decode_node
from alatau.trie.paths import ACCOUNTS, NIBBLE, address_hash, address_path, slot_path, storage_prefix
from alatau.trie.state_trie import StateTrie
from alatau.types.account import Account, encode_account
from alatau.types.header import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class SlotProof:
    """What a slot holds, with its proof."""

    slot: int
    value: int
    """0 where the proof shows that nothing was written."""
    nodes: tuple[bytes, ...]
    """RLP of the nodes from the storage root down; those shorter than 32 bytes lie inside their parents."""


@dataclass(frozen=True, slots=True)
class AccountProof:
    """What an account and some of its slots hold, with proofs: the content of ``eth_getProof``."""

    address: bytes
    account: Account | None
    """None where the proof shows that there is no account."""
    account_nodes: tuple[bytes, ...]
    """RLP of the nodes from the state root down."""
    slots: tuple[SlotProof, ...]


def prove(trie: StateTrie, address: bytes, slots: Sequence[int]) -> AccountProof:
    """Prove an account and slots of it; both may be absent."""
    account = trie.account(address)
    account_nodes = trie.path_nodes(ACCOUNTS, trie.root, address_path(address))
    root = EMPTY_ROOT if account is None else account.storage_root
    prefix = storage_prefix(address_hash(address))
    slot_proofs = []
    for slot in slots:
        nodes = tuple(trie.path_nodes(prefix, root, slot_path(slot)))
        slot_proofs.append(SlotProof(slot, trie.storage(address, slot), nodes))
    return AccountProof(address, account, tuple(account_nodes), tuple(slot_proofs))


def verify(root: bytes, proof: AccountProof) -> None:
    """Check everything that ``proof`` claims against a state root.

    Raises:
        ProofError: a claim does not follow from the nodes.
    """
    value = verify_path(root, address_path(proof.address), proof.account_nodes)
    if value != (None if proof.account is None else encode_account(proof.account)):
        raise ProofError(f"the nodes show another account at 0x{proof.address.hex()} than the proof claims")
    storage_root = EMPTY_ROOT if proof.account is None else proof.account.storage_root
    for slot in proof.slots:
        word = verify_path(storage_root, slot_path(slot.slot), slot.nodes)
        if word != (rlp.encode(slot.value) if slot.value else None):
            raise ProofError(f"the nodes show another word in slot {slot.slot:#x} than the proof claims")


def verify_path(root: bytes, path: str, nodes: Sequence[bytes]) -> bytes | None:
    """The value at ``path`` under ``root``, or None where the nodes show that there is none.

    Args:
        root: 32 bytes.
        path: the hashed key's digits.
        nodes: RLP of the nodes from the root down, none missing, none to spare.

    Raises:
        ProofError: a node is missing, superfluous, malformed, or not the one that its parent names.
    """
    try:
        return _walk(root, path, nodes)
    except (ValueError, IndexError) as error:
        raise ProofError(f"a node of the proof is malformed: {error}") from error


def _walk(root: bytes, path: str, nodes: Sequence[bytes]) -> bytes | None:
    reference = EMPTY_REFERENCE if root == EMPTY_ROOT else HASH_MARK + root
    depth = used = 0
    value: bytes | None = None
    while reference != EMPTY_REFERENCE:
        raw = reference
        if len(reference) == REFERENCE_SIZE:
            if used == len(nodes):
                raise ProofError(f"the proof ends at depth {depth}, before the key is settled")
            raw = nodes[used]
            used += 1
            if keccak256(raw) != reference[1:]:
                raise ProofError(f"node {used - 1} of the proof is not the one that its parent names")
        node = decode_node(raw)
        if isinstance(node, Leaf):
            value = node.value if path[depth:] == node.path else None
            break
        if isinstance(node, list):
            reference, depth = node[NIBBLE[path[depth]]], depth + 1
        elif path.startswith(node.path, depth):
            reference, depth = node.reference, depth + len(node.path)
        else:
            break
    if used != len(nodes):
        raise ProofError(f"the proof has {len(nodes) - used} nodes to spare")
    return value
