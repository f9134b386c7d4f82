"""One real core at a table with scripted peers, so that a scenario reads as a transcript.

A line is ``what happens -> what the core does``. Validators are v1 to vn, blocks are single capitals; effects are
written in the order in which the host must perform them. Records in the log, the sign state and the timers that
only pace the network are left out unless ``verbose``.
"""

from dataclasses import dataclass, field, replace

from alatau.consensus.authenticity import digest_of
from alatau.consensus.core import Consensus
from alatau.consensus.effects import (
    DoAlarm,
    DoBroadcast,
    DoBuildBlock,
    DoCancelTimers,
    DoCommit,
    DoHalt,
    DoPersist,
    DoRecordSignState,
    DoReportEvidence,
    DoReportPeer,
    DoRequestSync,
    DoResetLog,
    DoRewriteLog,
    DoSend,
    DoSetTimer,
    DoValidateBlock,
    Effect,
)
from alatau.consensus.inputs import (
    HeightContext,
    InBlockBuilt,
    InBlockValidated,
    InMessage,
    InNewHeight,
    InPeerConnected,
    Input,
    InStart,
    InSyncFailed,
    InTimeout,
    InTransactionsAvailable,
    Timer,
    TimerKind,
)
from alatau.consensus.messages import (
    Message,
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.consensus.records import Record, SignState
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig, ConsensusParameters
from alatau.types.validator import ValidatorSet
from alatau.types.vote import NO_ROUND, Commit, CommitSignature, Proposal, Vote, VoteKind
from tests.simulation.chain import (
    CHAIN_ID,
    GENESIS,
    GENESIS_SECONDS,
    address_of,
    authority_of,
    build_header,
    equal_validators,
    sign_as,
    signed_vote,
)

PARAMETERS = ConsensusParameters(
    block_interval_ms=200,
    heartbeat_ms=10_000,
    timeout_propose_ms=300,
    timeout_vote_ms=100,
    timeout_delta_ms=50,
    timeout_max_ms=1_000,
    clock_drift_ms_max=500,
    absent_commits=4,
)
CONFIG = ChainConfig(CHAIN_ID, "table", consensus=PARAMETERS)
NOW_MS = GENESIS_SECONDS * 1_000
STEP_TIMERS = (TimerKind.PROPOSE, TimerKind.PREVOTE, TimerKind.PRECOMMIT)


@dataclass
class Table:
    """The core of validator ``me`` among ``count`` validators, at height 1."""

    count: int = 4
    me: int | None = 2
    verbose: bool = False
    now_ms: int = NOW_MS
    validators: ValidatorSet = field(init=False)
    core: Consensus = field(init=False)
    blocks: dict[str, Block] = field(default_factory=dict)
    log: list[Record] = field(default_factory=list)
    sign_state: SignState | None = None
    effects: list[Effect] = field(default_factory=list)
    """Of the last input."""
    _context: HeightContext = field(init=False)

    def __post_init__(self) -> None:
        """Connect all nodes."""
        self.validators = equal_validators(self.count)
        self._context = self.context_after(GENESIS, None)
        for name in "ABCDE":
            header = build_header(
                GENESIS.header, GENESIS.hash, address_of(1), self.validators, GENESIS_SECONDS, (), None
            )
            self.blocks[name] = Block(replace(header, gas_used=ord(name)), (), None)
        self.core = self._new_core()

    def _new_core(self) -> Consensus:
        return Consensus(authority_of(None if self.me is None else address_of(self.me)), CONFIG)

    def context_after(self, parent: Block, commit: Commit | None, **changes: object) -> HeightContext:
        """The context of the height after ``parent``."""
        context = HeightContext(
            height=parent.header.number + 1,
            validators=self.validators,
            next_validators=self.validators,
            parent_hash=parent.hash,
            parent_timestamp=parent.header.timestamp,
            last_commit=commit,
            absent=frozenset(),
            failing=frozenset(),
            transactions_waiting=False,
        )
        return replace(context, **changes)  # type: ignore[arg-type]

    def block_after(self, name: str, new: str, commit: Commit) -> Block:
        """A block called ``new`` on the block ``name``, whose commit it carries."""
        parent = self.blocks[name]
        builder, seconds = address_of(1), parent.header.timestamp
        header = build_header(parent.header, parent.hash, builder, self.validators, seconds, (), commit)
        self.blocks[new] = Block(header, (), commit)
        return self.blocks[new]

    # ------------------------------------------------------------ inputs

    def feed(self, event: Input) -> list[Effect]:
        """One input; a disk that keeps everything."""
        self.effects = list(self.core.step(event, self.now_ms))
        for effect in self.effects:
            match effect:
                case DoPersist(record):
                    self.log.append(record)
                case DoRecordSignState(sign_state):
                    self.sign_state = sign_state
                case DoResetLog():
                    self.log.clear()
                case DoRewriteLog(records):
                    self.log = list(records)
        return self.effects

    def start(self, *, fresh: bool = False) -> list[Effect]:
        """Begin, or begin again with what the disk holds."""
        self.core = self._new_core()
        return self.feed(InStart(self._context, tuple(self.log), self.sign_state, may_sign=True, fresh=fresh))

    def proposal(
        self, by: int, name: str, round_: int, valid_round: int = NO_ROUND, **changes: object
    ) -> ProposalMessage:
        """A proposal as validator ``by`` signs it."""
        unsigned = Proposal(1, round_, self.blocks[name].hash, valid_round, self.now_ms, address_of(by), b"")
        unsigned = replace(unsigned, **changes)  # type: ignore[arg-type]
        proof: tuple[Vote, ...] = ()
        if valid_round != NO_ROUND:
            voters = [n for n in range(1, self.count + 1) if n != self.me][: 2 * self.count // 3 + 1]
            proof = tuple(self.vote(n, VoteKind.PREVOTE, name, valid_round) for n in voters)
        return self.signed(unsigned, self.blocks[name], proof)

    def signed(self, proposal: Proposal, block: Block, proof: tuple[Vote, ...] = ()) -> ProposalMessage:
        """A proposal with its proposer's signature."""
        signature = sign_as(proposal.proposer, digest_of(authority_of(None), proposal))
        return ProposalMessage(replace(proposal, signature=signature), block, proof)

    def vote(self, by: int, kind: VoteKind, name: str, round_: int, height: int = 1) -> Vote:
        """A vote as validator ``by`` signs it; the block is a name or ``nil``."""
        block_hash = None if name == "nil" else self.blocks[name].hash
        return signed_vote(address_of(by), kind, height, round_, block_hash)

    def resigned(self, vote: Vote) -> Vote:
        """A vote that was changed, signed again by its validator."""
        return signed_vote(vote.validator, vote.kind, vote.height, vote.round, vote.block_hash)

    def commit_of(self, name: str, round_: int, by: tuple[int, ...]) -> Commit:
        """A commit by these validators."""
        votes = [self.vote(n, VoteKind.PRECOMMIT, name, round_) for n in by]
        signatures = tuple(CommitSignature(vote.validator, vote.signature) for vote in votes)
        return Commit(1, round_, self.blocks[name].hash, signatures)

    def say(self, by: int, *messages: Message) -> list[Effect]:
        """A peer says something."""
        return [e for message in messages for e in self.feed(InMessage(address_of(by), message))]

    def do(self, line: str) -> list[Effect]:
        """What happens, in words."""
        match line.split():
            case ["start"]:
                return self.start()
            case ["restart"]:
                return self.start()
            case ["transaction"]:
                return self.feed(InTransactionsAvailable())
            case ["v1" | "v2" | "v3" | "v4" | "v5" as who, "connects"]:
                return self.feed(InPeerConnected(address_of(int(who[1:]))))
            case [who, "proposes", name, round_]:
                return self.say(int(who[1:]), self.proposal(int(who[1:]), name, int(round_[1:])))
            case [who, "reproposes", name, round_, "of", valid_round]:
                by = int(who[1:])
                return self.say(by, self.proposal(by, name, int(round_[1:]), int(valid_round[1:])))
            case [who, "prevotes" | "precommits" as verb, name, round_]:
                kind = VoteKind.PREVOTE if verb == "prevotes" else VoteKind.PRECOMMIT
                return self.say(int(who[1:]), VotesMessage((self.vote(int(who[1:]), kind, name, int(round_[1:])),)))
            case [name, "is", "valid" | "invalid" as verdict]:
                error = None if verdict == "valid" else "state_root"
                return self.feed(InBlockValidated(1, self.blocks[name].hash, error))
            case [name, "is", "built", round_]:
                return self.feed(InBlockBuilt(int(round_[1:]), self.blocks[name]))
            case [name, "is", "committed", "by", *who]:
                commit = self.commit_of(name, 0, tuple(int(w[1:]) for w in who))
                self._context = self.context_after(self.blocks[name], commit)
                return self.feed(InNewHeight(self._context))
            case ["timeout", kind, *round_]:
                number = int(round_[0][1:]) if round_ else 0
                return self.feed(InTimeout(Timer(TimerKind[kind.upper()], self.core.height, number)))
            case [who, "decides", height]:
                return self.say(int(who[1:]), StatusMessage(int(height[1:]), 0, bytes(32)))
            case [who, "asks", "for", name, round_]:
                wanted = None if name == "any" else self.blocks[name].hash
                return self.say(int(who[1:]), ProposalRequest(1, int(round_[1:]), wanted))
            case [who, "fails", "to", "show", "it"]:
                return self.feed(InSyncFailed(address_of(int(who[1:]))))
            case _:
                raise AssertionError(f"the table does not know: {line}")

    def play(self, transcript: str) -> None:
        """Play a transcript and compare what the core does with what it says."""
        expected = [" ".join(line.split()) for line in transcript.strip().splitlines() if line.strip()]
        played = []
        for line in expected:
            happens = line.split("->")[0].strip()
            played.append(f"{happens} -> {', '.join(self.told(self.do(happens)))}".strip())
        assert played == expected

    # ------------------------------------------------------------ effects

    def told(self, effects: list[Effect]) -> list[str]:
        """Effects in words."""
        return [words for effect in effects for words in self._words(effect) if words]

    def _words(self, effect: Effect) -> list[str]:
        match effect:
            case DoBroadcast(VotesMessage(votes)):
                return [self._vote_words(vote) for vote in votes]
            case DoBroadcast(ProposalMessage(proposal, prevote=prevote)):
                again = f" of r{proposal.valid_round}" if proposal.valid_round != NO_ROUND else ""
                cast = [] if prevote is None else [self._vote_words(prevote)]
                return [f"propose {self._name(proposal.block_hash)} r{proposal.round}{again}", *cast]
            case DoBroadcast(RoundCertificate(_, round_, votes)):
                return [f"certificate r{round_} of {len(votes)}"]
            case DoBroadcast(StatusMessage(height, round_)):
                return [f"status h{height} r{round_}"]
            case DoSend(peer, message):
                return [f"{self._sent_words(message)} to {_who(peer)}"]
            case DoSetTimer(timer, _):
                if timer.kind in STEP_TIMERS or timer.kind is TimerKind.SYNC or self.verbose:
                    return [f"wait {timer.kind.name.lower()}"]
                return []
            case DoBuildBlock(_, round_):
                return [f"build r{round_}"]
            case DoValidateBlock(block):
                return [f"validate {self._name(block.hash)}"]
            case DoCommit(block, commit):
                return [f"commit {self._name(block.hash)} r{commit.round} by {len(commit.signatures)}"]
            case DoReportEvidence(first):
                who = first.validator if isinstance(first, Vote) else first.proposer
                return [f"evidence against {_who(who)}"]
            case DoReportPeer(peer, error):
                return [f"report {_who(peer)} for {error.reason}"]
            case DoRequestSync(peer, height):
                return [f"sync from h{height} with {_who(peer)}"]
            case DoHalt():
                return ["halt"]
            case DoPersist(record):
                return [f"log {type(record).__name__}"] if self.verbose else []
            case DoRecordSignState(state):
                return [f"sign state {state.step.name.lower()}"] if self.verbose else []
            case DoAlarm(alarm):
                return [f"alarm {alarm.name.lower()}"]
            case DoRewriteLog(records):
                return [f"rewrite log with {len(records)}"] if self.verbose else []
            case DoCancelTimers() | DoResetLog():
                return []
            case _:
                raise AssertionError(f"no words for {effect}")

    def _vote_words(self, vote: Vote) -> str:
        ours = self.me is not None and vote.validator == address_of(self.me)
        whose = "" if ours else f"{_who(vote.validator)}'s "
        return f"{whose}{vote.kind.name.lower()} {self._name(vote.block_hash)} r{vote.round}"

    def _sent_words(self, message: Message) -> str:
        match message:
            case ProposalMessage(proposal):
                return f"proposal {self._name(proposal.block_hash)} r{proposal.round}"
            case VotesMessage(votes):
                return f"{len(votes)} votes"
            case RoundCertificate(_, round_):
                return f"certificate r{round_}"
            case StatusMessage(height, round_):
                return f"status h{height} r{round_}"
            case ProposalRequest(_, round_, block_hash):
                return f"request {'any' if block_hash is None else self._name(block_hash)} r{round_}"

    def _name(self, block_hash: bytes | None) -> str:
        if block_hash is None:
            return "nil"
        return next((name for name, block in self.blocks.items() if block.hash == block_hash), block_hash.hex()[:6])


def _who(address: bytes) -> str:
    return f"v{int.from_bytes(address, 'big')}"
