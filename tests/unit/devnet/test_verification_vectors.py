"""The vectors of docs/verify.md, checked as a stranger would: with public libraries and none of Alatau's code."""

import json
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_keys import keys
from eth_utils import keccak
from trie import HexaryTrie
from trie.exceptions import BadTrieProof

from alatau_devnet.verification_vectors import FILE, make_vectors, write

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / FILE).read_text())
HEADER = (
    "parent_hash", "ommers_hash", "beneficiary", "state_root", "transactions_root", "receipts_root", "logs_bloom",
    "difficulty", "number", "gas_limit", "gas_used", "timestamp", "extra_data", "mix_hash", "nonce", "base_fee_per_gas",
    "withdrawals_root", "blob_gas_used", "excess_blob_gas", "parent_beacon_block_root", "requests_hash",
)  # fmt: skip
INTEGERS = {
    "difficulty", "number", "gas_limit", "gas_used", "timestamp", "base_fee_per_gas", "blob_gas_used",
    "excess_blob_gas",
}  # fmt: skip


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _integer(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _why(vector: dict[str, Any]) -> str:
    return str(vector.get("why", "good"))


def test_the_file_is_what_the_program_writes() -> None:
    """Who changes an encoding must write the vectors anew, and say so."""
    assert (ROOT / FILE).read_text() == write(make_vectors()), "python -m alatau_devnet.verification_vectors"


def test_header_hashes() -> None:
    """RLP of 21 fields, and every header names its parent and its set."""
    for vector in VECTORS["headers"]:
        fields = vector["fields"]
        items = [_integer(int(fields[n], 16)) if n in INTEGERS else _bytes(fields[n]) for n in HEADER]
        assert rlp.encode(items) == _bytes(vector["rlp"])
        assert keccak(_bytes(vector["rlp"])) == _bytes(vector["hash"])
    for parent, child in zip(VECTORS["headers"], VECTORS["headers"][1:], strict=False):
        assert child["fields"]["parent_hash"] == parent["hash"]
        mix = keccak(_bytes(parent["hash"]) + _word(int(child["fields"]["number"], 16)))
        assert _bytes(child["fields"]["mix_hash"]) == mix
    assert VECTORS["headers"][0]["hash"] == VECTORS["genesis_hash"]


def test_set_hashes() -> None:
    """Address and power, sorted by address."""
    for vector in VECTORS["validator_sets"]:
        pairs = [[_bytes(m["address"]), _integer(m["power"])] for m in vector["members"]]
        assert pairs == sorted(pairs)
        assert keccak(rlp.encode(pairs)) == _bytes(vector["hash"])
    named = [vector["fields"]["extra_data"] for vector in VECTORS["headers"][1:]]
    assert named == [VECTORS["validator_sets"][n]["hash"] for n in (0, 0, 1, 2)]


def _digest(kind: int, height: int, round_: int, block_hash: bytes) -> bytes:
    domain_type = keccak(b"EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)")
    chain_id, salt = _word(VECTORS["chain_id"]), _bytes(VECTORS["genesis_hash"])
    domain = keccak(domain_type + keccak(b"Alatau Consensus") + keccak(b"1") + chain_id + salt)
    assert domain == _bytes(VECTORS["domain_separator"])
    vote = keccak(b"Vote(uint8 kind,uint64 height,uint32 round,bytes32 blockHash)")
    return keccak(b"\x19\x01" + domain + keccak(vote + _word(kind) + _word(height) + _word(round_) + block_hash))


def _decided(vector: dict[str, Any]) -> bool:
    height, round_, block_hash, signatures = rlp.decode(_bytes(vector["commit"]))
    if int.from_bytes(height, "big") != vector["height"] or block_hash != _bytes(vector["block_hash"]):
        return False
    members = VECTORS["validator_sets"][vector["validator_set"]]
    power = {_bytes(m["address"]): m["power"] for m in members["members"]}
    addresses = [address for address, _ in signatures]
    if addresses != sorted(set(addresses)) or not set(addresses) <= power.keys():
        return False
    digest = _digest(2, vector["height"], int.from_bytes(round_, "big"), block_hash)
    for address, signature in signatures:
        public = keys.Signature(signature).recover_public_key_from_msg_hash(digest)
        if public.to_canonical_address() != address:
            return False
    return sum(power[address] for address in addresses) * 3 > members["total_power"] * 2


@pytest.mark.parametrize("vector", VECTORS["commits"], ids=_why)
def test_commits(vector: dict[str, Any]) -> None:
    """More than two thirds of the block's own set, each with its precommit for this block of this network."""
    assert _decided(vector) is vector["valid"]
    assert keccak(_bytes(vector["commit"])) == _bytes(vector["commit_hash"])


def test_the_next_header_names_the_commit() -> None:
    """So that the commit in a body is the one that its builder saw."""
    good = [vector for vector in VECTORS["commits"] if vector["valid"]]
    for vector, child in zip(good, VECTORS["headers"][2:], strict=False):
        assert child["fields"]["parent_beacon_block_root"] == vector["commit_hash"]


@pytest.mark.parametrize("vector", VECTORS["trust"], ids=_why)
def test_trust(vector: dict[str, Any]) -> None:
    """A quorum of its own set, and more than a third of the trusted one."""

    def power(number: int) -> tuple[int, int]:
        members = VECTORS["validator_sets"][number]
        signed = sum(m["power"] for m in members["members"] if m["address"] in vector["signers"])
        return signed, members["total_power"]

    own, own_total = power(vector["own_set"])
    trusted, trusted_total = power(vector["trusted_set"])
    assert (own * 3 > own_total * 2 and trusted * 3 > trusted_total) is vector["believed"]


def _proved(root: bytes, key: bytes, nodes: list[str]) -> bytes | None:
    """The value under a key; None where the nodes show that there is none."""
    return HexaryTrie.get_from_proof(root, key, [rlp.decode(_bytes(node)) for node in nodes]) or None


def _state_holds(vector: dict[str, Any]) -> bool:
    account = vector["account"]
    try:
        found = _proved(_bytes(vector["state_root"]), keccak(_bytes(vector["address"])), vector["account_nodes"])
        if account is None or found is None:
            return account is None and found is None
        claimed = [int(account["nonce"], 16), int(account["balance"], 16)]
        hashes = [_bytes(account["storage_root"]), _bytes(account["code_hash"])]
        if found != rlp.encode([*map(_integer, claimed), *hashes]):
            return False
        for slot in vector["slots"]:
            word = _proved(hashes[0], keccak(_word(int(slot["slot"], 16))), slot["nodes"])
            value = int(slot["value"], 16)
            if word != (rlp.encode(_integer(value)) if value else None):
                return False
    except BadTrieProof:
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS["state_proofs"], ids=_why)
def test_state_proofs(vector: dict[str, Any]) -> None:
    """An account, slots of it, and that there is none."""
    assert _state_holds(vector) is vector["valid"]


def test_the_slot_of_a_mapping() -> None:
    """keccak256 of the mapping's slot and the key, as Vyper lays it out."""
    slots = {slot["slot"] for vector in VECTORS["state_proofs"] for slot in vector["slots"]}
    assert hex(int.from_bytes(keccak(_word(0) + keccak(b"entry")), "big")) in slots


def _receipt_holds(vector: dict[str, Any]) -> bool:
    header = rlp.decode(_bytes(vector["header"]))
    index = rlp.encode(_integer(vector["index"]))
    if keccak(_bytes(vector["transaction"])) != _bytes(vector["transaction_hash"]):
        return False
    try:
        for root, item in ((header[4], "transaction"), (header[5], "receipt")):
            if _proved(root, index, vector[f"{item}_nodes"]) != _bytes(vector[item]):
                return False
    except BadTrieProof:
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS["receipt_proofs"], ids=_why)
def test_receipt_proofs(vector: dict[str, Any]) -> None:
    """The transaction and its receipt stand at the same place of the same block."""
    assert _receipt_holds(vector) is vector["valid"]
