"""What was said, in words, for those who read a story."""

from alatau.consensus.messages import (
    Message,
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.types.vote import NO_ROUND, Vote


def in_words(message: Message) -> str:
    """One line for a message; blocks are the first digits of their hashes."""
    match message:
        case VotesMessage(votes):
            return _votes(votes)
        case RoundCertificate(height, round_, votes):
            return f"round {round_} of height {height} was entered: {_votes(votes)}"
        case ProposalMessage(proposal, _, proof, prevote):
            first = proposal.valid_round == NO_ROUND
            said = "" if prevote is None else f"; {_votes((prevote,))}"
            again = "" if first else f", of round {proposal.valid_round} by {len(proof)} prevotes"
            place = f"in height {proposal.height} round {proposal.round}"
            return f"proposes {_block(proposal.block_hash)} {place}{again}{said}"
        case StatusMessage(height, round_):
            return f"is at height {height} round {round_}"
        case ProposalRequest(height, round_, block_hash):
            what = "the proposal" if block_hash is None else _block(block_hash)
            return f"asks for {what} of height {height} round {round_}"


def _votes(votes: tuple[Vote, ...]) -> str:
    subjects: dict[str, list[str]] = {}
    for vote in votes:
        subject = f"{vote.kind.name.lower()} {_block(vote.block_hash)} in height {vote.height} round {vote.round}"
        subjects.setdefault(subject, []).append(f"v{int.from_bytes(vote.validator, 'big')}")
    return "; ".join(f"{' '.join(voters)} {subject}" for subject, voters in subjects.items())


def _block(block_hash: bytes | None) -> str:
    return "nil" if block_hash is None else block_hash.hex()[:6]
