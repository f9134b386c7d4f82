"""Stories of what peers send, as bytes that a fuzzer can change, and the node that lives through them.

A story is a row of scenes. A scene is a byte that says on which surface and by whom, two bytes of length, and so many
bytes of message; a length beyond the end takes what is left, so that any bytes are a story. What passes the session is
said to a consensus core at height 1 of a network of four, which judges every block valid.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import trio

from alatau.consensus.effects import DoCommit, DoHalt, DoReportEvidence, DoReportPeer, DoValidateBlock, Effect
from alatau.consensus.inputs import InBlockValidated, InMessage, InTimeout, Timer
from alatau.consensus.messages import (
    Message,
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.p2p.handshake import read_hello
from alatau.p2p.methods import CONSENSUS, Lane, within_bounds
from alatau.pb.p2p.v1 import introduction_service_pb2, peer_service_pb2
from alatau.transport.certificates import is_node_key
from alatau.transport.errors import MalformedMessageError, RpcError
from alatau.transport.messages import parse
from alatau.types.block import last
from alatau.types.vote import NO_ROUND, Vote, VoteKind
from alatau.wire.bounds import WireError
from alatau.wire.consensus import write_control, write_proposal
from alatau.wire.session import write_session
from alatau.wire.sync import read_committed, read_range, write_committed, write_range
from tests.simulation.chain import address_of
from tests.support.ministries import CHAIN
from tests.support.peer_messages import BLOCK, COMMIT, HELLO, PEER, SAID, Receiver
from tests.support.table import STEP_TIMERS, Table

SCENES_MAX: Final = 64
LOG_RECORDS_MAX: Final = 2_048
"""More than 64 messages of correct size could need."""


class Surface(IntEnum):
    """Where a message arrives: the three low bits of a scene."""

    CONSENSUS = 0
    PROPOSALS = 1
    TRANSACTIONS = 2
    HELLO = 3
    BLOCKS_ANSWERED = 4
    BLOCKS_ASKED = 5
    INTRODUCTION = 6
    TIMEOUT = 7
    """No message: time passes for the core."""


_LANES: Final = {
    Surface.CONSENSUS: Lane.CONSENSUS,
    Surface.PROPOSALS: Lane.PROPOSALS,
    Surface.TRANSACTIONS: Lane.TRANSACTIONS,
}
_SIGNED: Final = 1 << 5
"""A scene with this bit has its votes and proposals signed by whom they name: what a dishonest validator can say."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One message."""

    surface: Surface
    by: int
    """Validator 1 to 4."""
    signed: bool
    data: bytes

    def encoded(self) -> bytes:
        """As in a story."""
        head = self.surface | (self.by - 1) << 3 | (_SIGNED if self.signed else 0)
        return bytes([head]) + len(self.data).to_bytes(2, "big") + self.data


def scenes_of(story: bytes) -> Iterator[Scene]:
    """At most ``SCENES_MAX``."""
    at = 0
    for _ in range(SCENES_MAX):
        if at + 3 > len(story):
            return
        head, length = story[at], int.from_bytes(story[at + 1 : at + 3], "big")
        data = story[at + 3 : at + 3 + length]
        yield Scene(Surface(head & 7), (head >> 3 & 3) + 1, bool(head & _SIGNED), data)
        at += 3 + length


def story_of(scenes: Iterable[Scene]) -> bytes:
    """The bytes of a story."""
    return b"".join(scene.encoded() for scene in scenes)


@dataclass(slots=True)
class Lived:
    """What came of a story."""

    taken: int = 0
    """Messages that were not refused."""
    refused: Counter[str] = field(default_factory=Counter)
    """The others, by reason."""
    committed: bool = False
    """Whether the core decided its height."""
    evidence: int = 0
    """Equivocations that it proved."""
    locked_round: int = NO_ROUND


def live_through(story: bytes) -> Lived:
    """Let a node take all of a story: each message is taken or refused with a reason.

    Raises whatever the node raises besides refusals, and ``AssertionError`` where something piles up or the core halts.
    """
    return trio.run(_live_through, story)


async def _live_through(story: bytes) -> Lived:
    node = _Node()
    for scene in scenes_of(story):
        try:
            await node.take(scene)
            node.lived.taken += 1
        except (MalformedMessageError, WireError, RpcError) as error:
            assert error.reason.isidentifier()  # noqa: PT017
            node.lived.refused[error.reason] += 1
        assert node.receiver.inbox.events.waiting(PEER.peer_id) == 0
        assert len(node.core.log) <= LOG_RECORDS_MAX
    node.lived.locked_round = node.core.core.view().locked_round
    return node.lived


class _Node:
    """Session, handshake, catching up and core of one node."""

    def __init__(self) -> None:
        self.receiver, self.core, self.lived = Receiver(), Table(), Lived()
        self._react(self.core.do("start"))

    async def take(self, scene: Scene) -> None:
        """One message."""
        match scene.surface:
            case Surface.CONSENSUS | Surface.PROPOSALS | Surface.TRANSACTIONS:
                await self.receiver.take(_LANES[scene.surface], scene.data)
                for message in await self.receiver.drain():
                    said = self._signed(message) if scene.signed else message
                    self._react(self.core.feed(InMessage(address_of(scene.by), said)))
            case Surface.HELLO:
                await _greet(scene.data)
            case Surface.BLOCKS_ANSWERED:
                last(read_committed(parse(peer_service_pb2.FetchBlocksResponse, scene.data, within_bounds)))
            case Surface.BLOCKS_ASKED:
                read_range(parse(peer_service_pb2.FetchBlocksRequest, scene.data, within_bounds))
            case Surface.INTRODUCTION:
                request = parse(introduction_service_pb2.IntroduceRequest, scene.data, within_bounds)
                is_node_key(request.public_key)
            case Surface.TIMEOUT:
                kind, round_ = (*scene.data[:2], 0, 0)[:2]
                timer = Timer(STEP_TIMERS[kind % len(STEP_TIMERS)], self.core.core.height, round_ % 4)
                self._react(self.core.feed(InTimeout(timer)))

    def _react(self, effects: list[Effect]) -> None:
        """What a host does: every block is valid, so that nothing can make the core halt."""
        for effect in effects:
            match effect:
                case DoValidateBlock(block):
                    self._react(self.core.feed(InBlockValidated(block.header.number, block.hash, None)))
                case DoReportPeer(_, error):
                    self.lived.refused[error.reason] += 1
                case DoReportEvidence():
                    self.lived.evidence += 1
                case DoCommit():
                    self.lived.committed = True
                case DoHalt(reason):
                    raise AssertionError(reason)

    def _signed(self, message: Message) -> Message:
        match message:
            case VotesMessage(votes):
                return VotesMessage(self._votes(votes))
            case RoundCertificate(height, round_, votes):
                return RoundCertificate(height, round_, self._votes(votes))
            case ProposalMessage(proposal, block, proof):
                return self.core.signed(proposal, block, self._votes(proof))
            case _:
                return message

    def _votes(self, votes: tuple[Vote, ...]) -> tuple[Vote, ...]:
        return tuple(map(self.core.resigned, votes))


async def _greet(data: bytes) -> None:
    async def stream() -> AsyncGenerator[Any, None]:
        yield parse(CONSENSUS.request, data, within_bounds)

    async with aclosing(stream()) as messages:
        await read_hello(messages, CHAIN, 1.0)


# ---------------------------------------------------------------- what a fuzzer begins with


def seeds() -> dict[str, bytes]:
    """Stories by name: every kind of message, and rounds as they go and as they go wrong."""
    stories = {f"said-{n}": story_of([_scene(1, lane, data)]) for n, (lane, data) in enumerate(SAID)}
    stories |= {
        "hello": story_of([Scene(Surface.HELLO, 1, False, write_session(HELLO).SerializeToString())]),
        "blocks-answered": story_of(
            [Scene(Surface.BLOCKS_ANSWERED, 1, False, write_committed(BLOCK, COMMIT).SerializeToString())]
        ),
        "blocks-asked": story_of([Scene(Surface.BLOCKS_ASKED, 1, False, write_range(1, 10).SerializeToString())]),
        "introduction": story_of([Scene(Surface.INTRODUCTION, 1, False, _introduction())]),
    }
    return stories | {name: story_of(scenes) for name, scenes in _rounds().items()}


def _rounds() -> dict[str, list[Scene]]:
    table = Table()
    table.do("start")
    turn = [int.from_bytes(table.core._height.proposer(round_), "big") for round_ in range(4)]
    first, second, third = [round_ for round_ in range(4) if turn[round_] != table.me]

    def say(by: int, message: Message) -> Scene:
        if isinstance(message, ProposalMessage):
            return _scene(by, Lane.PROPOSALS, write_proposal(message).SerializeToString())
        return _scene(by, Lane.CONSENSUS, write_control(message).SerializeToString())

    def proposed(name: str, round_: int, valid_round: int = NO_ROUND) -> Scene:
        return say(turn[round_], table.proposal(turn[round_], name, round_, valid_round))

    def votes(kind: VoteKind, name: str, round_: int, by: Iterable[int] = (1, 3, 4)) -> list[Scene]:
        return [say(n, VotesMessage((table.vote(n, kind, name, round_),))) for n in by]

    def over(round_: int) -> list[Scene]:
        return [Scene(Surface.TIMEOUT, 1, False, bytes([kind, round_])) for kind in range(3)]

    prevote, precommit = VoteKind.PREVOTE, VoteKind.PRECOMMIT
    enter = [scene for round_ in range(first) for scene in (*votes(precommit, "nil", round_), *over(round_))]
    polka = [*enter, proposed("A", first), *votes(prevote, "A", first)]
    ended = [s for r in range(first, second) for s in (*votes(precommit, "nil", r), *over(r))]
    certificate = RoundCertificate(1, third, tuple(table.vote(n, precommit, "nil", third - 1) for n in (1, 3, 4)))
    wanted = (None, table.blocks["A"].hash, bytes(32))
    return {
        "decided": [*polka, *votes(precommit, "A", first)],
        "locked": polka,
        "locked-and-lied-to": [
            *polka,
            *ended,
            proposed("B", second),
            *votes(prevote, "B", second, (1, 3)),
            *votes(prevote, "B", third),
        ],
        "proposed-again": [
            *polka,
            *ended,
            proposed("A", second, first),
            *votes(prevote, "A", second),
            *votes(precommit, "A", second),
        ],
        "two-proposals": [*enter, proposed("A", first), proposed("B", first), *votes(prevote, "B", first)],
        "two-votes": [*votes(prevote, "A", 0), *votes(prevote, "B", 0)],
        "skipped": [say(1, certificate), *votes(prevote, "nil", third, (1, 3)), proposed("C", third)],
        "ahead": [say(1, StatusMessage(9, 0, bytes(32))), say(3, VotesMessage((table.vote(3, prevote, "A", 0, 2),)))],
        "asked": [*enter, proposed("A", first), *(say(3, ProposalRequest(1, first, hash_)) for hash_ in wanted)],
    }


def _scene(by: int, lane: Lane, data: bytes) -> Scene:
    surface = next(surface for surface, of in _LANES.items() if of is lane)
    return Scene(surface, by, True, data)


def _introduction() -> bytes:
    return introduction_service_pb2.IntroduceRequest(public_key=PEER.public_key or b"").SerializeToString()
