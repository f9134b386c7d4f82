"""``make bench-consensus``: what consensus costs, by the simulation: the real core in virtual time.

Times are of a network whose messages take 1 to 8 ms, whose fsync takes 0.5 ms and whose blocks take 5 ms to build and
check (means of exponential distributions): they say how many steps of which kind a decision takes, on any machine
alike. What real processes on a real machine reach is ``make bench``'s to say.
"""

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "node"), str(_ROOT / "devnet")]

from alatau.build_form import FORM  # noqa: E402
from alatau.consensus.messages import Message, ProposalMessage  # noqa: E402  found through the path above
from alatau.types.block import Block  # noqa: E402
from alatau.types.vote import Commit  # noqa: E402
from alatau.wire.consensus import write_control, write_proposal  # noqa: E402
from tests.simulation.chain import Rules, address_of, equal_validators, payment  # noqa: E402
from tests.simulation.checkers import Checkers  # noqa: E402
from tests.simulation.node import Node  # noqa: E402
from tests.simulation.world import PARAMETERS, World  # noqa: E402

RESULT: Final = Path("build/bench/consensus.json")
SIZES: Final = (4, 7, 10, 16, 25)
SILENT_SIZES: Final = (4, 7)
RATIO_MAX: Final = 1.5
"""How much slower a network may be with f silent."""
GROWTH_MAX: Final = 1.25
"""How much larger the largest of the last third of a long run may be than that of the third before it."""
_WARM_UP_MS: Final = 3_000
"""Long enough for absent validators to be passed over."""
_WARM_UP_HEIGHTS: Final = 3
_CLIENTS: Final = 60
"""Each has one payment on its way: more than a block holds."""
_KEPT_BLOCKS: Final = 400
"""Blocks that a long run keeps, for what consensus looks back at: what is measured is the core, not the ledger."""
_PART_MS: Final = 1_000.0
_RECOVERIES: Final = 10
_RECOVERY_MAX_MS: Final = 60_000


class Bystander(Checkers):
    """Judges nothing, so that what it would remember is not measured. The campaigns judge (``make simulate``)."""

    def sent(self, message: Message) -> None:
        """See ``Checkers``."""

    def committed(self, block: Block, commit: Commit) -> None:
        """See ``Checkers``."""


@dataclass(slots=True)
class Measured(World):
    """A world that counts what is said and when heights are decided."""

    messages: int = 0
    size_bytes: int = 0
    proposed_at: dict[int, float] = field(default_factory=dict)
    decided_at: dict[int, list[float]] = field(default_factory=dict)
    waiting: dict[bytes, tuple[int, int, float]] = field(default_factory=dict)
    """Payments on their way by hash: client, nonce, when it was sent."""
    latencies_ms: list[float] = field(default_factory=list)
    _last: tuple[Message | None, int] = (None, 0)

    def _transmit(self, node: Node, other: Node, message: Message) -> None:
        if self._last[0] is not message:
            self._last = (message, _size_of(message))
        self.messages += 1
        self.size_bytes += self._last[1]
        if isinstance(message, ProposalMessage):
            self.proposed_at.setdefault(message.proposal.height, self.now_ms)
        World._transmit(self, node, other, message)  # noqa: SLF001  super() does not work in a class with slots

    def committed(self, node: Node, block: Block, commit: Commit) -> None:
        """See ``World``."""
        World.committed(self, node, block, commit)
        self.decided_at.setdefault(block.header.number, []).append(self.now_ms)
        for tx in block.transactions:
            found = self.waiting.pop(tx.hash, None)
            if found is not None:
                client, nonce, sent_at = found
                self.latencies_ms.append(self.now_ms - sent_at)
                self.send_payment(client, nonce + 1)

    def send_payment(self, client: int, nonce: int) -> None:
        """A client's next payment, when its last one is final."""
        from_chain = payment(client, nonce).hash
        self.waiting[from_chain] = (client, nonce, self.now_ms)
        self.pay(client, nonce, [node for node in self.nodes if node.up])

    def forget(self) -> None:
        """Begin to count."""
        self.messages = self.size_bytes = 0
        self.latencies_ms.clear()
        self.proposed_at.clear()
        self.decided_at.clear()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one height, with all validators up."""

    validators: int
    decide_ms_p50: float
    """From the first sending of the proposal until the last validator has committed."""
    decide_ms_max: float
    messages: float
    bytes: float
    """On the wire, before TLS and HTTP/2; payments that travel by themselves not counted."""
    bytes_without_load: float


@dataclass(frozen=True, slots=True)
class Silence:
    """A network at full load, healthy and with f of its validators dead."""

    validators: int
    silent: int
    payments_per_s: float
    payments_per_s_silent: float
    latency_ms: float
    """Mean from sending until the first node has committed."""
    latency_ms_silent: float

    @property
    def ratio(self) -> float:
        """How much worse the worse of the two is."""
        return max(self.payments_per_s / self.payments_per_s_silent, self.latency_ms_silent / self.latency_ms)


@dataclass(frozen=True, slots=True)
class Growth:
    """A long run of four at full load."""

    virtual_hours: float
    heights: int
    entries: tuple[int, ...]
    """Entries of all containers of the largest core and pool, at equal distances."""

    @property
    def ratio(self) -> float:
        """The largest of the last third to that of the third before."""
        third = max(1, len(self.entries) // 3)
        return max(self.entries[-third:]) / max(self.entries[-2 * third : -third] or self.entries[:1])


@dataclass(frozen=True, slots=True)
class Recovery:
    """A validator of four loses power under load and comes back a second later."""

    times: int
    ms_p50: float
    """From its start until it has committed what the others had decided by then."""
    ms_max: float


def network(count: int, seed: int = 1) -> Measured:
    """Validators v1 to vn, not started."""
    rules = Rules(((1, equal_validators(count)),))
    world = Measured(seed, rules, Bystander(rules, frozenset()))
    for number in range(1, count + 1):
        world.add(f"v{number}", address_of(number))
    return world


def load(world: Measured, clients: int = _CLIENTS) -> None:
    """Send the first payment of every client."""
    for client in range(clients):
        world.send_payment(client, 0)


def live(world: Measured, for_ms: float) -> None:
    """Let time pass, in parts: the events of one are bounded, and old blocks are let go of after each."""
    while for_ms > 0:
        world.run(min(for_ms, _PART_MS))
        for_ms -= _PART_MS
        _prune(world)


def reach(world: Measured, height: int) -> None:
    """Run until all have committed ``height``."""
    while min(world.heights()) < height:
        world.run(_PART_MS, lambda: min(world.heights()) >= height)


def cost(count: int, measured: int) -> Cost:
    """What a height costs with and without payments, over so many heights."""
    sizes = []
    for loaded in (False, True):
        world = network(count)
        world.start()
        if loaded:
            load(world, _CLIENTS // 6)
        reach(world, _WARM_UP_HEIGHTS)
        before = min(world.heights())
        world.forget()
        reach(world, before + measured)
        heights = min(world.heights()) - before
        sizes.append(world.size_bytes / heights)
    times = [
        max(world.decided_at[height]) - at
        for height, at in world.proposed_at.items()
        if len(world.decided_at.get(height, ())) == count
    ]
    return Cost(count, statistics.median(times), max(times), world.messages / heights, sizes[1], sizes[0])


def silence(count: int, for_ms: float) -> Silence:
    """Throughput and latency with and without f silent."""
    silent = (count - 1) // 3
    found = []
    for dead in (0, silent):
        world = network(count)
        world.start(world.nodes[: count - dead])
        load(world)
        live(world, _WARM_UP_MS)
        world.forget()
        live(world, for_ms)
        found.append((len(world.latencies_ms) / for_ms * 1_000, statistics.fmean(world.latencies_ms)))
    (rate, latency), (rate_silent, latency_silent) = found
    return Silence(count, silent, rate, rate_silent, latency, latency_silent)


def growth(hours: float, interval_ms: int, samples: int, advance: Callable[[], None]) -> Growth:
    """Containers of the core over a long run, a full block every ``interval_ms``."""
    world = network(4)
    for node in world.nodes:
        node.parameters = replace(PARAMETERS, block_interval_ms=interval_ms)
    world.start()
    load(world)
    entries = []
    for _ in range(samples):
        live(world, hours * 3_600_000 / samples)
        world.forget()
        entries.append(max(entries_of(node.core) + entries_of(node.pool) for node in world.nodes))
        advance()
    return Growth(hours, min(world.heights()), tuple(entries))


def recovery() -> Recovery:
    """Power off and on at ten moments."""
    world = network(4)
    world.start()
    load(world)
    live(world, _WARM_UP_MS)
    times = []
    for number in range(_RECOVERIES):
        node = world.nodes[number % 4]
        world.run(world.chance.uniform(100, 1_000))
        world.kill(node)
        world.run(1_000)
        goal = max(world.heights())
        world.start([node])
        began = world.now_ms
        back = world.run(_RECOVERY_MAX_MS, partial(_has, node, goal))
        assert back, f"{node.name} is not back after {_RECOVERY_MAX_MS} ms"
        times.append(world.now_ms - began)
    return Recovery(len(times), statistics.median(times), max(times))


def _has(node: Node, height: int) -> bool:
    return node.disk.ledger.height >= height


def entries_of(thing: object) -> int:
    """How many entries the containers have that ``thing`` holds, whatever it holds them through."""
    seen: set[int] = set()
    stack, count = [thing], 0
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, dict):
            count += len(item)
            stack += [*item.keys(), *item.values()]
        elif isinstance(item, list | set | frozenset | tuple) or type(item).__name__ == "deque":
            count += len(item)  # type: ignore[arg-type]
            stack += item  # type: ignore[arg-type]
        elif type(item).__module__.startswith(("alatau.consensus", "alatau.mempool")):
            stack += _members(item)
    return count


def _members(item: object) -> Iterator[Any]:
    names = {name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())}
    names |= set(getattr(item, "__dict__", ()))
    for name in names:
        if hasattr(item, name):
            yield getattr(item, name)


def _prune(world: World) -> None:
    """Let go of old blocks: one placeholder stands for them all."""
    for node in world.nodes:
        ledger = node.disk.ledger
        for height in range(ledger.height - _KEPT_BLOCKS, 0, -1):
            if ledger.blocks[height] is ledger.blocks[0]:
                break
            ledger.blocks[height] = ledger.blocks[0]
            ledger.commits[height] = None


def _size_of(message: Message) -> int:
    written = write_proposal(message) if isinstance(message, ProposalMessage) else write_control(message)
    return int(written.ByteSize())


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[], None]]:
    with click.progressbar(length=steps, label="consensus", file=sys.stderr) as bar:
        yield lambda: bar.update(1)


def _print(costs: list[Cost], silences: list[Silence], grown: Growth, back: Recovery) -> None:
    console = Console()
    table = Table("validators", "decide ms p50", "max", "messages/height", "bytes/height", "idle", box=None)
    for c in costs:
        table.add_row(
            str(c.validators), f"{c.decide_ms_p50:.1f}", f"{c.decide_ms_max:.1f}", f"{c.messages:.1f}",
            f"{c.bytes:,.0f}", f"{c.bytes_without_load:,.0f}",
        )  # fmt: skip
    console.print(table)
    table = Table("validators", "silent", "payments/s", "silent", "latency ms", "silent", "ratio", box=None)
    for s in silences:
        table.add_row(
            str(s.validators), str(s.silent), f"{s.payments_per_s:.0f}", f"{s.payments_per_s_silent:.0f}",
            f"{s.latency_ms:.0f}", f"{s.latency_ms_silent:.0f}", f"{s.ratio:.2f}",
        )  # fmt: skip
    console.print(table)
    console.print(
        f"{grown.virtual_hours:g} virtual hours, {grown.heights:,} heights: entries held {grown.entries[0]:,} to"
        f" {grown.entries[-1]:,}, growth {grown.ratio:.2f}"
    )
    console.print(f"back after kill -9, {back.times} times: {back.ms_p50:.0f} ms, at most {back.ms_max:.0f} ms")


@click.command()
@click.option("--hours", default=0.01, show_default=True, help="Virtual hours at full load; the issue's figure is 24.")
@click.option("--interval", default=1_000, show_default=True, help="Virtual ms between blocks then; a devnet has 200.")
@click.option("--heights", default=12, show_default=True, help="Heights over which messages are counted.")
@click.option("--seconds", default=5.0, show_default=True, help="Virtual seconds with and without silent validators.")
def main(hours: float, interval: int, heights: int, seconds: float) -> None:
    """Measure consensus in virtual time; ends with 1 where a bound is broken."""
    samples = max(12, int(hours * 2))
    with _progress(len(SIZES) + len(SILENT_SIZES) + samples + 1) as advance:
        costs, silences = [], []
        for count in SIZES:
            costs.append(cost(count, heights))
            advance()
        for count in SILENT_SIZES:
            silences.append(silence(count, seconds * 1_000))
            advance()
        grown = growth(hours, interval, samples, advance)
        back = recovery()
        advance()
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "build": FORM.build,
        "heights": [asdict(c) for c in costs],
        "silent": [asdict(s) | {"ratio": s.ratio} for s in silences],
        "growth": asdict(grown) | {"ratio": grown.ratio},
        "recovery": asdict(back),
    }
    RESULT.write_text(json.dumps(document, indent=2) + "\n")
    _print(costs, silences, grown, back)
    click.echo(f"written to {RESULT}", err=True)
    broken = [f"{s.silent} silent of {s.validators}: {s.ratio:.2f} times" for s in silences if s.ratio > RATIO_MAX]
    if grown.ratio > GROWTH_MAX:
        broken.append(f"containers grow: {grown.ratio:.2f} times in the last third")
    for line in broken:
        click.echo(f"bound broken: {line}", err=True)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
