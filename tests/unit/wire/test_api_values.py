"""What the client API carries survives the way over the wire."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alatau.codec import rlp
from alatau.crypto.secp256k1 import PrivateKey
from alatau.trie.proof import AccountProof, SlotProof
from alatau.types.account import Account
from alatau.types.header import EMPTY_OMMERS_HASH, EMPTY_REQUESTS_HASH, EMPTY_ROOT, NONCE, Header, header_hash
from alatau.types.transaction import (
    Authorization,
    TransactionType,
    UnsignedTransaction,
    recover_sender,
    sign_transaction,
)
from alatau.types.validator import Validator
from alatau.types.vote import Commit, CommitSignature, commit_item
from alatau.wire.account import StateProof, read_proof, write_proof
from alatau.wire.block import read_commit, read_header, write_commit, write_header
from alatau.wire.logs import EventLog, read_log, write_log
from alatau.wire.receipt import TransactionReceipt, read_receipt, write_receipt
from alatau.wire.reverts import describe_revert, revert_reason
from alatau.wire.transaction import Position, read_transaction, write_transaction

KEY = PrivateKey(b"\x01" * 32)
word = st.binary(min_size=32, max_size=32)
address = st.binary(min_size=20, max_size=20)
uint64 = st.integers(0, 2**64 - 1)
uint32 = st.integers(0, 2**32 - 1)
uint256 = st.integers(0, 2**256 - 1)
logs = st.builds(
    EventLog, address, st.lists(word, max_size=4).map(tuple), st.binary(max_size=99), uint64, word, word, uint32, uint32
)
headers = st.builds(
    Header,
    parent_hash=word,
    ommers_hash=st.just(EMPTY_OMMERS_HASH),
    beneficiary=address,
    state_root=word,
    transactions_root=word,
    receipts_root=word,
    logs_bloom=st.binary(min_size=256, max_size=256),
    difficulty=st.just(0),
    number=uint64,
    gas_limit=uint64,
    gas_used=uint64,
    timestamp=uint64,
    extra_data=word,
    mix_hash=word,
    nonce=st.just(NONCE),
    base_fee_per_gas=uint256,
    withdrawals_root=st.just(EMPTY_ROOT),
    blob_gas_used=st.just(0),
    excess_blob_gas=st.just(0),
    parent_beacon_block_root=word,
    requests_hash=st.just(EMPTY_REQUESTS_HASH),
)
receipts = st.builds(
    TransactionReceipt,
    word,
    st.builds(Position, uint64, word, uint32),
    st.integers(0, 4),
    st.booleans(),
    uint64,
    uint64,
    uint256,
    st.none() | address,
    st.lists(logs, max_size=2).map(tuple),
    address,
    st.none() | address,
    uint64,
)
slots = st.builds(SlotProof, uint256, uint256, st.lists(st.binary(max_size=99), max_size=3).map(tuple))
accounts = st.builds(Account, uint64, uint256, word, word)
proofs = st.builds(
    AccountProof,
    address,
    st.none() | accounts,
    st.lists(st.binary(max_size=99), max_size=3).map(tuple),
    st.lists(slots, max_size=2).map(tuple),
)


@given(headers)
def test_a_header_keeps_its_hash(header: Header) -> None:
    """The constants of the chain are filled in again, so a client computes the block's hash by itself."""
    assert read_header(write_header(header)) == header
    assert header_hash(read_header(write_header(header))) == header_hash(header)


@given(logs)
def test_a_log(log: EventLog) -> None:
    """Round trip."""
    assert read_log(write_log(log)) == log


@given(receipts)
def test_a_receipt(receipt: TransactionReceipt) -> None:
    """Round trip; an address that is not there stays not there."""
    assert read_receipt(write_receipt(receipt)) == receipt


@given(proofs, st.binary(max_size=99), st.binary(max_size=99))
def test_a_proof(proof: AccountProof, header: bytes, commit: bytes) -> None:
    """Round trip, absence included."""
    told = StateProof(proof, header, commit, (Validator(b"v" * 20, 3, b"t" * 32, "127.0.0.1:7001", "Ministry"),))
    assert read_proof(write_proof(told)) == told


def test_a_commit_and_its_encoding() -> None:
    """The structured form and the RLP say the same."""
    commit = Commit(7, 1, b"\x01" * 32, (CommitSignature(b"\x02" * 20, b"\x03" * 65),))
    raw = rlp.encode(commit_item(commit))
    message = write_commit(commit, raw)
    assert read_commit(message) == commit
    assert message.raw == raw


def test_a_transaction_of_each_type() -> None:
    """All fields are there for people who do not decode RLP; reading believes the signed bytes alone."""
    plain = UnsignedTransaction(
        chain_id=7773,
        nonce=1,
        gas_limit=90_000,
        to=b"\x05" * 20,
        value=2**255,
        data=b"data",
        max_fee_per_gas=9,
        max_priority_fee_per_gas=9,
    )
    listed = replace(plain, type=TransactionType.ACCESS_LIST, access_list=((b"\x06" * 20, (1, 2)),))
    authorization = Authorization(chain_id=0, address=b"\x07" * 20, nonce=3, y_parity=1, r=4, s=5)
    delegated = replace(listed, type=TransactionType.SET_CODE, authorizations=(authorization,))
    creation = replace(plain, type=TransactionType.LEGACY, to=None, chain_id=None)
    for unsigned in (plain, listed, delegated, creation):
        tx = sign_transaction(unsigned, KEY.sign)
        message = write_transaction(tx, recover_sender(tx))
        assert read_transaction(message) == tx
        assert (message.type, message.sender, message.nonce) == (tx.type, KEY.address, 1)
        assert message.HasField("chain_id") is (unsigned.chain_id is not None)
        assert message.to == (unsigned.to or b"")
        assert len(message.access_list) == len(unsigned.access_list)
        assert [a.signature[-1] for a in message.authorizations] == [a.y_parity for a in unsigned.authorizations]


def test_reasons_of_reverts() -> None:
    """Error(string), Panic(uint256), nothing, unknown, and encodings that lie about their length."""
    text = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (2).to_bytes(32, "big") + b"no" + bytes(30)
    assert revert_reason(text) == "no"
    assert revert_reason(text[:60]) is None
    assert revert_reason(text[:36] + (2**255).to_bytes(32, "big") + b"no") is None
    assert revert_reason(bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")) == "arithmetic overflow or underflow"
    assert revert_reason(bytes.fromhex("4e487b71") + (0x99).to_bytes(32, "big")) == "panic 0x99"
    assert describe_revert(b"").startswith("without a reason")
    assert describe_revert(b"\x01" * 65) == f"with data 0x{'01' * 64}..."


@given(st.binary(max_size=300))
def test_any_revert_data_is_described(data: bytes) -> None:
    """A contract can return what it likes; the node and the client only describe it."""
    assert describe_revert(bytes.fromhex("08c379a0") + data)
    assert describe_revert(data)
