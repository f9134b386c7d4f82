"""Proofs: what is there, what is not, and what a liar changes."""

import dataclasses

import pytest
import rlp as reference_rlp
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie
from trie.exceptions import BadTrieProof

from alatau.trie.errors import ProofError
from alatau.trie.proof import AccountProof, prove, verify, verify_path
from alatau.trie.state_trie import NoNodes, StateTrie
from alatau.types.account import Account, encode_account
from alatau.types.header import EMPTY_ROOT

ADDRESSES = [bytes((n,)) * 20 for n in range(40)]
SLOTS = range(30)


def a_trie(people: int = 30, slots: int = 20) -> StateTrie:
    """Accounts 0 .. people, of which the first has storage."""
    accounts = {a: Account(n, n * 10**18) for n, a in enumerate(ADDRESSES[:people])}
    storage = {ADDRESSES[0]: {slot: slot * 7 + 1 for slot in range(slots)}} if people else {}
    return StateTrie.open(EMPTY_ROOT, NoNodes()).apply(accounts, storage).trie


def by_py_trie(root: bytes, key: bytes, nodes: tuple[bytes, ...]) -> bytes:
    """The value that py-trie reads out of a proof; empty for none."""
    return bytes(HexaryTrie.get_from_proof(root, keccak(key), [reference_rlp.decode(node) for node in nodes]))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 30), st.integers(0, 20))
def test_proofs_hold_for_us_and_for_py_trie(people: int, slots: int) -> None:
    """Accounts and slots, present and absent, in tries of every small size."""
    trie = a_trie(people, slots)
    for address in ADDRESSES:
        proof = prove(trie, address, list(SLOTS) if address == ADDRESSES[0] else [])
        verify(trie.root, proof)
        expected = b"" if proof.account is None else encode_account(proof.account)
        assert by_py_trie(trie.root, address, proof.account_nodes) == expected
        for slot in proof.slots:
            there = proof.account is not None and slot.slot < slots
            assert slot.value == (slot.slot * 7 + 1 if there else 0)
            root = EMPTY_ROOT if proof.account is None else proof.account.storage_root
            word = by_py_trie(root, slot.slot.to_bytes(32, "big"), slot.nodes)
            assert word == (reference_rlp.encode(slot.value) if slot.value else b"")


def test_absence_in_an_empty_state() -> None:
    """The empty root proves every absence without a node."""
    trie = a_trie(0)
    proof = prove(trie, ADDRESSES[0], [1])
    assert proof == AccountProof(ADDRESSES[0], None, (), proof.slots)
    assert proof.slots[0].nodes == ()
    verify(trie.root, proof)


def test_lies_are_refused() -> None:
    """Another account, another word, a claimed absence, another root: each contradicts the nodes."""
    trie = a_trie()
    proof = prove(trie, ADDRESSES[0], [1])
    slot = proof.slots[0]
    lies = [
        dataclasses.replace(proof, account=dataclasses.replace(proof.account, balance=1)),
        dataclasses.replace(proof, account=None, slots=()),
        dataclasses.replace(proof, address=ADDRESSES[1]),
        dataclasses.replace(proof, slots=(dataclasses.replace(slot, value=9),)),
        dataclasses.replace(proof, slots=(dataclasses.replace(slot, value=0),)),
        dataclasses.replace(proof, slots=(dataclasses.replace(slot, slot=2),)),
    ]
    for lie in lies:
        with pytest.raises(ProofError):
            verify(trie.root, lie)
    with pytest.raises(ProofError):
        verify(bytes(32), proof)


def test_absence_is_not_claimed_where_something_is() -> None:
    """Dropping the leaf does not turn a proof of presence into one of absence."""
    trie = a_trie()
    proof = prove(trie, ADDRESSES[3], [])
    with pytest.raises(ProofError, match="ends at depth"):
        verify(trie.root, dataclasses.replace(proof, account=None, account_nodes=proof.account_nodes[:-1]))


@settings(max_examples=200)
@given(st.data())
def test_damaged_proofs_are_refused(data: st.DataObject) -> None:
    """Any flipped bit, a node too many, too few, or swapped: an error, never another answer."""
    trie = a_trie()
    nodes = list(prove(trie, ADDRESSES[5], []).account_nodes)
    kind = data.draw(st.sampled_from(["flip", "drop", "repeat", "cut", "extra"]))
    at = data.draw(st.integers(0, len(nodes) - 1))
    if kind == "flip":
        byte = data.draw(st.integers(0, len(nodes[at]) - 1))
        bit = 1 << data.draw(st.integers(0, 7))
        nodes[at] = nodes[at][:byte] + bytes((nodes[at][byte] ^ bit,)) + nodes[at][byte + 1 :]
    elif kind == "drop":
        del nodes[at]
    elif kind == "repeat":
        nodes.insert(at, nodes[at])
    elif kind == "cut":
        nodes[at] = nodes[at][: data.draw(st.integers(0, len(nodes[at]) - 1))]
    else:
        nodes.append(b"\xc0")
    with pytest.raises(ProofError):
        verify_path(trie.root, keccak(ADDRESSES[5]).hex(), nodes)


def test_py_trie_refuses_what_we_refuse() -> None:
    """A sanity check of the oracle: it too misses a dropped node."""
    trie = a_trie()
    proof = prove(trie, ADDRESSES[5], [])
    with pytest.raises(BadTrieProof):
        by_py_trie(trie.root, ADDRESSES[5], proof.account_nodes[:-1])
