"""The world around the nodes: one event heap, one source of chance, and everything that can go wrong."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from alatau.consensus.effects import Effect
from alatau.consensus.inputs import InMessage, InPeerConnected, InPeerDisconnected
from alatau.consensus.messages import Message, ProposalMessage, RoundCertificate, VotesMessage
from alatau.types.block import Block
from alatau.types.chain_config import ConsensusParameters
from alatau.types.vote import Commit, VoteKind
from tests.simulation.adversary import Adversary
from tests.simulation.chain import GENESIS_SECONDS, Ledger, Rules, address_of, payment
from tests.simulation.checkers import Checkers, Violation
from tests.simulation.disk import Disk
from tests.simulation.node import Fetched, Node
from tests.simulation.transcript import in_words

PARAMETERS = ConsensusParameters(
    block_interval_ms=100,
    heartbeat_ms=800,
    timeout_propose_ms=300,
    timeout_vote_ms=150,
    timeout_delta_ms=100,
    timeout_max_ms=1_500,
    clock_drift_ms_max=2_000,
    absent_commits=6,
)

_STEPS_MAX = 400_000
"""Events of one run: far more than any needs, so that a loop without an end is found and not waited for."""


@dataclass(slots=True)
class Faults:
    """How bad the world is now. Chances are per message, per effect or per second."""

    loss: float = 0.0
    precommit_loss: float = 0.0
    """Loss of messages that carry precommits: locks without decisions, where most mistakes hide."""
    proposal_loss: float = 0.0
    """Loss of proposals alone: rounds that end in nil, one after the other."""
    duplication: float = 0.0
    delay_ms: tuple[float, float] = (1.0, 8.0)
    crash: float = 0.0
    """Chance at each effect of a node that may crash."""
    down_ms: tuple[float, float] = (50.0, 1_500.0)
    slow_disk_ms: float = 0.5
    slow_work_ms: float = 5.0


@dataclass(slots=True, eq=False)
class World:
    """The network of one run."""

    seed: int
    rules: Rules
    checkers: Checkers
    faults: Faults = field(default_factory=Faults)
    nodes: list[Node] = field(default_factory=list)
    adversary: Adversary | None = None
    groups: dict[Node, int] = field(default_factory=dict)
    """Nodes hear only those of their group."""
    cuts: set[tuple[Node, Node]] = field(default_factory=set)
    """Lines that carry nothing from the one to the other; the way back may be open."""
    mortal: set[Node] = field(default_factory=set)
    """Nodes that may crash."""
    happened: Counter[str] = field(default_factory=Counter)
    """How often which fault struck."""
    commits: int = 0
    """How many blocks were made durable, each counted on every node."""
    transcript: list[str] | None = None
    """Lines of what happened, where a test wants to read it."""
    chance: Random = field(init=False)
    _now_ms: float = GENESIS_SECONDS * 1_000.0
    _heap: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    _kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Seed the one source of chance."""
        self.chance = Random(self.seed)

    # ------------------------------------------------------------ time

    @property
    def now_ms(self) -> float:
        """True time; each node's clock differs by its skew."""
        return self._now_ms

    def after(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Do something later."""
        self._count += 1
        heappush(self._heap, (self._now_ms + delay_ms, self._count, action))

    def run(self, for_ms: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass; whether ``until`` came true."""
        end = self._now_ms + for_ms
        steps = 0
        while self._heap and self._heap[0][0] <= end:
            self._now_ms, _, action = heappop(self._heap)
            action()
            if until():
                return True
            steps += 1
            if steps > _STEPS_MAX:
                raise Violation(f"{steps} events in {for_ms} ms: something never rests")
        self._now_ms = end
        return until()

    def lasts(self, node: Node, work: str) -> float:
        """How long work takes, on a disk or processor as slow as it is now."""
        slow = self.faults.slow_disk_ms if work in ("fsync", "commit") else self.faults.slow_work_ms
        return self.chance.expovariate(1 / slow) if slow else 0.0

    # ------------------------------------------------------------ nodes

    def add(self, name: str, address: bytes | None, skew_ms: int = 0) -> Node:
        """A node with an empty disk."""
        node = Node(name, address, Disk(Ledger(self.rules)), PARAMETERS, self, skew_ms)
        self.nodes.append(node)
        self.groups[node] = 0
        return node

    def start(self, nodes: Iterable[Node] | None = None) -> None:
        """Power on, and connect to whoever is up."""
        for node in nodes if nodes is not None else self.nodes:
            self.checkers.starts(node.name, node.disk.ledger)
            node.start()
            self.say(f"{node.name} starts at height {node.disk.ledger.height + 1}")
            self._connect(node)

    def _connect(self, node: Node) -> None:
        for other in self.nodes:
            if other.up and other is not node and self._hear(node, other):
                other.take(InPeerConnected(_peer_id(node)))
                node.take(InPeerConnected(_peer_id(other)))

    def kill(self, node: Node) -> None:
        """Power off, for good if it was about to come back: what was not flushed is torn."""
        self._kills[node.name] += 1
        if node.up:
            node.stop()
            node.disk.crash(self.chance)
            self.say(f"{node.name} loses power")
            for other in self.nodes:
                if other.up and self._hear(node, other):
                    other.take(InPeerDisconnected(_peer_id(node)))

    def wipe(self, node: Node) -> None:
        """Give a node that is off an empty disk."""
        assert not node.up
        node.disk = Disk(Ledger(self.rules))
        self.checkers.emptied(node.name)
        self.happened["empty disk"] += 1
        self.say(f"{node.name} gets an empty disk")

    def lose_log(self, node: Node) -> None:
        """Take the log from a node that is off: a damaged folder that was removed."""
        assert not node.up
        node.disk.log.clear()
        self.happened["log lost"] += 1
        self.say(f"{node.name} loses its log")

    def age_sign_state(self, node: Node, age: int | None) -> None:
        """Give a node that is off the sign state of some heights ago, or none."""
        assert not node.up
        past = node.disk.past_sign_states
        node.disk.sign_state = past[max(0, len(past) - 1 - age)] if age is not None and len(past) > 1 else None
        self.happened["old sign state" if node.disk.sign_state is not None else "no sign state"] += 1
        self.say(f"{node.name} gets the sign state {node.disk.sign_state}")

    def jump(self, node: Node, skew_ms: int) -> None:
        """Set a node's clock."""
        node.skew_ms = skew_ms
        if abs(skew_ms) > node.parameters.clock_drift_ms_max:
            self.happened["clock off"] += 1
        self.say(f"{node.name}'s clock is {skew_ms} ms off")

    def partition(self, *groups: Iterable[Node]) -> None:
        """Split the network; nodes not named stay together."""
        self.groups = dict.fromkeys(self.nodes, 0)
        for number, group in enumerate(groups, 1):
            self.groups.update(dict.fromkeys(group, number))
        self.happened["partition"] += 1
        self.say("partition: " + " | ".join(self._names(number) for number in range(len(groups) + 1)))

    def _names(self, number: int) -> str:
        return ", ".join(node.name for node in self.nodes if self.groups[node] == number) or "nobody"

    def cut(self, node: Node, other: Node) -> None:
        """Let one hear the other no more, though it is still heard itself."""
        self.cuts.add((node, other))
        self.happened["one-way cut"] += 1
        self.say(f"{other.name} does not hear {node.name}")

    def heal(self) -> None:
        """Everybody hears everybody again, and notices."""
        before, self.groups = self.groups, dict.fromkeys(self.nodes, 0)
        cut, self.cuts = self.cuts, set()
        self.say("everybody hears everybody")
        for node in self.nodes:
            for other in self.nodes:
                if (
                    node is not other
                    and node.up
                    and other.up
                    and (before[node] != before[other] or (other, node) in cut)
                ):
                    node.take(InPeerConnected(_peer_id(other)))

    def crashes(self, node: Node, effect: Effect, where: str = "before") -> bool:
        """Whether the power fails now; it comes back."""
        if node not in self.mortal or self.chance.random() >= self.faults.crash:
            return False
        self.kill(node)
        self.happened["crash" if where == "before" else "crash between log and sign state"] += 1
        self.say(f"{node.name} lost it {where} {type(effect).__name__}")
        kills = self._kills[node.name]
        self.after(self.chance.uniform(*self.faults.down_ms), lambda: self._revive(node, kills))
        return True

    def _revive(self, node: Node, kills: int) -> None:
        """The power comes back, unless something else has switched the node off since."""
        if not node.up and kills == self._kills[node.name]:
            self.start([node])

    def say(self, line: str) -> None:
        """Write a line of the transcript."""
        if self.transcript is not None:
            elapsed = self._now_ms - GENESIS_SECONDS * 1_000
            self.transcript.append(f"{elapsed:7.0f} ms  {line}")

    # ------------------------------------------------------------ messages

    def _hear(self, one: Node, other: Node) -> bool:
        return self.groups[one] == self.groups[other]

    def broadcast(self, node: Node, message: Message) -> None:
        """Hand a message to everybody but the sender."""
        if self.transcript is not None:
            self.say(f"{node.name}: {in_words(message)}")
        if self.adversary is None or node not in self.adversary.nodes:
            self.checkers.sent(message)  # Said, even where nobody is there to hear it: a lone validator decides too.
        for other in self.nodes:
            if other is not node:
                self._deliver(node, other, message)

    def send(self, node: Node, peer: bytes, message: Message) -> None:
        """Hand a message to the node, or the twins, with this id."""
        if self.transcript is not None:
            self.say(f"{node.name} to {named(peer)}: {in_words(message)}")
        for other in self.nodes:
            if _peer_id(other) == peer and other is not node:
                self._deliver(node, other, message)

    def _deliver(self, node: Node, other: Node, message: Message) -> None:
        if node.address is not None and node.address == other.address:
            return  # Twins know nothing of each other.
        if self.adversary is not None and node in self.adversary.nodes:
            messages = self.adversary.corrupt(node, other, message)
            if self.transcript is not None and messages != [message]:
                told = " / ".join(map(in_words, messages)) or "nothing"
                self.say(f"{node.name} lies to {other.name}: {told}")
        else:
            messages = [message]
        if self.adversary is not None:
            self.adversary.overhear(message)
        for said in messages:
            self.checkers.sent(said)
            self._transmit(node, other, said)

    def _transmit(self, node: Node, other: Node, message: Message) -> None:
        parts = votes_by_kind(message) if self.faults.precommit_loss else [message]
        if len(parts) > 1:
            for part in parts:
                self._transmit(node, other, part)
            return
        loss = self.faults.loss
        if self.faults.precommit_loss and _carries_precommit(message):
            loss = max(loss, self.faults.precommit_loss)
        if self.faults.proposal_loss and isinstance(message, ProposalMessage):
            loss = max(loss, self.faults.proposal_loss)
        event = InMessage(_peer_id(node), message)
        copies = 1 + (self.chance.random() < self.faults.duplication)
        for _ in range(copies):
            if self._hear(node, other) and self.chance.random() >= loss and (node, other) not in self.cuts:
                self.after(self.chance.uniform(*self.faults.delay_ms), lambda: other.take(event))

    def fetch(self, node: Node, peer: bytes, height: int) -> None:
        """Block sync: served by whoever has the id, over the same bad lines."""
        served: tuple[tuple[Block, Commit], ...] = ()
        for other in self.nodes:
            lines = {(node, other), (other, node)}
            if _peer_id(other) == peer and other.up and self._hear(node, other) and not lines & self.cuts:
                blocks = other.blocks_from(height)
                if self.adversary is not None and other in self.adversary.nodes:
                    blocks = self.adversary.serve(blocks)
                self.checkers.served(commit for _, commit in blocks)
                served = tuple(blocks)
        if self.chance.random() < self.faults.loss:
            served = ()
        life = node._life
        delay = 2 * self.chance.uniform(*self.faults.delay_ms)
        self.after(delay, lambda: node.take(Fetched(peer, served)) if node._life == life else None)

    def committed(self, node: Node, block: Block, commit: Commit) -> None:
        """Tell the checkers what a correct node made durable."""
        self.commits += 1
        if self.transcript is not None:
            self.say(f"{node.name} commits height {block.header.number} of round {commit.round}")
        if node.address not in self.checkers.faulty:
            self.checkers.committed(block, commit)
            self.checkers.acknowledged(node.name, block)

    # ------------------------------------------------------------ clients

    def pay(self, client: int, nonce: int, nodes: Iterable[Node] | None = None) -> None:
        """A client sends a payment to all nodes, or to some, which gossip it reliably enough."""
        tx = payment(client, nonce)
        for node in nodes if nodes is not None else self.nodes:
            self.after(self.chance.uniform(*self.faults.delay_ms), lambda n=node: n.submit(tx))  # type: ignore[misc]

    @property
    def correct(self) -> list[Node]:
        """Nodes that follow the protocol."""
        return [node for node in self.nodes if node.address not in self.checkers.faulty]

    def heights(self) -> list[int]:
        """How far each correct node's chain reaches."""
        return [node.disk.ledger.height for node in self.correct]


def _peer_id(node: Node) -> bytes:
    return node.address if node.address is not None else node.name.encode()


def votes_by_kind(message: Message) -> list[Message]:
    """Votes of one message, apart by kind: a prevote that travels with a precommit is not lost with it."""
    if not isinstance(message, VotesMessage):
        return [message]
    kinds = dict.fromkeys(vote.kind for vote in message.votes)
    return [VotesMessage(tuple(vote for vote in message.votes if vote.kind is kind)) for kind in kinds]


def named(peer: bytes) -> str:
    """A peer's name by its id."""
    return f"v{int.from_bytes(peer, 'big')}" if len(peer) == len(address_of(0)) else peer.decode()


def _carries_precommit(message: Message) -> bool:
    if not isinstance(message, VotesMessage | RoundCertificate):
        return False
    return any(vote.kind is VoteKind.PRECOMMIT for vote in message.votes)
