"""What keeps a validator from signing two things."""

from alatau.consensus.authenticity import digest_of
from alatau.consensus.records import OwnVoteRecord, SignState, SignStep
from alatau.consensus.signing import SigningGuard
from alatau.types.vote import Vote, VoteKind
from tests.simulation.chain import address_of, authority_of

A, B = b"A" * 32, b"B" * 32
US = authority_of(address_of(1))


def vote(kind: VoteKind, round_: int, block: bytes | None, height: int = 5) -> Vote:
    """A vote of ours, unsigned."""
    return Vote(kind, height, round_, block, address_of(1), b"")


def state(entry: Vote) -> SignState:
    """The sign state that stands for a vote."""
    step = SignStep.PREVOTE if entry.kind is VoteKind.PREVOTE else SignStep.PRECOMMIT
    return SignState(entry.height, entry.round, step, digest_of(US, entry))


def test_signing_only_ever_goes_forward() -> None:
    """Height, round, step; the very same thing again is no harm."""
    guard = SigningGuard(US, None, allowed=True)
    prevote = vote(VoteKind.PREVOTE, 1, A)
    first = guard.sign(prevote)
    assert first is not None
    assert guard.sign(prevote) == first
    assert guard.sign(vote(VoteKind.PREVOTE, 1, B)) is None
    assert guard.sign(vote(VoteKind.PRECOMMIT, 0, A)) is None
    assert guard.sign(vote(VoteKind.PRECOMMIT, 1, A)) is not None
    assert guard.sign(prevote) is None
    assert guard.sign(vote(VoteKind.PREVOTE, 0, B, height=6)) is not None


def test_a_sign_state_that_the_log_accounts_for_goes_on() -> None:
    """The usual restart."""
    prevote = vote(VoteKind.PREVOTE, 1, A)
    guard = SigningGuard(US, state(prevote), allowed=True)
    assert guard.restore(5, [OwnVoteRecord(prevote, -1, None, -1, None)]) is False
    assert guard.may_sign(5)
    assert guard.sign(vote(VoteKind.PREVOTE, 1, B)) is None
    assert guard.sign(vote(VoteKind.PRECOMMIT, 1, A)) is not None


def test_a_log_one_ahead_of_the_sign_state_is_caught_up_with() -> None:
    """The crash came between the two: the vote may not have left, and counts as signed."""
    prevote, precommit = vote(VoteKind.PREVOTE, 1, A), vote(VoteKind.PRECOMMIT, 1, A)
    guard = SigningGuard(US, state(prevote), allowed=True)
    records = [OwnVoteRecord(prevote, -1, None, -1, None), OwnVoteRecord(precommit, 1, A, 1, A)]
    assert guard.restore(5, records) is True
    assert guard.last == state(precommit)
    assert guard.sign(vote(VoteKind.PRECOMMIT, 1, None)) is None


def test_a_sign_state_without_its_log_keeps_silent_for_the_height() -> None:
    """The lock is lost with the log: nobody may guess it."""
    guard = SigningGuard(US, state(vote(VoteKind.PREVOTE, 1, A)), allowed=True)
    assert guard.restore(5, []) is False
    assert not guard.may_sign(5)
    assert guard.sign(vote(VoteKind.PREVOTE, 9, B)) is None
    assert guard.sign(vote(VoteKind.PREVOTE, 0, B, height=6)) is not None


def test_a_forgetful_node_goes_on_after_what_it_is_shown() -> None:
    """Its disks are empty: it signs nothing up to its old vote, and later rounds as anybody."""
    guard = SigningGuard(US, None, allowed=True)
    guard.recognise(vote(VoteKind.PREVOTE, 3, A), forgetful=True)
    guard.recognise(vote(VoteKind.PREVOTE, 1, A), forgetful=True)
    assert guard.sign(vote(VoteKind.PREVOTE, 3, B)) is None
    assert guard.sign(vote(VoteKind.PREVOTE, 2, B)) is None
    assert guard.sign(vote(VoteKind.PRECOMMIT, 3, None)) is not None


def test_silence_and_refusal() -> None:
    """For a height, or altogether; an observer never signs."""
    guard = SigningGuard(US, None, allowed=True)
    guard.recognise(vote(VoteKind.PREVOTE, 1, A), forgetful=False)
    assert not guard.may_sign(5)
    assert guard.may_sign(6)
    assert not SigningGuard(US, None, allowed=False).may_sign(9)
    assert not SigningGuard(authority_of(None), None, allowed=True).may_sign(9)
