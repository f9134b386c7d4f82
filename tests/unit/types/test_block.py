import tracemalloc
from dataclasses import replace

import pytest

from alatau.codec import rlp
from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.block import STEP, Block, decode_block, decode_block_in_steps, encode_block
from alatau.types.header import EMPTY_ROOT, NONCE, ZERO_HASH, Header, header_hash
from alatau.types.transaction import TransactionError, TransactionType
from alatau.types.vote import Commit, CommitSignature
from tests.support.transactions import signed

_HEADER = Header(
    *(ZERO_HASH, ZERO_HASH, bytes(20), EMPTY_ROOT, EMPTY_ROOT, EMPTY_ROOT, bytes(256)),
    *(0, 1, 30_000_000, 0, 1_700_000_000, ZERO_HASH, ZERO_HASH, NONCE, 0, EMPTY_ROOT, 0, 0, ZERO_HASH, ZERO_HASH),
)
_KEY = PrivateKey(b"\x07" * 32)
_TRANSACTIONS = tuple(
    signed(_KEY, type=kind, nonce=n, to=bytes(20))
    for n, kind in enumerate((TransactionType.LEGACY, TransactionType.FEE_MARKET))
)
_COMMIT = Commit(1, 0, ZERO_HASH, (CommitSignature(bytes(20), bytes(65)),))


@pytest.mark.parametrize("transactions", [(), _TRANSACTIONS])
@pytest.mark.parametrize("commit", [None, _COMMIT])
def test_round_trip(transactions: tuple, commit: Commit | None) -> None:  # type: ignore[type-arg]
    """A block with and without transactions, with and without the commit of its parent."""
    block = Block(_HEADER, transactions, commit)
    assert decode_block(encode_block(block)) == block


def test_hash_is_the_header_s() -> None:
    """The body does not enter the hash but through the header's roots."""
    assert Block(_HEADER, (), None).hash == Block(_HEADER, _TRANSACTIONS, _COMMIT).hash == header_hash(_HEADER)
    assert Block(replace(_HEADER, number=2), (), None).hash != header_hash(_HEADER)


def test_transactions_travel_in_their_envelopes() -> None:
    """Each transaction is a string, the legacy ones too, so that their bytes come out as they went in."""
    _, transactions, commit = rlp.decode_list(encode_block(Block(_HEADER, _TRANSACTIONS, None)))
    assert transactions == [tx.encoded for tx in _TRANSACTIONS]
    assert commit == []


def test_malformed() -> None:
    """A wrong shape is an RLP error, a bad transaction its own."""
    good = rlp.decode_list(encode_block(Block(_HEADER, (), None)))
    with pytest.raises(rlp.RlpError):
        decode_block(rlp.encode(good[:2]))
    with pytest.raises(rlp.RlpError):
        decode_block(rlp.encode([good[0], [], [b"\x01"]]))
    with pytest.raises(TransactionError):
        decode_block(rlp.encode([good[0], [b"\x02\xc0"], []]))


def test_a_large_block_is_read_in_steps() -> None:
    """A pause after every few transactions, and the same block at the end."""
    data = encode_block(Block(_HEADER, _TRANSACTIONS * STEP, None))
    assert sum(1 for _ in decode_block_in_steps(data)) == len(_TRANSACTIONS)
    assert decode_block(data).transactions == _TRANSACTIONS * STEP


def test_a_transaction_at_hand_is_not_read_again() -> None:
    """It is asked for by its hash, and the very object is taken."""
    by_hash = {_TRANSACTIONS[0].hash: _TRANSACTIONS[0]}
    steps = decode_block_in_steps(encode_block(Block(_HEADER, _TRANSACTIONS, None)), by_hash.get)
    with pytest.raises(StopIteration) as end:
        next(steps)
    first, second = end.value.value.transactions
    assert first is _TRANSACTIONS[0]
    assert second == _TRANSACTIONS[1]
    assert second is not _TRANSACTIONS[1]


@pytest.mark.parametrize("fill", [b"\x80", b"\xc0"], ids=["empty strings", "empty lists"])
@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "transactions", "commit"])
def test_a_block_of_a_million_empty_items_is_refused_before_they_are_built(fill: bytes, part: int) -> None:
    """Wherever they are; half a gigabyte and seconds of work would fit into a proposal."""
    parts = [*rlp.split_list(encode_block(Block(_HEADER, (), None)))]
    parts[part] = rlp.wrap_list(fill * 1_000_000)
    data = rlp.wrap_list(b"".join(parts))
    tracemalloc.start()
    try:
        with pytest.raises((rlp.RlpError, TransactionError)):
            decode_block(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024  # copies of the bytes that came
