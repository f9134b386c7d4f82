"""What keeps a validator from signing two things."""

from alatau.consensus.authenticity import digest_of
from alatau.consensus.records import OwnVoteRecord, SignState, SignStep
from alatau.consensus.signing import SigningGuard, Silence
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


def test_a_node_with_empty_disks_adopts_its_past() -> None:
    """It signs nothing up to its old vote, and later rounds as anybody."""
    guard = SigningGuard(US, None, allowed=True)
    guard.restore(5, [])
    guard.began_empty()
    assert not guard.recognise(vote(VoteKind.PREVOTE, 3, A))
    assert not guard.recognise(vote(VoteKind.PREVOTE, 1, A))
    assert guard.sign(vote(VoteKind.PREVOTE, 3, B)) is None
    assert guard.sign(vote(VoteKind.PREVOTE, 2, B)) is None
    assert guard.sign(vote(VoteKind.PRECOMMIT, 3, None)) is not None


def test_the_past_of_empty_disks_ends() -> None:
    """Two heights after it joined, or at a step that it has signed itself, what it does not know is another's."""
    guard = SigningGuard(US, None, allowed=True)
    guard.restore(5, [])
    guard.began_empty()
    guard.joined(5)
    guard.begin(6)
    assert not guard.recognise(vote(VoteKind.PREVOTE, 0, A, height=6))
    guard.begin(7)
    assert guard.recognise(vote(VoteKind.PREVOTE, 0, A, height=7))
    other = SigningGuard(US, None, allowed=True)
    other.restore(5, [])
    other.began_empty()
    assert other.sign(vote(VoteKind.PREVOTE, 0, A)) is not None
    assert other.recognise(vote(VoteKind.PREVOTE, 0, B))
    assert other.silence(5) is Silence.KEY_IN_USE


def test_what_we_signed_is_known_however_old() -> None:
    """All of a height's signatures are ours when they come back, in any order, also after a restart."""
    guard = SigningGuard(US, None, allowed=True)
    votes = [vote(kind, r, A) for r in range(50) for kind in VoteKind]
    assert all(guard.sign(v) is not None for v in votes)
    assert not any(map(guard.recognise, reversed(votes)))
    again = SigningGuard(US, state(votes[-1]), allowed=True)
    again.restore(5, [OwnVoteRecord(v, -1, None, -1, None) for v in votes])
    assert not any(map(again.recognise, reversed(votes)))
    assert again.may_sign(5)


def test_what_may_be_of_a_lost_log_is_no_surprise() -> None:
    """The sign state says how far we were; beyond it, somebody else signs."""
    last = vote(VoteKind.PRECOMMIT, 3, A)
    guard = SigningGuard(US, state(last), allowed=True)
    guard.restore(5, [])
    assert guard.silence(5) is Silence.LOG_LOST
    assert guard.silent_until(5) == 6
    assert not guard.recognise(vote(VoteKind.PREVOTE, 2, B))
    assert not guard.recognise(last)
    assert guard.recognise(vote(VoteKind.PREVOTE, 4, B))
    assert guard.silence(5) is Silence.KEY_IN_USE


def test_a_lost_log_without_a_lock_loses_nothing() -> None:
    """Nothing was precommitted, or nil in the first round: it goes on behind the sign state."""
    nil = vote(VoteKind.PRECOMMIT, 0, None)
    for last in (vote(VoteKind.PREVOTE, 0, A), nil):
        guard = SigningGuard(US, state(last), allowed=True)
        guard.restore(5, [])
        assert guard.may_sign(5)
        assert guard.sign(vote(VoteKind.PREVOTE, 0, B)) is None
        assert guard.sign(vote(VoteKind.PREVOTE, 1, B)) is not None
    locked = SigningGuard(US, state(vote(VoteKind.PRECOMMIT, 0, A)), allowed=True)
    locked.restore(5, [])
    assert not locked.may_sign(5)


def test_probation_ends_without_a_sign_and_grows() -> None:
    """Sixteen quiet heights; another sign during it begins them anew; the next probation is twice as long."""
    guard = SigningGuard(US, None, allowed=True)
    guard.begin(5)
    assert guard.recognise(vote(VoteKind.PREVOTE, 1, A))
    assert not guard.recognise(vote(VoteKind.PREVOTE, 1, A)), "replayed, it is known"
    guard.begin(6)
    assert not guard.recognise(vote(VoteKind.PREVOTE, 0, A, height=6)), "the operator knows"
    assert [guard.may_sign(h) for h in (6, 22, 23)] == [False, False, True]
    guard.begin(23)
    assert guard.recognise(vote(VoteKind.PREVOTE, 0, A, height=23))
    assert [guard.may_sign(h) for h in (55, 56)] == [False, True]


def test_probation_ends_where_the_network_stands() -> None:
    """Heights may not pass because we are silent: as many rebroadcasts without a sign are enough."""
    guard = SigningGuard(US, None, allowed=True)
    guard.begin(5)
    guard.recognise(vote(VoteKind.PREVOTE, 1, A))
    assert [guard.rebroadcast() for _ in range(17)] == [False] * 15 + [True, False]
    assert guard.may_sign(5)


def test_refusal() -> None:
    """Altogether, by the host; an observer never signs, and is not silent for a reason."""
    refusing = SigningGuard(US, None, allowed=False)
    assert (refusing.may_sign(9), refusing.silence(9)) == (False, Silence.NOT_ALLOWED)
    observer = SigningGuard(authority_of(None), None, allowed=True)
    assert (observer.may_sign(9), observer.silence(9)) == (False, None)
    kept_silent = SigningGuard(authority_of(None), None, allowed=False)
    assert (kept_silent.may_sign(9), kept_silent.silence(9), kept_silent.silent_until(9)) == (False, None, None)
    assert refusing.silent_until(9) is None, "an operator ends it"


def guard_at(height: int, *signed: Vote) -> SigningGuard:
    """A guard that signed these, the last thing in its sign state, and was started again with its log."""
    guard = SigningGuard(US, state(signed[-1]) if signed else None, allowed=True)
    guard.restore(height, [OwnVoteRecord(v, -1, None, -1, None) for v in signed if v.height == height])
    return guard


def test_a_height_of_which_we_know_all_holds_nothing_else() -> None:
    """An unknown signature of a step that is over is another self's, whenever we signed ours."""
    other = vote(VoteKind.PREVOTE, 0, B)
    assert guard_at(5, vote(VoteKind.PREVOTE, 1, A)).recognise(other)
    assert guard_at(5).recognise(other)
    later = guard_at(5, vote(VoteKind.PREVOTE, 3, A, height=4))
    assert later.sign(vote(VoteKind.PREVOTE, 1, A)) is not None
    assert later.recognise(other)
    next_height = guard_at(5, vote(VoteKind.PREVOTE, 1, A))
    next_height.begin(6)
    assert next_height.sign(vote(VoteKind.PREVOTE, 1, A, height=6)) is not None
    assert next_height.recognise(vote(VoteKind.PREVOTE, 0, B, height=6))


def test_what_lies_below_a_sign_state_ahead_of_us_is_no_surprise() -> None:
    """The chain's disks are old: up to where the sign state is, also when we get there, what comes may be our past."""
    guard = SigningGuard(US, state(vote(VoteKind.PRECOMMIT, 3, A, height=6)), allowed=True)
    guard.restore(5, [])
    assert not guard.recognise(vote(VoteKind.PREVOTE, 2, B))
    guard.begin(6)
    assert not guard.recognise(vote(VoteKind.PREVOTE, 2, B, height=6))
    guard.begin(7)
    assert guard.recognise(vote(VoteKind.PREVOTE, 0, B, height=7))


def test_what_lies_below_an_adopted_signature_is_no_surprise() -> None:
    """A peer showed one of a later height while we asked around; what came before it can be of the same past."""
    guard = guard_at(5)
    guard.began_empty()
    assert not guard.recognise(vote(VoteKind.PREVOTE, 3, A, height=9))
    guard.joined(5)
    assert not guard.recognise(vote(VoteKind.PREVOTE, 1, B, height=9))
    assert guard.recognise(vote(VoteKind.PREVOTE, 4, B, height=9))


def test_a_height_that_is_over_proves_nothing() -> None:
    """What we signed there is not remembered any more."""
    guard = guard_at(5)
    guard.begin(7)
    assert not guard.recognise(vote(VoteKind.PREVOTE, 1, A, height=6))
    assert guard.may_sign(7)


def test_a_signature_of_a_later_height_is_another_selfs() -> None:
    """We have signed nothing there, nor anywhere."""
    guard = guard_at(5)
    assert guard.recognise(vote(VoteKind.PREVOTE, 0, A, height=6))
    assert not guard.may_sign(6)


def test_memory_is_of_one_height() -> None:
    """However many heights were signed."""
    guard = guard_at(1)
    for height in range(1, 500):
        guard.begin(height)
        for kind in VoteKind:
            assert guard.sign(vote(kind, 0, A, height=height)) is not None
    assert len(guard._known) == len(guard._signed_here) == 2


def test_a_probation_is_at_most_1024_heights() -> None:
    """Twice as long each time, up to there."""
    guard, height, lengths = guard_at(5), 5, []
    for _ in range(9):
        guard.begin(height)
        assert guard.recognise(vote(VoteKind.PREVOTE, 0, A, height=height))
        until = guard.silent_until(height)
        assert until is not None
        lengths.append(until - height - 1)
        height = until
    assert lengths == [16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024]


def test_rebroadcasts_of_one_height_end_a_probation() -> None:
    """Those of the height before do not count: the network moved."""
    guard = guard_at(5)
    guard.recognise(vote(VoteKind.PREVOTE, 1, A))
    assert [guard.rebroadcast() for _ in range(10)] == [False] * 10
    guard.begin(6)
    assert [guard.rebroadcast() for _ in range(16)] == [False] * 15 + [True]


def test_a_sign_that_is_shown_again_is_no_new_one() -> None:
    """A peer that replays the other self's vote keeps nobody silent with it."""
    guard = guard_at(5)
    assert guard.recognise(vote(VoteKind.PREVOTE, 1, A))
    assert [guard.rebroadcast() for _ in range(15)] == [False] * 15
    assert not guard.recognise(vote(VoteKind.PREVOTE, 1, A))
    assert guard.rebroadcast()


def test_the_operator_is_reminded_of_a_self_that_goes_on() -> None:
    """Every sixteen heights, while it signs in each of them."""
    guard, told = guard_at(5), []
    for height in range(5, 50):
        guard.begin(height)
        if guard.recognise(vote(VoteKind.PREVOTE, 0, A, height=height)):
            told.append(height)
    assert told == [5, 21, 37]
