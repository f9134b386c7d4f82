"""The log's encoding, frozen: a node must read what the version before it wrote."""

import pytest

from alatau.consensus.records import (
    OwnProposalRecord,
    OwnVoteRecord,
    ProposalRecord,
    Record,
    RecordError,
    SignStep,
    VoteRecord,
    decode_record,
    encode_record,
)
from alatau.crypto.keccak import keccak256
from alatau.types.vote import Vote, VoteKind
from tests.simulation.chain import payment
from tests.support.table import Table

TABLE = Table()
VOTE = Vote(VoteKind.PRECOMMIT, 5, 2, b"\x11" * 32, b"\x22" * 20, b"\x33" * 65)
NIL = Vote(VoteKind.PREVOTE, 5, 0, None, b"\x22" * 20, b"\x33" * 65)
RECORDS: list[Record] = [
    VoteRecord(VOTE),
    OwnVoteRecord(NIL, -1, None, -1, None),
    OwnVoteRecord(VOTE, 2, b"\x11" * 32, 2, b"\x11" * 32),
    ProposalRecord(TABLE.proposal(4, "A", 0), timely=True),
    ProposalRecord(TABLE.proposal(3, "B", 1, 0), timely=False),
    OwnProposalRecord(TABLE.proposal(3, "B", 1, 0).proposal),
]
FROZEN = [
    "c06cf07d68aa6c2b",
    "aa8505301bb386f8",
    "5d89bf7386cd70ce",
    "5f8e017499fa57ff",
    "35711d4203dd69ad",
    "3e58e8599b285908",
]
"""First half of each encoding's hash."""


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    """With its height, by which a log of another height is told apart."""
    assert decode_record(encode_record(record)) == record
    assert record.height in (1, 5)


def test_the_encoding_is_frozen() -> None:
    """Changing it strands the logs of nodes that are upgraded between a vote and its commit."""
    assert encode_record(VoteRecord(VOTE)).hex() == (
        "f87f02f87c020502a0" + "11" * 32 + "94" + "22" * 20 + "b841" + "33" * 65
    )
    digests = [keccak256(encode_record(record)).hex()[:16] for record in RECORDS]
    assert digests == FROZEN


@pytest.mark.parametrize(
    "data",
    [b"", b"\xc0", b"\xc1\x09", b"\xc2\x02\x80", encode_record(RECORDS[0])[:-1], encode_record(RECORDS[3]) + b"\0"],
)
def test_anything_else_is_no_record(data: bytes) -> None:
    """Checksums keep torn bytes away; what fails here was written by another program."""
    with pytest.raises(RecordError):
        decode_record(data)


def test_a_proposals_transactions_come_back() -> None:
    """The block is in the log with its body: without it the lock would be on nothing."""
    message = TABLE.proposal(4, "A", 0)
    block = type(message.block)(message.block.header, (payment(1, 0), payment(2, 0)), None)
    record = ProposalRecord(type(message)(message.proposal, block, ()), timely=True)
    again = decode_record(encode_record(record))
    assert isinstance(again, ProposalRecord)
    assert again.message.block.transactions == block.transactions


def test_the_steps_of_a_sign_state_are_frozen() -> None:
    """The file holds the number: one that is read as another step could let a validator sign again."""
    assert {step.name: step.value for step in SignStep} == {"PROPOSAL": 1, "PREVOTE": 2, "PRECOMMIT": 3}
