"""Our own encodings, frozen: what is hashed, signed or stored may not change by accident.

A change that is meant goes with a new ``tests/vectors/encodings.json`` in the same commit, and with a schema
version or a height from which it holds.
"""

import json
from pathlib import Path

import pytest

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.account import Account, encode_account
from alatau.types.block import Block, encode_block
from alatau.types.header import EMPTY_OMMERS_HASH, EMPTY_REQUESTS_HASH, EMPTY_ROOT, NONCE, Header, encode_header
from alatau.types.receipt import Log, Receipt, encode_receipt, logs_bloom
from alatau.types.transaction import Authorization, TransactionType, UnsignedTransaction, sign_transaction
from alatau.types.validator import Validator, validator_set
from alatau.types.vote import (
    Commit,
    CommitSignature,
    VoteKind,
    commit_hash,
    commit_item,
    consensus_domain,
    proposal_digest,
    vote_digest,
)

_VECTORS = Path(__file__).parents[2] / "vectors" / "encodings.json"
_KEYS = sorted((PrivateKey(keccak256(f"validator {n}".encode())) for n in range(4)), key=lambda key: key.address)
_GENESIS = keccak256(b"genesis")
_CHAIN = 7773
_TO = bytes.fromhex("00000000000000000000000000000000a1a7a001")


def _transaction(kind: TransactionType) -> bytes:
    authorization = Authorization(_CHAIN, _TO, 4, 1, 2**200 + 1, 2**100 + 1)
    fee = 1_500 if kind <= TransactionType.ACCESS_LIST else 100
    unsigned = UnsignedTransaction(
        type=kind,
        chain_id=_CHAIN,
        nonce=258,
        gas_limit=100_000,
        to=_TO,
        value=10**18,
        data=bytes.fromhex("a9059cbb") + bytes(31) + b"\x05" + bytes(31) + b"\x09",
        max_fee_per_gas=1_500,
        max_priority_fee_per_gas=fee,
        access_list=((_TO, (0, 2**255)),) if kind is not TransactionType.LEGACY else (),
        authorizations=(authorization,) if kind is TransactionType.SET_CODE else (),
        max_fee_per_blob_gas=3 if kind is TransactionType.BLOB else 0,
        blob_versioned_hashes=(b"\x01" + bytes(31),) if kind is TransactionType.BLOB else (),
    )
    return sign_transaction(unsigned, _KEYS[0].sign).encoded


def _commit() -> Commit:
    domain = consensus_domain(_CHAIN, _GENESIS)
    digest = vote_digest(domain, VoteKind.PRECOMMIT, 41, 1, keccak256(b"parent"))
    signatures = tuple(CommitSignature(key.address, key.sign(digest)) for key in _KEYS[:3])
    return Commit(41, 1, keccak256(b"parent"), signatures)


def _header() -> Header:
    members = validator_set(
        Validator(key.address, n + 1, keccak256(b"tls"), f"node{n}:7000", f"Ministry {n}")
        for n, key in enumerate(_KEYS)
    )
    return Header(
        parent_hash=keccak256(b"parent"),
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=_KEYS[0].address,
        state_root=keccak256(b"state"),
        transactions_root=keccak256(b"transactions"),
        receipts_root=keccak256(b"receipts"),
        logs_bloom=logs_bloom([_log()]),
        difficulty=0,
        number=42,
        gas_limit=100_000_000,
        gas_used=54_321,
        timestamp=1_800_000_000,
        extra_data=members.hash,
        mix_hash=keccak256(b"mix"),
        nonce=NONCE,
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=commit_hash(_commit()),
        requests_hash=EMPTY_REQUESTS_HASH,
    )


def _log() -> Log:
    return Log(_TO, (keccak256(b"Transfer(address,address,uint256)"), bytes(12) + _KEYS[1].address), b"\x07" * 32)


def _block() -> Block:
    transaction = sign_transaction(
        UnsignedTransaction(chain_id=_CHAIN, nonce=0, gas_limit=21_000, to=_TO, value=1), _KEYS[1].sign
    )
    return Block(_header(), (transaction,), _commit())


def _proposal_digest() -> bytes:
    domain = consensus_domain(_CHAIN, _GENESIS)
    return proposal_digest(domain, 42, 2, keccak256(b"block"), -1, 1_800_000_000_123)


def _encodings() -> dict[str, bytes]:
    domain = consensus_domain(_CHAIN, _GENESIS)
    receipt = Receipt(2, True, 54_321, (_log(),), logs_bloom([_log()]))
    return {
        "account": encode_account(Account(3, 10**21, keccak256(b"storage"), keccak256(b"code"))),
        "block": encode_block(_block()),
        "block_hash": _block().hash,
        "commit": rlp.encode(commit_item(_commit())),
        "commit_hash": commit_hash(_commit()),
        "consensus_domain": domain,
        "header": encode_header(_header()),
        "proposal_digest": _proposal_digest(),
        "proposal_signature": _KEYS[0].sign(_proposal_digest()),
        "receipt": encode_receipt(receipt),
        **{f"transaction_{kind.name.lower()}": _transaction(kind) for kind in TransactionType},
        "validator_set_hash": _header().extra_data,
        "vote_digest_nil": vote_digest(domain, VoteKind.PREVOTE, 42, 0, None),
        "vote_digest_precommit": vote_digest(domain, VoteKind.PRECOMMIT, 42, 7, keccak256(b"block")),
    }


_FROZEN: dict[str, str] = json.loads(_VECTORS.read_text())


def test_every_vector_is_checked() -> None:
    """No encoding without a vector, no vector without an encoding."""
    assert sorted(_encodings()) == sorted(_FROZEN)


@pytest.mark.parametrize("name", sorted(_FROZEN))
def test_encoding_is_frozen(name: str) -> None:
    """Byte for byte what was committed."""
    assert _encodings()[name].hex() == _FROZEN[name]
