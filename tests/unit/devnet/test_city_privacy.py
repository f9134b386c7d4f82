"""The scan of the chain finds what must not be there, and nothing else."""

import pytest

from alatau_devnet.city.privacy import Findings, Names, Secrets, examine

CHANNEL, INVOICE, LOCK = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
OWNER = bytes(12) + b"\x0a" * 20
SECRETS = Secrets(
    (b"Aigerim Kim-00017", b"870402301234"),
    frozenset({INVOICE}),
    frozenset({LOCK}),
    {CHANNEL: frozenset({48_317}), OWNER: frozenset({48_317})},
)


def word(number: int) -> bytes:
    """32 bytes."""
    return number.to_bytes(32, "big")


def looked_at(data: bytes) -> Findings:
    """What is found in one piece of the chain."""
    findings = Findings()
    examine(data, SECRETS, Names(SECRETS.personal), findings)
    return findings


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xaa\xbb\xcc\xdd" + word(5) + b"Aigerim Kim-00017".ljust(32, b"\0"), "Aigerim Kim-00017"),
        (b"\x00\x01x870402301234y\x00", "870402301234"),
        (b"\xaa\xbb\xcc\xdd" + CHANNEL + INVOICE, "an invoice's hash"),
        (CHANNEL + word(7) + word(48_317), "a single amount"),
        (b"\xaa\xbb\xcc\xdd" + OWNER + word(3) + word(48_317), "a single amount"),
    ],
)
def test_what_must_not_be_there_is_found(data: bytes, words: str) -> None:
    """Names at any byte; hashes and amounts as words of a call or an event."""
    assert any(words in found for found in looked_at(data).found)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        CHANNEL + word(48_318),
        word(48_317) + CHANNEL,
        b"\x09" * 32 + word(48_317),
        b"Aigerim Kim-0001",
        CHANNEL + b"".join(word(number) for number in range(8)) + word(48_317),
    ],
)
def test_what_may_be_there_is_not(data: bytes) -> None:
    """A sum that is no single payment, another's amount, a part of a name."""
    assert looked_at(data).found == []


def test_a_lock_that_the_chain_had_to_decide_is_counted_apart() -> None:
    """Its hash is public then; that is the contract's way, and the report says how often."""
    findings = looked_at(CHANNEL + LOCK)
    assert (findings.found, findings.revealed, findings.bytes) == ([], 1, 64)
