"""One node of the model: the real core, and the graph of the states that it can be in (``model.py``).

A message is known by names, a state by all of a core that decides what it will do. Each step of a core is taken once,
from a picture of it, which holds what can change and shares the rest.
"""

import io
import pickle
from collections import deque
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from alatau.consensus.authenticity import Authority
from alatau.consensus.core import Consensus
from alatau.consensus.effects import (
    DoBroadcast,
    DoBuildBlock,
    DoCommit,
    DoHalt,
    DoReportEvidence,
    DoReportPeer,
    DoSend,
    DoValidateBlock,
    Effect,
)
from alatau.consensus.height import Phase
from alatau.consensus.inputs import (
    HeightContext,
    InBlockBuilt,
    InBlockValidated,
    InMessage,
    Input,
    InStart,
    InTimeout,
    Timer,
    TimerKind,
)
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.consensus.proposal_keeper import Kept
from alatau.consensus.proposer import Rotation, rotation
from alatau.consensus.records import OwnProposalRecord, OwnVoteRecord, SignState
from alatau.consensus.state_machine import RoundState, Step
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig
from alatau.types.validator import ValidatorSet
from alatau.types.vote import NO_ROUND, Proposal, Vote, VoteKind, proposal_digest
from tests.simulation.chain import (
    CHAIN_ID,
    DOMAIN,
    GENESIS,
    GENESIS_SECONDS,
    authority_of,
    build_header,
    equal_validators,
    sign_as,
    signed_vote,
)

COUNT: Final = 4
_NOW_MS: Final = GENESIS_SECONDS * 1_000
_VALIDATORS: Final = equal_validators(COUNT)
_ROTATION: Final = rotation(_VALIDATORS, 1, frozenset())
_CONFIG: Final = ChainConfig(CHAIN_ID, "model")

Said = tuple[str, int, str | None, int, int, frozenset[int]]
"""A message in names: V, W or P for prevote, precommit and proposal; round; block; who; valid round; whose proof."""

Key = tuple[Any, ...]


class Broken(AssertionError):  # noqa: N818  an outcome, as Violation is
    """A rule does not hold. The message says which, and how a node came to it."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who lies, and about what."""

    liar: int
    """0 proposes in round 0, 1 in round 1; 2 proposes in neither."""
    blocks: tuple[str, ...]
    """Names of the blocks that a lying proposer may offer."""
    invalid: frozenset[str] = frozenset()
    """Those of them that nobody may accept."""
    rounds: int = 2


@cache
def _address(turn: int) -> bytes:
    """The address of who proposes in round ``turn``: nodes are named by their turns."""
    order = [_ROTATION.proposer(round_) for round_ in range(COUNT)]
    return order[turn]


@cache
def _block(name: str, builder: int) -> Block:
    """A first block, told apart by its extra data; its builder is in its header."""
    header = build_header(GENESIS.header, GENESIS.hash, _address(builder), _VALIDATORS, GENESIS_SECONDS, (), None)
    return Block(replace(header, extra_data=name.encode()), (), None)


@cache
def _vote(letter: str, round_: int, block_hash: bytes | None, who: int) -> Vote:
    kind = VoteKind.PREVOTE if letter == "V" else VoteKind.PRECOMMIT
    return signed_vote(_address(who), kind, 1, round_, block_hash)


# ---------------------------------------------------------------- one node


@dataclass(slots=True)
class Local:
    """A state of one node, with a picture of its core."""

    key: Key
    picture: bytes
    said: frozenset[Said]
    story: tuple[str, ...]
    """How it came there first, for a report."""
    decided: tuple[int, str] | None
    """Round and block."""
    round: int
    successors: dict[object, "int | None"] = field(default_factory=dict)
    """What arrived or ran out -> the state after it; None where nothing changed."""


_FROZEN: Final = frozenset(
    {
        Authority, ChainConfig, ValidatorSet, HeightContext, Rotation, Block, Vote, Proposal, ProposalMessage, Kept,
        RoundState, SignState, OwnVoteRecord, OwnProposalRecord, VoteKind, Phase,
    }
)  # fmt: skip
"""Types whose instances never change (a rotation only remembers what it worked out): pictures share them."""


class _Shared:
    """What pictures share, by number. It stays, so that an id means one thing."""

    def __init__(self) -> None:
        self.things: list[object] = []
        self._numbers: dict[int, int] = {}

    def number(self, thing: object) -> int | None:
        if type(thing) not in _FROZEN:
            return None
        number = self._numbers.get(id(thing))
        if number is None:
            number = self._numbers[id(thing)] = len(self.things)
            self.things.append(thing)
        return number


_SHARED: Final = _Shared()


class _Pickler(pickle.Pickler):
    persistent_id = staticmethod(_SHARED.number)


class _Unpickler(pickle.Unpickler):
    persistent_load = staticmethod(_SHARED.things.__getitem__)


def picture_of(core: Consensus) -> bytes:
    """All that a core can change, as bytes."""
    out = io.BytesIO()
    _Pickler(out, pickle.HIGHEST_PROTOCOL).dump(core)
    return out.getvalue()


def core_of(picture: bytes) -> Consensus:
    """A core as it was when its picture was taken."""
    core = _Unpickler(io.BytesIO(picture)).load()
    assert isinstance(core, Consensus)
    return core


class Node:
    """One correct node: the graph of its states, as far as it was asked for."""

    def __init__(self, cast: Cast, who: int) -> None:
        self._cast, self.who = cast, who
        authority: Authority = authority_of(_address(who))
        context = HeightContext(
            height=1, validators=_VALIDATORS, next_validators=_VALIDATORS, parent_hash=GENESIS.hash,
            parent_timestamp=GENESIS_SECONDS, last_commit=None, absent=frozenset(), failing=frozenset(),
            transactions_waiting=True,
        )  # fmt: skip
        builders = dict.fromkeys(cast.blocks, cast.liar)
        for turn in range(cast.rounds):
            if turn != cast.liar:
                builders[own_block(turn)] = turn
        self._blocks = {name: _block(name, builder) for name, builder in builders.items()}
        self._names: dict[bytes | None, str | None] = {b.hash: name for name, b in self._blocks.items()} | {None: None}
        self._turns = {_address(turn): turn for turn in range(COUNT)}
        self._proposals: dict[Said, ProposalMessage] = {}
        self.states: list[Local] = []
        self._numbers: dict[Key, int] = {}
        core = Consensus(authority, _CONFIG)
        said = set[Said]()
        decided = self._take(core, InStart(context, (), None, may_sign=True, fresh=False), said, ())
        self._add(core, frozenset(said), ("starts",), decided)

    @property
    def block_names(self) -> list[str]:
        """All blocks that there are."""
        return list(self._blocks)

    # ------------------------------------------------------------ steps

    def after(self, number: int, cause: "Said | frozenset[Said] | TimerKind") -> int | None:
        """The state after something arrives or runs out; None where nothing changes."""
        state = self.states[number]
        if cause not in state.successors:
            state.successors[cause] = self._after(state, number, cause)
        return state.successors[cause]

    def _after(self, state: Local, number: int, cause: "Said | frozenset[Said] | TimerKind") -> int | None:
        core = core_of(state.picture)
        said, words = set(state.said), in_words(cause)
        story = (*state.story, words)
        decided = self._take(core, self._input(cause, state.round), said, story) or state.decided
        reached = self._add(core, frozenset(said), story, decided)
        return None if reached == number else reached

    def _input(self, cause: "Said | frozenset[Said] | TimerKind", round_: int) -> Input:
        if isinstance(cause, TimerKind):
            return InTimeout(Timer(cause, 1, round_))
        if isinstance(cause, frozenset):
            votes = tuple(self._vote(each) for each in sorted(cause, key=repr))
            return InMessage(votes[0].validator, VotesMessage(votes))
        return InMessage(_address(cause[3]), self._proposal(cause))

    def _vote(self, said: Said) -> Vote:
        letter, round_, name, who, _, _ = said
        return _vote(letter, round_, None if name is None else self._blocks[name].hash, who)

    def _proposal(self, said: Said) -> ProposalMessage:
        if said not in self._proposals:
            _, round_, name, who, valid_round, voters = said
            assert name is not None
            block = self._blocks[name]
            digest = proposal_digest(DOMAIN, 1, round_, block.hash, valid_round, _NOW_MS)
            proposal = Proposal(
                1, round_, block.hash, valid_round, _NOW_MS, _address(who), sign_as(_address(who), digest)
            )
            proof = tuple(_vote("V", valid_round, block.hash, voter) for voter in sorted(voters))
            self._proposals[said] = ProposalMessage(proposal, block, proof)
        return self._proposals[said]

    def _take(self, core: Consensus, event: Input, said: set[Said], story: tuple[str, ...]) -> tuple[int, str] | None:
        """Step, and answer at once what the core asks of its host."""
        pending, decided = deque([event]), None
        while pending:
            for effect in core.step(pending.popleft(), _NOW_MS):
                _watch(effect, _address(self._cast.liar), story)
                match effect:
                    case DoBuildBlock(_, round_):
                        if round_ < self._cast.rounds:
                            pending.append(InBlockBuilt(round_, self._blocks[own_block(self.who)]))
                    case DoValidateBlock(block):
                        wrong = self._names[block.hash] in self._cast.invalid
                        pending.append(InBlockValidated(1, block.hash, "invalid" if wrong else None))
                    case DoBroadcast(message) | DoSend(message=message):
                        said |= self._in_names(message)
                    case DoCommit(block, commit):
                        name = self._names[block.hash]
                        assert name is not None
                        decided = commit.round, name
        return decided

    def _in_names(self, message: object) -> set[Said]:
        match message:
            case VotesMessage(votes):
                return {
                    self._named(v) for v in votes if v.validator == _address(self.who) and v.round < self._cast.rounds
                }
            case ProposalMessage(prevote=Vote() as prevote):  # It counts alone, too: whoever passes it on may strip it.
                return self._in_names(replace(message, prevote=None)) | self._in_names(VotesMessage((prevote,)))
            case ProposalMessage(p, _, proof) if p.proposer == _address(self.who) and p.round < self._cast.rounds:
                voters = frozenset(self._turns[vote.validator] for vote in proof)
                said = ("P", p.round, self._names[p.block_hash], self.who, p.valid_round, voters)
                self._proposals[said] = message
                return {said}
            case _:
                return set()

    def _named(self, vote: Vote) -> Said:
        letter = "V" if vote.kind is VoteKind.PREVOTE else "W"
        return letter, vote.round, self._names[vote.block_hash], self._turns[vote.validator], NO_ROUND, frozenset()

    # ------------------------------------------------------------ states

    def _add(
        self, core: Consensus, said: frozenset[Said], story: tuple[str, ...], decided: tuple[int, str] | None
    ) -> int:
        key = self._key(core, said, decided)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.states)
            round_ = core._height.driver.state.round
            self.states.append(Local(key, picture_of(core), said, story, decided, round_))
        return number

    def _key(self, core: Consensus, said: frozenset[Said], decided: tuple[int, str] | None) -> Key:
        """What of a core decides all that it will do: rounds, step, lock, votes and proposals known, what it said."""
        named = frozenset(each[:5] for each in said)
        if decided is not None:
            return self.who, decided, named
        height = core._height
        state, driver = height.driver.state, height.driver
        place = (state.round, int(state.step), state.locked_round, self._names[state.locked_hash])
        counted = {
            (letter, round_, self._names[block_hash], self._turns[validator])
            for round_, known in driver.votes._rounds.items()
            for letter, tally in (("V", known.prevotes), ("W", known.precommits))
            for block_hash, voters in tally.by_hash.items()
            for validator in voters
            if round_ < self._cast.rounds
        }
        proposals = {
            (round_, self._names[kept.message.proposal.block_hash], kept.message.proposal.valid_round)
            for round_, all_kept in driver.proposals._by_round.items()
            for kept in all_kept
        }
        valid = (state.valid_round, self._names[state.valid_hash])
        return self.who, (*place, *valid), frozenset(counted), frozenset(proposals), named

    def knows(self, number: int) -> frozenset[tuple[Any, ...]]:
        """The votes that a state has counted."""
        key = self.states[number].key
        votes: frozenset[tuple[Any, ...]] = key[2] if len(key) > 3 else frozenset()  # a decision has no more
        return votes

    def has_proposal(self, number: int, said: Said) -> bool:
        """Whether a state holds this proposal, or is past caring."""
        key = self.states[number].key
        return len(key) <= 3 or (said[1], said[2], said[4]) in key[3]

    def step(self, number: int) -> Step:
        """Where a state is in its round."""
        key = self.states[number].key
        return Step(key[1][1]) if len(key) > 3 else Step.DECIDED


def own_block(turn: int) -> str:
    """The block that a correct proposer builds in its turn."""
    return "CD"[turn]


def in_words(cause: "Said | frozenset[Said] | TimerKind") -> str:
    """What arrived or ran out, for a report."""
    if isinstance(cause, TimerKind):
        return f"{cause.name.lower()} timeout"
    if isinstance(cause, frozenset):
        return "gets " + " ".join(sorted(f"{s[0]}{s[1]}:{s[2]}/{s[3]}" for s in cause))
    return f"gets P{cause[1]}:{cause[2]}/{cause[3]} of {cause[4]} by {sorted(cause[5])}"


def _watch(effect: Effect, liar: bytes, story: tuple[str, ...]) -> None:
    """What no node may do in any state: accuse or drop a correct one, prove nothing, or halt."""
    match effect:
        case DoReportEvidence(first, second):
            signers = {each.validator if isinstance(each, Vote) else each.proposer for each in (first, second)}
            if signers != {liar} or first == second:
                raise Broken(f"a correct validator is accused: {story}")
        case DoReportPeer(peer, error):
            if peer != liar:
                raise Broken(f"a correct peer is dropped ({error.reason}): {story}")
        case DoHalt(reason):
            raise Broken(f"{reason}: {story}")
