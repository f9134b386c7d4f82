"""A light client over several nodes, none of which is trusted: fail-over, and comparing what they say.

One node is asked until it lies or does not answer; then the next takes over with what is believed so far. A new head
is compared with every other node's: a node that shows another block for the same height lies, unless that block is
decided by a valid commit too; then the network itself is broken, and both commits are the evidence of it.
(Tendermint's detector of attacks on light clients, arXiv 2010.07031, section 5.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from alatau.client import queries
from alatau.client.errors import EquivocationError, NodeUntrustworthyError
from alatau.client.exchange import Plan
from alatau.client.light import LightClient, TrustedHeader
from alatau.codec import rlp
from alatau.transport.errors import Code, RpcError
from alatau.types.header import encode_header, header_hash
from alatau.types.vote import Commit, commit_item
from alatau.wire.block import BlockView

T = TypeVar("T")

_NO_FAULT: Final = frozenset({"HEIGHT_NOT_REACHED"})
"""What an honest node that is behind says."""
_UNANSWERED: Final = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.RESOURCE_EXHAUSTED})
"""Errors after which another node may do better."""
_ELSEWHERE: Final = frozenset({"STATE_PRUNED", "NODE_SYNCING", "HEIGHT_NOT_REACHED"})
"""The same, by reason."""
_BEHIND_MAX: Final = 2
"""Blocks that a node may be behind another without being told of: they decide while they are asked."""


class Runner(Protocol):
    """Carries plans out: a ``SyncClient`` of one endpoint."""

    def run(self, plan: Plan[T]) -> T:
        """See ``SyncClient.run``."""


@dataclass(frozen=True, slots=True)
class Node:
    """One of the nodes that are asked."""

    endpoint: str
    client: Runner


@dataclass(frozen=True, slots=True)
class Opinion:
    """What another node said of the head."""

    endpoint: str
    agrees: bool | None
    """None where it has no such block yet, or does not answer."""
    words: str


@dataclass(slots=True)
class CrossChecked:
    """Carries a light client's plans out over several nodes."""

    light: LightClient
    nodes: Sequence[Node]
    liars: dict[str, str] = field(default_factory=dict)
    """Endpoints that were left for lying, and what they were caught at. They are not asked again."""
    _current: int = 0

    @property
    def endpoint(self) -> str:
        """The node in use."""
        return self.nodes[self._current].endpoint

    def run(self, plan: Callable[[LightClient], Plan[T]]) -> T:
        """Carry a plan out; begins it again at the next node where one lies or does not answer.

        Raises:
            NodeUntrustworthyError, RpcError: what the last of them did.
        """
        last: Exception | None = None
        for _ in self.nodes:
            node = self.nodes[self._current]
            if node.endpoint not in self.liars:
                try:
                    return node.client.run(plan(self.light))
                except NodeUntrustworthyError as error:
                    last = error
                    self.liars[node.endpoint] = str(error)
                except RpcError as error:
                    last = error
                    if error.code not in _UNANSWERED and error.reason not in _ELSEWHERE:
                        raise
            self._current = (self._current + 1) % len(self.nodes)
        if last is None:
            lies = "; ".join(f"{endpoint}: {what}" for endpoint, what in self.liars.items())
            raise NodeUntrustworthyError(f"every node lied: {lies}. Name another with --node")
        raise last

    def advance(self) -> list[Opinion]:
        """Believe the newest head that any node proves, and compare it with the others'.

        Raises:
            EquivocationError: two nodes prove different blocks for one height.
            NodeUntrustworthyError, RpcError: no node shows a head that follows from what is trusted.
        """
        before = self.light.trusted
        self.run(lambda light: light.advance())
        opinions = [
            self._opinion(node, before)
            for node in self.nodes
            if node.endpoint != self.endpoint and node.endpoint not in self.liars
        ]
        ahead = [node for node in self.nodes if any(o.agrees and o.endpoint == node.endpoint for o in opinions)]
        shown = self.light.trusted.header.number
        for node in ahead:
            self._advance_by(node)
        behind = self.light.trusted.header.number - shown
        if behind > _BEHIND_MAX:
            opinions.append(Opinion(self.endpoint, None, f"is {behind} blocks behind or withholds them"))
        return opinions

    def _advance_by(self, node: Node) -> None:
        """Believe what a node proves beyond the head, if it is ahead."""
        try:
            node.client.run(self.light.advance())
        except NodeUntrustworthyError as error:
            self.liars[node.endpoint] = str(error)
        except RpcError as error:
            if error.code not in _UNANSWERED and error.reason not in _ELSEWHERE:
                raise

    def _opinion(self, node: Node, before: TrustedHeader) -> Opinion:
        head = self.light.trusted
        height = head.header.number
        try:
            record = node.client.run(queries.block(height, BlockView.HEADER))
            if header_hash(record.header) == head.hash:
                return Opinion(node.endpoint, True, "agrees")
            other = self._follow(node, before, height)
        except RpcError as error:
            behind = error.reason in _NO_FAULT
            return Opinion(node.endpoint, None, "is behind" if behind else f"does not answer: {error}")
        except (NodeUntrustworthyError, ValueError) as error:
            self.liars[node.endpoint] = str(error)
            return Opinion(node.endpoint, False, f"lies: {error}")
        if other.hash == head.hash:
            return Opinion(node.endpoint, True, "agrees")
        evidence, signers = _evidence((self.endpoint, head), (node.endpoint, other))
        raise EquivocationError(height, evidence, signers)

    def _follow(self, node: Node, before: TrustedHeader, height: int) -> TrustedHeader:
        """What the same trust leads to at another node."""
        mine = self.light
        witness = LightClient(
            mine.chain_id,
            mine.genesis_hash,
            before,
            trusting_period_s=mine.trusting_period_s,
            sequential=mine.sequential,
            clock=mine.clock,
        )
        if before.header.number < height:
            return node.client.run(witness.header_at(height))
        shown = node.client.run(witness.rival())
        if shown is None:
            raise NodeUntrustworthyError(f"its block {height} is decided by strangers")
        return shown


def _evidence(*sides: tuple[str, TrustedHeader]) -> tuple[dict[str, Any], int]:
    """Both blocks with their commits, and how many signed both."""
    commits = [side.commit for _, side in sides]
    signers = [set() if c is None else {entry.validator for entry in c.signatures} for c in commits]
    both = sorted(set.intersection(*signers))
    return {
        "height": sides[0][1].header.number,
        "blocks": [
            {
                "node": endpoint,
                "hash": side.hash,
                "round": None if side.commit is None else side.commit.round,
                "header": encode_header(side.header),
                "commit": _encoded(side.commit),
            }
            for endpoint, side in sides
        ],
        "signed_both": both,
        "same_round": len({c.round for c in commits if c is not None}) == 1,
    }, len(both)


def _encoded(commit: Commit | None) -> bytes:
    return b"" if commit is None else rlp.encode(commit_item(commit))
