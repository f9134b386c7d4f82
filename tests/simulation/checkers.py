"""What must hold, judged from outside: from every message on the wire and every block on a disk."""

from collections import defaultdict
from dataclasses import dataclass, field

from alatau.consensus.authenticity import check_signature
from alatau.consensus.errors import MessageError
from alatau.consensus.messages import Message, ProposalMessage, RoundCertificate, VotesMessage
from alatau.types.block import Block
from alatau.types.vote import NO_ROUND, Commit, Proposal, Vote, VoteKind
from tests.simulation.chain import InvalidBlockError, Ledger, Rules, authority_of, check_commit

_WITNESS = authority_of(None)


class Violation(AssertionError):  # noqa: N818  it is what the checkers find, not an error of theirs
    """The network did what it must never do."""


@dataclass(slots=True)
class Checkers:
    """Sees everything; changes nothing."""

    rules: Rules
    faulty: frozenset[bytes]
    """Validators that may lie. What they do is not judged, only what it leads to."""
    silenced: bool = False
    """Whether so many are silent that nothing may be decided."""
    decided: dict[int, Block] = field(default_factory=dict)
    _ledger: Ledger = field(init=False)
    _votes: dict[tuple[int, int, VoteKind, bytes], set[bytes | None]] = field(default_factory=lambda: defaultdict(set))
    _supporters: dict[tuple[int, int, VoteKind], dict[bytes | None, set[bytes]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    _proposals: dict[tuple[int, int, bytes], tuple[bytes, int]] = field(default_factory=dict)
    _locks: dict[tuple[int, bytes], list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    _seen: set[Vote | Proposal] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin at genesis."""
        self._ledger = Ledger(self.rules)

    # ------------------------------------------------------------ messages

    def sent(self, message: Message) -> None:
        """A message goes over the wire, from whomever."""
        match message:
            case VotesMessage(votes) | RoundCertificate(votes=votes):
                for vote in votes:
                    self._vote(vote)
            case ProposalMessage(proposal, _, proof):
                for vote in proof:
                    self._vote(vote)
                self._proposal(proposal)

    def _authentic(self, signed: Vote | Proposal) -> bool:
        if signed in self._seen:
            return False
        try:
            check_signature(_WITNESS, signed)
        except MessageError:
            return False
        self._seen.add(signed)
        return True

    def _vote(self, vote: Vote) -> None:
        if not self._authentic(vote):
            return
        cast = self._votes[vote.height, vote.round, vote.kind, vote.validator]
        cast.add(vote.block_hash)
        honest = vote.validator not in self.faulty
        if honest and len(cast) > 1:
            raise Violation(f"a correct validator voted twice: {vote}")
        self._supporters[vote.height, vote.round, vote.kind][vote.block_hash].add(vote.validator)
        self._no_two_quorums(vote)
        if honest and vote.block_hash is not None:
            if vote.kind is VoteKind.PREVOTE:
                self._lock_respected(vote)
            else:
                self._lock_justified(vote)

    def _no_two_quorums(self, vote: Vote) -> None:
        validators = self.rules.validators(vote.height)
        supporters = self._supporters[vote.height, vote.round, vote.kind]
        quorums = [who for who in supporters.values() if validators.has_quorum(sum(map(validators.power_of, who)))]
        if len(quorums) > 1:
            raise Violation(f"two quorums in height {vote.height} round {vote.round} of {vote.kind.name}")

    def _has_polka(self, height: int, round_: int, block_hash: bytes) -> bool:
        validators = self.rules.validators(height)
        who = self._supporters[height, round_, VoteKind.PREVOTE][block_hash]
        return validators.has_quorum(sum(map(validators.power_of, who)))

    def _lock_justified(self, vote: Vote) -> None:
        """L36: a precommit for a block rests on a polka of its round."""
        assert vote.block_hash is not None
        if not self._has_polka(vote.height, vote.round, vote.block_hash):
            raise Violation(f"a correct validator precommitted without a polka: {vote}")
        self._locks[vote.height, vote.validator].append((vote.round, vote.block_hash))

    def _lock_respected(self, vote: Vote) -> None:
        """L23, L29: a prevote against the lock rests on a polka as late as the lock."""
        assert vote.block_hash is not None
        earlier = [lock for lock in self._locks[vote.height, vote.validator] if lock[0] < vote.round]
        if not earlier:
            return
        locked_round, locked_hash = max(earlier)
        if locked_hash == vote.block_hash:
            return
        if not any(self._has_polka(vote.height, r, vote.block_hash) for r in range(locked_round, vote.round)):
            raise Violation(f"a correct validator broke its lock of round {locked_round}: {vote}")

    def _proposal(self, proposal: Proposal) -> None:
        if not self._authentic(proposal) or proposal.proposer in self.faulty:
            return
        content = (proposal.block_hash, proposal.valid_round)
        key = (proposal.height, proposal.round, proposal.proposer)
        if self._proposals.setdefault(key, content) != content:
            raise Violation(f"a correct proposer proposed twice: {proposal}")
        if proposal.valid_round != NO_ROUND and not self._has_polka(
            proposal.height, proposal.valid_round, proposal.block_hash
        ):
            raise Violation(f"a correct proposer claims a polka that nobody saw: {proposal}")

    # ------------------------------------------------------------ blocks

    def committed(self, block: Block, commit: Commit) -> None:
        """A correct node made a block durable."""
        height = block.header.number
        if self.silenced:
            raise Violation(f"height {height} was decided with more than a third silent")
        try:
            check_commit(commit, block, self.rules.validators(height))
        except InvalidBlockError as error:
            raise Violation(f"height {height} was committed without proof: {error.rule}") from error
        known = self.decided.setdefault(height, block)
        if known.hash != block.hash:
            raise Violation(f"two blocks were decided at height {height}")
        if height == self._ledger.height + 1:
            try:
                self._ledger.check(block)
            except InvalidBlockError as error:
                raise Violation(f"an invalid block was decided at height {height}: {error.rule}") from error
            self._ledger.append(block, commit)
        if height > self._ledger.height:
            raise Violation(f"height {height} was decided before the one below it")
