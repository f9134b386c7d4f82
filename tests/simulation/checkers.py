"""What must hold, judged from outside: from every message on the wire and every block on a disk.

The arithmetic of quorums is the checkers' own, so that a node that counts wrongly is not judged by its own measure.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from alatau.consensus.authenticity import check_signature
from alatau.consensus.errors import MessageError
from alatau.consensus.messages import Message, ProposalMessage, RoundCertificate, VotesMessage
from alatau.types.block import Block
from alatau.types.validator import ValidatorSet
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
    silent: frozenset[bytes] = frozenset()
    """Validators that are off now: where they are a third or more, only what they said before can decide."""
    round_max: int = 0
    """Latest round in which a correct validator voted."""
    decided: dict[int, Block] = field(default_factory=dict)
    _ledger: Ledger = field(init=False)
    _votes: dict[tuple[int, int, VoteKind, bytes], set[bytes | None]] = field(default_factory=lambda: defaultdict(set))
    _supporters: dict[tuple[int, int, VoteKind], dict[bytes | None, set[bytes]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    _proposals: dict[tuple[int, int, bytes], tuple[bytes, int]] = field(default_factory=dict)
    _locks: dict[tuple[int, bytes], list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    _seen: set[Vote | Proposal] = field(default_factory=set)
    _acknowledged: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """Node -> hashes of the blocks that it made durable, from height 1 on."""

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
            case ProposalMessage(proposal, _, proof, prevote):
                for vote in (*proof, *filter(None, (prevote,))):
                    self._vote(vote)
                self._proposal(proposal)

    def served(self, commits: Iterable[Commit]) -> None:
        """Commits go over the wire, in block sync: a liar may have shown its precommit to nobody but in one of them.

        What a correct validator precommits is heard before it is in any commit.
        """
        for commit in commits:
            place = (commit.height, commit.round, commit.block_hash)
            for entry in commit.signatures:
                if entry.validator in self.faulty:
                    self._vote(Vote(VoteKind.PRECOMMIT, *place, entry.validator, entry.signature))

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
        if honest:
            self.round_max = max(self.round_max, vote.round)
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
        quorums = [who for who in supporters.values() if is_quorum(validators, who)]
        if len(quorums) > 1:
            raise Violation(f"two quorums in height {vote.height} round {vote.round} of {vote.kind.name}")

    def _has_polka(self, height: int, round_: int, block_hash: bytes) -> bool:
        validators = self.rules.validators(height)
        who = self._supporters[height, round_, VoteKind.PREVOTE][block_hash]
        return is_quorum(validators, who)

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
        self._said_by_enough(commit)
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

    def _said_by_enough(self, commit: Commit) -> None:
        """More than two thirds precommitted aloud; and of those that are silent, if so many are, some did before."""
        validators = self.rules.validators(commit.height)
        said = self._supporters[commit.height, commit.round, VoteKind.PRECOMMIT][commit.block_hash]
        signed = {entry.validator for entry in commit.signatures}
        if not is_quorum(validators, signed & said):
            loud = set(validators.by_address) - self.silent
            what = "without proof" if is_quorum(validators, loud) else "with more than a third silent"
            raise Violation(f"height {commit.height} was decided {what}")

    # ------------------------------------------------------------ disks

    def acknowledged(self, name: str, block: Block) -> None:
        """A correct node made a block durable: whoever asks is told so from now on."""
        del self._acknowledged[name][block.header.number - 1 :]
        self._acknowledged[name].append(block.hash)

    def emptied(self, name: str) -> None:
        """A node's disk was replaced: it has nothing to keep."""
        self._acknowledged.pop(name, None)

    def starts(self, name: str, ledger: Ledger) -> None:
        """A node starts on its disk: everything that it acknowledged is on it, and in its place."""
        here = [block.hash for block in ledger.blocks[1:]]
        for height, block_hash in enumerate(self._acknowledged.get(name, ()), 1):
            if height > len(here) or here[height - 1] != block_hash:
                raise Violation(f"{name} does not keep block {height}, which it acknowledged")

    def kept(self, name: str, ledger: Ledger) -> None:
        """A story ends: this node has every block that anybody acknowledged, as far as its chain reaches."""
        self.starts(name, ledger)
        for height, block in enumerate(ledger.blocks[1:], 1):
            if height in self.decided and self.decided[height].hash != block.hash:
                raise Violation(f"{name} does not keep block {height}, which others acknowledged")

    # ------------------------------------------------------------ blame

    def accused(self, proofs: Iterable[tuple[Vote | Proposal, Vote | Proposal]]) -> int:
        """Proofs of equivocation that correct nodes report; gives of how many different things.

        Raises:
            Violation: one is against a correct validator, or proves nothing.
        """
        found = set()
        for first, second in proofs:
            signers = {one.validator if isinstance(one, Vote) else one.proposer for one in (first, second)}
            steps = {(type(one), one.height, one.round, getattr(one, "kind", None)) for one in (first, second)}
            if not signers <= self.faulty:
                raise Violation(f"a correct validator was accused: {first}")
            if len(signers) != 1 or len(steps) != 1 or first == second:
                raise Violation(f"no proof of anything: {first} and {second}")
            found.add(first)
        return len(found)

    def blamed(self, name: str, reports: Iterable[tuple[bytes, str]], liars: frozenset[bytes]) -> None:
        """Peers that a correct node drops: never a correct one."""
        for peer, reason in reports:
            if peer not in liars:
                raise Violation(f"{name} drops a correct peer {peer.hex()}: {reason}")


def is_quorum(validators: ValidatorSet, who: Iterable[bytes]) -> bool:
    """Whether these validators, each counted once, have more than two thirds of the power."""
    return 3 * sum(map(validators.power_of, set(who))) > 2 * sum(v.power for v in validators.validators)
