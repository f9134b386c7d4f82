import pytest
from eth_bloom import BloomFilter
from hypothesis import given
from hypothesis import strategies as st

from alatau.codec import rlp
from alatau.types.receipt import Log, Receipt, bloom_bits, decode_receipt, encode_receipt, log_item, logs_bloom

_hashes = st.binary(min_size=32, max_size=32)
_logs = st.lists(
    st.builds(
        Log,
        address=st.binary(min_size=20, max_size=20),
        topics=st.lists(_hashes, max_size=4).map(tuple),
        data=st.binary(max_size=70),
    ),
    max_size=3,
).map(tuple)


@given(_logs)
def test_bloom_equals_eth_bloom(logs: tuple[Log, ...]) -> None:
    """Three bits for each address and each topic, none for data."""
    expected = BloomFilter()
    for log in logs:
        expected.add(log.address)
        for topic in log.topics:
            expected.add(topic)
    assert logs_bloom(logs) == int(expected).to_bytes(256, "big")


def test_bloom_bits() -> None:
    """A value sets at most three bits, by eleven bits of its hash each."""
    assert bloom_bits(b"\x00" * 20).bit_count() == 3
    assert bloom_bits(b"\x00" * 20) == int(BloomFilter.from_iterable([b"\x00" * 20]))


@given(st.integers(0, 4), st.booleans(), st.integers(0, 2**64 - 1), _logs)
def test_round_trip(kind: int, succeeded: bool, gas: int, logs: tuple[Log, ...]) -> None:
    """A receipt of each type is the RLP of its items, and reads back."""
    receipt = Receipt(kind, succeeded, gas, logs, logs_bloom(logs))
    encoded = encode_receipt(receipt)
    assert decode_receipt(encoded) == receipt
    items = (int(succeeded), gas, receipt.bloom, [log_item(log) for log in logs])
    assert encoded[1 if kind else 0 :] == rlp.encode(items)


def test_known_receipt() -> None:
    """The encoding of EIP-2718: a type byte before the list, none for legacy."""
    receipt = Receipt(0, True, 21_000, (), bytes(256))
    body = bytes.fromhex("f90108018252 08b90100".replace(" ", "")) + bytes(256) + b"\xc0"
    assert encode_receipt(receipt) == body
    assert encode_receipt(Receipt(2, True, 21_000, (), bytes(256))) == b"\x02" + body


def test_a_receipt_from_before_byzantium_is_refused_by_name() -> None:
    """It holds a state root instead of a status (EIP-658), which the error says."""
    old = rlp.encode([b"\x11" * 32, 21_000, bytes(256), []])
    with pytest.raises(rlp.RlpError, match="before Byzantium"):
        decode_receipt(old)


def test_log_item() -> None:
    """Address, topics, data."""
    log = Log(b"\x01" * 20, (b"\x02" * 32,), b"\x03")
    assert rlp.encode(log_item(log)) == rlp.encode([b"\x01" * 20, [b"\x02" * 32], b"\x03"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        b"\x00" + rlp.encode([1, 0, bytes(256), []]),
        rlp.encode([2, 0, bytes(256), []]),
        rlp.encode([1, 0, bytes(255), []]),
        rlp.encode([1, 0, bytes(256)]),
        rlp.encode([1, 0, bytes(256), [[b"\x01" * 19, [], b""]]]),
        rlp.encode([1, 0, bytes(256), [[b"\x01" * 20, [b"\x01" * 31], b""]]]),
    ],
)
def test_malformed(data: bytes) -> None:
    """A status other than 0 and 1, a bloom or a topic of another size, an explicit legacy byte."""
    with pytest.raises(rlp.RlpError):
        decode_receipt(data)
