"""One seed, one story: a random network lives through random faults, then must recover.

``simulate(seed)`` is a function of the seed alone; a seed that fails does so every time.
"""

from dataclasses import dataclass
from random import Random

from alatau.types.validator import ValidatorSet, validator_set
from tests.simulation.adversary import Adversary
from tests.simulation.chain import Rules, address_of, equal_validators, validator
from tests.simulation.checkers import Checkers, Violation
from tests.simulation.node import Node
from tests.simulation.world import Faults, World

_TROUBLE_MS = 4_000
"""How long faults last: about ten blocks' time, five timeouts."""

_RECOVERY_MS = 60_000
"""How long recovery may take at most: forty times the longest timeout."""

_RECOVERY_HEIGHTS = 2
"""Blocks that every correct node must commit after the faults end."""


@dataclass(frozen=True, slots=True)
class Story:
    """What a seed was about, for its report."""

    seed: int
    validators: int
    faulty: str
    heights: int
    evidence: int
    recovery_ms: float


def simulate(seed: int, transcript: list[str] | None = None) -> Story:
    """Run one seed.

    Raises:
        Violation: a checker found something, or the network did not recover.
    """
    chance = Random(seed)
    rules = _rules(chance)
    first = rules.validators(1)
    kind, faulty = _faulty(chance, rules)
    world = World(seed, rules, Checkers(rules, faulty), transcript=transcript)
    _populate(world, chance, kind, faulty)
    world.start()
    _trouble(world, chance, kind)
    recovery_ms = _recover(world)
    proven = {e[0] for node in world.correct for e in node.evidence}
    for evidence in proven:
        author = getattr(evidence, "validator", None) or getattr(evidence, "proposer", None)
        if author not in faulty:
            raise Violation(f"a correct validator was accused: {evidence}")
    return Story(seed, len(first.validators), kind, max(world.heights()), len(proven), recovery_ms)


def _rules(chance: Random) -> Rules:
    """A validator set, which may change at some height: other powers, one in, one out."""
    count = chance.choice((1, 2, 3, 4, 4, 4, 5, 6, 7))
    if chance.random() < 0.3:
        powers = [chance.randint(1, 4) for _ in range(count)]
        first = validator_set(validator(n, p) for n, p in enumerate(powers, 1))
    else:
        first = equal_validators(count)
    if count < 4 or chance.random() < 0.6:
        return Rules(((1, first),))
    leaver = chance.randint(1, count)
    members = [n for n in range(1, count + 2) if n != leaver]
    second = validator_set(validator(n, max(1, first.power_of(address_of(n)))) for n in members)
    return Rules(((1, first), (chance.randint(3, 8), second)))


def _faulty(chance: Random, rules: Rules) -> tuple[str, frozenset[bytes]]:
    """Which kind of faulty validators there are, if any: together less than a third of every set.

    One whose disks are emptied again and again counts as one: it cannot keep a lock that it forgot.
    """
    kind = chance.choice(("none", "twins", "mutation", "wipe"))
    candidates = [v.address for v in rules.sets[0][1].validators]
    chance.shuffle(candidates)
    faulty: set[bytes] = set()
    for address in candidates:
        if all(_tolerates(validators, faulty | {address}) for _, validators in rules.sets):
            faulty.add(address)
            if chance.random() < 0.5:
                break
    return (kind, frozenset(faulty)) if faulty and kind != "none" else ("none", frozenset())


def _tolerates(validators: ValidatorSet, faulty: set[bytes]) -> bool:
    return sum(map(validators.power_of, faulty)) * 3 < validators.total_power


def _populate(world: World, chance: Random, kind: str, faulty: frozenset[bytes]) -> None:
    addresses = sorted({v.address for _, s in world.rules.sets for v in s.validators})
    for address in addresses:
        name = f"v{int.from_bytes(address, 'big')}"
        world.add(name, address, chance.randint(-300, 300))
        if kind == "twins" and address in faulty:
            world.nodes[-1].reckless = True
            world.add(f"{name}'", address, chance.randint(-300, 300)).reckless = True
    if chance.random() < 0.2:
        world.add("observer", None)
    if kind == "mutation":
        liars = {node for node in world.nodes if node.address in faulty}
        world.adversary = Adversary(Random(world.seed), liars, chance.choice((0.2, 0.5, 1.0)))


def _trouble(world: World, chance: Random, kind: str) -> None:
    """Faults of every kind, changing every while."""
    world.mortal = set(world.nodes) if chance.random() < 0.5 else set()
    forgetful = [n for n in world.nodes if n.address in world.checkers.faulty and kind == "wipe"]
    clients = dict.fromkeys(range(chance.randint(0, 3)), 0)
    spent = 0
    while spent < _TROUBLE_MS:
        world.faults = _faults(chance)
        match chance.randrange(5):
            case 0:
                world.partition([n for n in world.nodes if chance.random() < 0.5])
            case 1:
                world.partition([chance.choice(world.nodes)])
            case 2:
                world.heal()
        if forgetful and chance.random() < 0.3:
            node = chance.choice(forgetful)
            world.kill(node)
            world.wipe(node)
            world.start([node])
        for client, nonce in list(clients.items()):
            if chance.random() < 0.7:
                world.pay(client, nonce, [n for n in world.nodes if chance.random() < 0.7])
                clients[client] = nonce + 1
        phase = chance.randint(100, 900)
        world.run(phase)
        spent += phase


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


def _recover(world: World) -> float:
    """End the faults (liars go on) and wait until every correct node has gone on."""
    world.faults = Faults()
    world.mortal = set()
    world.heal()
    world.start([node for node in world.nodes if not node.up])
    began, target = world.now_ms, max(world.heights()) + _RECOVERY_HEIGHTS
    if not world.run(_RECOVERY_MS, lambda: min(world.heights()) >= target):
        raise Violation(f"no recovery in {_RECOVERY_MS} ms: heights {world.heights()}, wanted {target}")
    return world.now_ms - began


def named(nodes: list[Node]) -> str:
    """Names, for transcripts."""
    return ", ".join(node.name for node in nodes)
