"""What a message must be before anything is done with it. Cheap checks first; a signature costs 45 us."""

from typing import Final

from alatau.consensus.errors import BodyMismatchError, MalformedMessageError, StrangerError
from alatau.consensus.messages import ProposalMessage
from alatau.trie.ordered import ordered_root
from alatau.types.block import Block, block_size
from alatau.types.chain_config import ChainConfig, ConsensusParameters
from alatau.types.header import ZERO_HASH
from alatau.types.validator import ValidatorSet
from alatau.types.vote import NO_ROUND, Proposal, Vote, VoteKind, commit_hash

ROUND_MAX = 2**31 - 1
"""The largest round that a signature can cover (``valid_round`` is an int32)."""

_TRANSACTION_GAS_MIN: Final = 21_000
"""Gas that the cheapest transaction uses: it bounds how many a block can hold, and with it the cost of their root."""

VOTES_PER_VALIDATOR_MAX: Final = 6
"""Votes in one message: one's own of a round, a polka and a round certificate come to five of each validator."""


def check_vote_count(votes: tuple[Vote, ...], validators: ValidatorSet) -> None:
    """Bound the work that one message can cause.

    Raises:
        MalformedMessageError: more votes than any correct node would send at once.
    """
    most = VOTES_PER_VALIDATOR_MAX * len(validators.validators)
    if len(votes) > most:
        raise MalformedMessageError(f"{len(votes)} votes in a message, at most {most}")


def check_vote(vote: Vote, validators: ValidatorSet) -> None:
    """Check that the voter is a validator of the height, by address, and that the round exists.

    Raises:
        MessageError: it is not.
    """
    if vote.validator not in validators.by_address:
        raise StrangerError(f"0x{vote.validator.hex()} is no validator of height {vote.height}")
    if not 0 <= vote.round <= ROUND_MAX:
        raise MalformedMessageError(f"round {vote.round} is out of range")


def check_proposal(message: ProposalMessage, validators: ValidatorSet) -> None:
    """Check that the parts of a proposal belong together, but for the block's body (:func:`check_body`).

    A block that is proposed again comes with the polka of its valid round, whole: a copy from which somebody took
    votes is refused, with its sender, instead of standing in the way of the right one.

    Raises:
        MessageError: they do not, or the proposer is no validator.
    """
    proposal, header = message.proposal, message.block.header
    if proposal.proposer not in validators.by_address:
        raise StrangerError(f"0x{proposal.proposer.hex()} is no validator of height {proposal.height}")
    if not 0 <= proposal.round <= ROUND_MAX or not NO_ROUND <= proposal.valid_round < proposal.round:
        raise MalformedMessageError(f"round {proposal.round} with valid round {proposal.valid_round}")
    if message.block.hash != proposal.block_hash or header.number != proposal.height:
        raise MalformedMessageError(f"block {message.block.hash.hex()} is not the one proposed")
    _check_proof(message, validators)


def check_prevote(prevote: Vote, proposal: Proposal) -> None:
    """Check that the prevote that comes with a proposal is its proposer's, for its block.

    Raises:
        MessageError: it is another vote.
    """
    if not is_prevote_for(prevote, proposal):
        raise MalformedMessageError("the vote with the proposal is not its proposer's prevote for it")


def is_prevote_for(vote: Vote, proposal: Proposal) -> bool:
    """Whether a vote is the proposer's prevote for its own proposal."""
    voted = (vote.kind, vote.height, vote.round, vote.block_hash, vote.validator)
    return voted == (VoteKind.PREVOTE, proposal.height, proposal.round, proposal.block_hash, proposal.proposer)


def _check_proof(message: ProposalMessage, validators: ValidatorSet) -> None:
    proposal, voters = message.proposal, [vote.validator for vote in message.proof_of_lock]
    if len(voters) != len(set(voters)):
        raise MalformedMessageError("proof of lock names a validator twice")
    if proposal.valid_round == NO_ROUND:
        if voters:
            raise MalformedMessageError("proof of lock for a block that is proposed for the first time")
        return
    if not validators.has_quorum(sum(validators.power_of(voter) for voter in voters)):
        raise MalformedMessageError(f"proof of lock of {len(voters)} votes is no polka of round {proposal.valid_round}")
    expected = (VoteKind.PREVOTE, proposal.height, proposal.valid_round, proposal.block_hash)
    for vote in message.proof_of_lock:
        if (vote.kind, vote.height, vote.round, vote.block_hash) != expected:
            raise MalformedMessageError("proof of lock holds a vote for something else")


def check_body(block: Block, config: ChainConfig) -> None:
    """Check that a block's body is the one that its header, whose hash is the block's identity, covers.

    Until then nothing may be kept, logged, judged or counted under that hash: the same hash with another body would
    stand in the way of the right block, for good. About 4 us a transaction.

    Raises:
        MessageError: it is another body, or larger than a block may be.
    """
    count = len(block.transactions)
    if count * _TRANSACTION_GAS_MIN > config.block_gas_limit or block_size(block) > config.block_size_bytes_max:
        raise MalformedMessageError(f"block of {count} transactions and {block_size(block)} bytes is too large")
    commit = block.last_commit
    if block.header.parent_beacon_block_root != (ZERO_HASH if commit is None else commit_hash(commit)):
        raise BodyMismatchError(f"block {block.hash.hex()} carries another commit of its parent than its header says")
    if block.header.transactions_root != ordered_root([tx.encoded for tx in block.transactions]):
        raise BodyMismatchError(f"block {block.hash.hex()} has other transactions than its header says")


def is_timely(message: ProposalMessage, parent_timestamp: int, now_ms: int, parameters: ConsensusParameters) -> bool:
    """Whether a first proposal's time is near our clock, and its header's near it (proposer-based timestamps).

    A header that repeats its parent's second may be ahead of every clock: it hurries nothing, and clocks that were
    wrong together and then set right must not stop the network until they are back where they were.

    A block that is proposed again was timely to the quorum of its valid round, which is what counts then.
    """
    proposal = message.proposal
    if proposal.valid_round != NO_ROUND:
        return True
    drift = parameters.clock_drift_ms_max
    timestamp = message.block.header.timestamp
    age_ms = proposal.timestamp_ms - timestamp * 1_000
    ahead = age_ms < 0 and timestamp != parent_timestamp
    return abs(now_ms - proposal.timestamp_ms) <= drift and age_ms <= drift + 1_000 and not ahead
