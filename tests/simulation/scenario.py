"""A network of correct validators, and what scenarios do to it."""

from collections.abc import Callable

import pytest

from alatau.consensus.messages import Message
from tests.simulation.chain import Rules, address_of, equal_validators
from tests.simulation.checkers import Checkers
from tests.simulation.node import Node
from tests.simulation.world import World, votes_by_kind


def network(count: int, seed: int = 1, faulty: tuple[int, ...] = ()) -> World:
    """Validators v1 to vn, not started yet."""
    rules = Rules(((1, equal_validators(count)),))
    world = World(seed, rules, Checkers(rules, frozenset(address_of(n) for n in faulty)))
    for n in range(1, count + 1):
        world.add(f"v{n}", address_of(n))
    return world


def reach(world: World, height: int, for_ms: float = 30_000, nodes: list[Node] | None = None) -> None:
    """Run until these nodes have committed ``height``."""
    watched = nodes if nodes is not None else world.correct
    assert world.run(for_ms, lambda: min(n.disk.ledger.height for n in watched) >= height), world.heights()


def lose(world: World, monkeypatch: pytest.MonkeyPatch, dropped: Callable[[Node, Node, Message], bool]) -> None:
    """Drop exactly these messages."""
    transmit = World._transmit

    def selective(self: World, node: Node, other: Node, message: Message) -> None:
        for part in votes_by_kind(message):
            if not dropped(node, other, part):
                transmit(self, node, other, part)

    monkeypatch.setattr(World, "_transmit", selective)
