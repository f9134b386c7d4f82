"""One seed, one story: a random network lives through random faults, recovers, and does so again.

``simulate(seed)`` is a function of the seed alone; a seed that fails does so every time. A story has some acts. In
each there is trouble, then everything but liars is well again, and blocks must come within a bound. In the last one a
third of the power or more falls silent, and nothing may be decided until it is back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from alatau.types.chain_config import ConsensusParameters
from tests.simulation.adversary import Adversary
from tests.simulation.cast import Cast, choose_cast, name_of, silent_third
from tests.simulation.checkers import Checkers, Violation
from tests.simulation.node import Node
from tests.simulation.world import PARAMETERS, Faults, World

_RECOVERY_HEIGHTS: Final = 2
"""Blocks that every correct node must commit after each trouble."""

_DRIFT_MS: Final = 300
"""How far clocks differ that are right."""


@dataclass(frozen=True, slots=True)
class Story:
    """What a seed was about, for its report."""

    seed: int
    validators: int
    faulty: str
    heights: int
    round_max: int
    """Latest round in which a correct validator voted, at any height."""
    set_changes: int
    """Changes of the validator set that were decided over."""
    evidence: int
    recovery_ms: float
    """The longest wait for a block after a trouble."""
    bound_ms: float
    """How long it might have been."""
    features: frozenset[str]
    """Faults that struck, and what adversaries did."""


def recovery_bound_ms(parameters: ConsensusParameters, faulty_turns: int) -> int:
    """Within what time after the last fault every correct node has one more block.

    Every timeout is at its cap at worst. One rebroadcast brings all to the same height, another to the same round,
    and a sync request may go to each liar in vain. Then the round that runs may fail, those of faulty proposers do,
    and that of the first correct one decides. A round is three timeouts. Whoever has nothing to decide waits for the
    heartbeat. As many turns are faulty as the faulty have power.
    """
    longest = parameters.timeout_max_ms
    return parameters.heartbeat_ms + (2 + faulty_turns) * longest + (2 + faulty_turns) * 3 * longest


def simulate(seed: int, transcript: list[str] | None = None) -> Story:
    """Run one seed.

    Raises:
        Violation: a checker found something, or the network did not recover.
    """
    chance = Random(seed)
    cast = choose_cast(chance)
    world = World(seed, cast.rules, Checkers(cast.rules, cast.liars), transcript=transcript)
    story = Telling(world, cast, chance)
    world.start()
    for _ in range(chance.choice((1, 2, 2, 3))):
        story.trouble()
        story.recover()
    story.silence()
    story.recover()
    return story.end(seed)


class Telling:
    """A story while it is told."""

    def __init__(self, world: World, cast: Cast, chance: Random) -> None:
        self._world, self._cast, self._chance = world, cast, chance
        self._clients = dict.fromkeys(range(chance.randint(1, 3)), 0)
        self._slowest_ms = 0.0
        self._populate()

    def _populate(self) -> None:
        world, cast, chance = self._world, self._cast, self._chance
        for address in cast.addresses:
            skew_ms = chance.randint(-_DRIFT_MS, _DRIFT_MS)
            if cast.weak.get(address) == "clock off":
                skew_ms = chance.choice((-1, 1)) * chance.choice((3_000, 10_000, 3_600_000))
            node = world.add(name_of(address), address)
            world.jump(node, skew_ms)
            if cast.lie == "twins" and address in cast.liars:
                node.reckless = True
                world.add(f"{node.name}'", address, chance.randint(-_DRIFT_MS, _DRIFT_MS)).reckless = True
        if chance.random() < 0.3:
            world.add("observer", None)
        liars = {node for node in world.nodes if node.address in cast.liars and cast.lie in ("mutation", "split")}
        if chance.random() < 0.2:
            liars.add(world.add("outsider", None))
        if liars:
            boldness = chance.choice((0.2, 0.5, 1.0))
            world.adversary = Adversary(Random(world.seed), liars, boldness, splits=cast.lie == "split")

    # ------------------------------------------------------------ trouble

    def trouble(self) -> None:
        """Faults of every kind, changing every while."""
        world, chance = self._world, self._chance
        world.mortal = set(world.nodes) if chance.random() < 0.5 else set()
        match chance.randrange(8):
            case 0 | 1:
                self._stall()
                return
            case 2 | 3:
                self._lose_votes()
                return
        clocks = {node: node.skew_ms for node in world.nodes}
        for _ in range(chance.randint(2, 6)):
            self._disks()
            if chance.random() < 0.1:
                world.jump(chance.choice(world.nodes), chance.choice((-1, 1)) * chance.choice((2_500, 3_600_000)))
            self.worsen()
        for node, skew_ms in clocks.items():
            if node.skew_ms != skew_ms:
                world.jump(node, skew_ms)

    def worsen(self) -> None:
        """Other faults than before, for a while."""
        self._world.faults = _faults(self._chance)
        self._lines()
        self._pay()
        self._world.run(self._chance.randint(100, 900))

    def _stall(self) -> None:
        """No proposal arrives, and most precommits do not: rounds follow on rounds, locks on locks."""
        self._world.say("proposals are lost")
        self._pay()
        if self._chance.random() < 0.5:
            self._world.faults = Faults(precommit_loss=0.9)
            self._world.run(600)
        self._world.faults = Faults(proposal_loss=1.0, crash=0.002)
        self._world.run(6_500)
        self._world.happened["proposals lost"] += 1

    def _lose_votes(self) -> None:
        """Some see a polka and some do not, and nobody sees enough precommits: locks, and proposals against them."""
        self._world.say("votes are lost")
        for _ in range(4):
            self._pay()
            crash = self._chance.choice((0.0, 0.02))
            self._world.faults = Faults(loss=self._chance.choice((0.2, 0.4)), precommit_loss=0.7, crash=crash)
            self._world.run(1_000)
        self._world.happened["votes lost"] += 1

    def _lines(self) -> None:
        """Partitions, and lines that work one way only."""
        world, chance = self._world, self._chance
        match chance.randrange(6):
            case 0:
                world.partition([n for n in world.nodes if chance.random() < 0.5])
            case 1:
                world.partition([chance.choice(world.nodes)])
            case 2:
                for node in world.nodes:
                    for other in world.nodes:
                        if node is not other and chance.random() < 0.2:
                            world.cut(node, other)
            case 3:
                world.heal()

    def _disks(self) -> None:
        """What the disks of some lose while they are off."""
        world, cast, chance = self._world, self._cast, self._chance
        for node in world.nodes:
            if node.address is None or chance.random() >= 0.4:
                continue
            weakness = "empty" if cast.lie == "wipe" and node.address in cast.liars else cast.weak.get(node.address)
            if weakness in (None, "clock off"):
                continue
            world.kill(node)
            match weakness:
                case "empty":
                    world.wipe(node)
                case "log lost":
                    world.lose_log(node)
                case _:
                    world.age_sign_state(node, chance.randint(1, 3) if weakness == "old sign state" else None)
            world.start([node])

    def _pay(self) -> None:
        for client, nonce in list(self._clients.items()):
            if self._chance.random() < 0.7:
                self._world.pay(client, nonce, [n for n in self._world.nodes if self._chance.random() < 0.7])
                self._clients[client] = nonce + 1

    def silence(self) -> None:
        """So many fall silent that nothing can be decided any more but what they had said already."""
        world, chance = self._world, self._chance
        next_height = max(world.heights()) + 1
        sets = [world.rules.validators(height) for height in range(next_height - 1, next_height + 3)]
        silent = silent_third(chance, sets, self._cast.addresses)
        world.say("silent from now on: " + ", ".join(map(name_of, silent)))
        for node in world.nodes:
            if node.address in silent:
                world.kill(node)
        world.checkers.silent = frozenset(silent)
        world.faults = Faults(loss=chance.choice((0.0, 0.1)), delay_ms=chance.choice(((1.0, 8.0), (1.0, 100.0))))
        self._pay()
        world.run(2_000)
        if max(world.heights()) > next_height + 1:
            raise Violation(f"heights {world.heights()} with more than a third silent since {next_height}")
        world.checkers.silent = frozenset()
        world.happened["a third silent"] += 1

    # ------------------------------------------------------------ recovery

    def recover(self) -> None:
        """End the faults (liars go on, the weak stay weak); every correct node must go on, block after block."""
        world = self._world
        world.faults = Faults()
        world.mortal = set()
        world.heal()
        world.start([node for node in world.nodes if not node.up])
        world.say("all is well")
        bound_ms = self._bound_ms
        for _ in range(_RECOVERY_HEIGHTS):
            began, target = world.now_ms, max(world.heights()) + 1
            if not world.run(bound_ms, self._once_committed(lambda target=target: min(world.heights()) >= target)):  # type: ignore[misc]
                raise Violation(f"no recovery in {bound_ms} ms: heights {world.heights()}, wanted {target}")
            self._slowest_ms = max(self._slowest_ms, world.now_ms - began)
            self._pay_again()

    def _once_committed(self, holds: Callable[[], bool]) -> Callable[[], bool]:
        """The same, of what only a block can change: it is looked at after each block, not after each event."""
        looked_at = -1

        def until() -> bool:
            nonlocal looked_at
            if looked_at == self._world.commits:
                return False
            looked_at = self._world.commits
            return holds()

        return until

    @property
    def _bound_ms(self) -> int:
        return recovery_bound_ms(PARAMETERS, self._cast.faulty_turns)

    def _pay_again(self) -> None:
        """Clients whose payments were lost send them again, to everybody."""
        ledger = max((node.disk.ledger for node in self._world.correct), key=lambda ledger: ledger.height)
        for client, sent in self._clients.items():
            for nonce in range(ledger.next_nonce(client), sent):
                self._world.pay(client, nonce)

    def end(self, seed: int) -> Story:
        """Judge what can only be judged at the end."""
        world, cast = self._world, self._cast
        self._all_paid()
        for node in world.correct:
            world.checkers.kept(node.name, node.disk.ledger)
        liars = cast.liars | {_peer_id(node) for node in (world.adversary.nodes if world.adversary else ())}
        for node in world.correct:
            world.checkers.blamed(node.name, node.reports, frozenset(liars))
        evidence = world.checkers.accused(proof for node in world.correct for proof in node.evidence)
        height = max(world.heights())
        acts = set(world.happened) | (set(world.adversary.acts) if world.adversary else set())
        return Story(
            seed=seed,
            validators=len(cast.rules.validators(1).validators),
            faulty=cast.lie,
            heights=height,
            round_max=world.checkers.round_max,
            set_changes=sum(start <= height for start, _ in cast.rules.sets[1:]),
            evidence=evidence,
            recovery_ms=self._slowest_ms,
            bound_ms=self._bound_ms,
            features=frozenset(acts),
        )

    def _all_paid(self) -> None:
        """Whatever clients sent is in a block in the end: the block of a correct proposer, within the bound."""
        world = self._world
        self._pay_again()

        def paid() -> bool:
            return all(
                node.disk.ledger.next_nonce(client) >= sent
                for node in world.correct
                for client, sent in self._clients.items()
            )

        if not world.run(self._bound_ms, self._once_committed(paid)):
            raise Violation(f"payments {self._clients} are in no block {self._bound_ms} ms after all was well")


def _peer_id(node: Node) -> bytes:
    return node.address if node.address is not None else node.name.encode()


def _faults(chance: Random) -> Faults:
    return Faults(
        loss=chance.choice((0.0, 0.0, 0.05, 0.2, 0.5)),
        precommit_loss=chance.choice((0.0, 0.0, 0.0, 0.5, 0.9)),
        duplication=chance.choice((0.0, 0.1)),
        delay_ms=chance.choice(((1.0, 8.0), (1.0, 100.0), (50.0, 400.0))),
        crash=chance.choice((0.0, 0.01, 0.05)),
        slow_disk_ms=chance.choice((0.5, 0.5, 20.0)),
        slow_work_ms=chance.choice((5.0, 5.0, 100.0, 500.0)),
    )
