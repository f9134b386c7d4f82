"""``make bench-hostile``: what the slowest code costs honest payments, sent by a deployer or proposed by a validator.

Four validators, honest clients all the time: calm, then an account that may deploy keeps the pools full of the slowest
creations, then the last validator is a dishonest proposer whose blocks are full of them. Its own rounds fail until it
is passed over, and then once in a while. Writes ``build/bench/hostile.json``.
"""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import trio
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from alatau.build_form import FORM
from alatau_devnet.attack.campaign import attack_from_outside, has_forked, height_at, late_heights
from alatau_devnet.attack.honest import Honest, Phase, open_honest
from alatau_devnet.attack.processes import heavy_proposals
from alatau_devnet.attack.watchers import Watch
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet, DevnetNode, create_network, remove_network, start_nodes, stop_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.watch import client_of, wait_until_deciding

RESULT: Final = Path("build/bench/hostile.json")
_FOLDER: Final = Path("build/bench/hostile-network")
P95_RATIO_MAX: Final = 2.0
HELD_MS_MAX: Final = 20.0
_WARM_UP_S: Final = 3.0
_SETTLE_S: Final = 45.0
_AT_FIRST: Final = "a proposer, at first"
"""Until it is passed over each of its turns costs a round by its timeouts, whatever it does: told, and not judged."""
_LONG: Final = 4
"""How many times as long the last phase is: a failing proposer is tried again after 40 s."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What honest clients saw in one phase."""

    name: str
    payments: int
    p50_ms: float
    p95_ms: float
    unfinished: int
    """Payments that never became final."""
    failed_rounds: int
    """Blocks that honest proposers failed to get decided in their round."""
    own_rounds_failed: int
    """The same of the dishonest proposer."""
    held_ms_max: float
    """Longest turn of an honest validator's event loop: the bound of the histogram's bucket that it fell into."""
    others_share: float
    """Share of the machine that went to other work: with a quarter or more, times prove nothing."""


@dataclass(slots=True)
class Bench:
    """A network under way with its honest clients, and what its phases came to so far."""

    network: Devnet
    honest: Honest
    watch: Watch
    phases: list[tuple[Phase, Stretch]] = field(default_factory=list)

    async def phase(self, name: str, during: Callable[[], Awaitable[object]], offered: Callable[[], int]) -> None:
        """Measure while ``during`` runs; ``offered`` counts the blocks that a dishonest proposer has offered by now."""
        witness, own = self.network.nodes[1], self.network.nodes[-1].voting_address
        from_height, from_offer, before = await height_at(witness), offered(), await self._held()
        seen, use = self.honest.begin(), self.watch.begin()
        await during()
        self.honest.begin()
        self.watch.begin()
        height, offers = await height_at(witness), offered() - from_offer
        held = longest(before, await self._held())
        failed = len(await trio.to_thread.run_sync(late_heights, witness, from_height, height))
        decided = await trio.to_thread.run_sync(_built_by, witness, own, from_height, height) if offers else 0
        own_failed = min(failed, max(0, offers - decided))
        stretch = Stretch(name, 0, 0.0, 0.0, 0, failed - own_failed, own_failed, held * 1_000, use.others_share)
        self.phases.append((seen, stretch))

    async def stretches(self) -> list[Stretch]:
        """All phases, once their payments have settled."""
        made = []
        for seen, stretch in self.phases:
            await seen.settled(_SETTLE_S)
            made.append(
                replace(
                    stretch,
                    payments=len(seen.latencies_s),
                    p50_ms=round(seen.p50_ms, 1),
                    p95_ms=round(seen.p95_ms, 1),
                    unfinished=seen.open,
                )
            )
        return made

    async def _held(self) -> list[dict[float, float]]:
        return [await trio.to_thread.run_sync(_held_by, node) for node in self.network.nodes[:-1]]


async def measure(network: Devnet, seconds: float) -> list[Stretch]:
    """All phases on a running network."""
    watch = Watch(network)
    async with open_honest(network, network.nodes[:-1]) as honest, trio.open_nursery() as nursery:
        nursery.start_soon(watch.follow)
        await trio.sleep(_WARM_UP_S)
        bench = Bench(network, honest, watch)
        wait = partial(trio.sleep, seconds)
        await bench.phase("calm", wait, _none)
        await bench.phase("a deployer", partial(_deploy, network, seconds, watch), _none)
        await trio.sleep(_WARM_UP_S)
        async with heavy_proposals(network) as offered:
            await bench.phase(_AT_FIRST, wait, offered)
            await bench.phase("a proposer, passed over", partial(trio.sleep, _LONG * seconds), offered)
        stretches = await bench.stretches()
        nursery.cancel_scope.cancel()
    if await trio.to_thread.run_sync(has_forked, network):
        raise DevnetError("two validators have different blocks at one height")
    return stretches


def report_of(stretches: Sequence[Stretch]) -> dict[str, Any]:
    """The document that is written."""
    calm, attacks = stretches[0], [s for s in stretches[1:] if s.name != _AT_FIRST]
    return {
        "build": FORM.build,
        "loop_held_ms_max": max(s.held_ms_max for s in stretches),
        "honest_p95_ratio": round(max(s.p95_ms for s in attacks) / calm.p95_ms, 2),
        "rounds_failed": sum(s.failed_rounds for s in stretches),
        "unfinished": sum(s.unfinished for s in stretches),
        "phases": [asdict(s) for s in stretches],
    }


def broken_bounds(report: Mapping[str, Any]) -> list[str]:
    """What goes beyond what is promised, in words."""
    broken = []
    if report["loop_held_ms_max"] > HELD_MS_MAX:
        broken.append(f"a turn of an event loop lasted longer than {HELD_MS_MAX:g} ms")
    if report["honest_p95_ratio"] > P95_RATIO_MAX:
        broken.append(f"honest payments took {report['honest_p95_ratio']:.2f} times as long")
    if report["rounds_failed"]:
        broken.append(f"{report['rounds_failed']} rounds of honest proposers failed")
    if report["unfinished"]:
        broken.append(f"{report['unfinished']} honest payments never became final")
    return broken


def longest(before: Sequence[Mapping[float, float]], after: Sequence[Mapping[float, float]]) -> float:
    """Seconds that the longest turn between two readings lasted at most, over all nodes; 0 where there was none."""
    found = 0.0
    for first, second in zip(before, after, strict=True):
        counts = {bound: count - first[bound] for bound, count in second.items()}
        everything = counts[max(counts)]
        if everything:
            found = max(found, min(bound for bound, count in counts.items() if count == everything))
    return found


async def _deploy(network: Devnet, seconds: float, watch: Watch) -> None:
    _, error = await attack_from_outside(network.folder, "heavy-codes", seconds, watch)
    if error:
        raise DevnetError(f"the deployer failed: {error}")


def _none() -> int:
    return 0


def _held_by(node: DevnetNode) -> dict[float, float]:
    """How many turns of a node's loop lasted at most so many seconds."""
    with urlopen(f"http://{node.metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "event_loop_held_seconds_bucket"
    }


def _built_by(witness: DevnetNode, builder: bytes, after: int, until: int) -> int:
    """Blocks in a range that were decided in their first round and are this validator's."""
    with client_of(witness) as client:
        heights = range(after + 1, until + 1)
        return sum(client.block(h).header.beneficiary == builder and not client.commit(h).round for h in heights)


def _table(stretches: Sequence[Stretch]) -> Table:
    table = Table(title="Honest payments while the slowest code runs")
    for name in ("", "payments", "p50", "p95", "failed rounds", "its own", "loop held at most", "other work"):
        table.add_column(name, justify="left" if not name else "right")
    for s in stretches:
        times = (f"{s.p50_ms:,.0f} ms", f"{s.p95_ms:,.0f} ms")
        rounds = (str(s.failed_rounds), str(s.own_rounds_failed))
        table.add_row(s.name, f"{s.payments:,}", *times, *rounds, f"{s.held_ms_max:g} ms", f"{s.others_share:.0%}")
    return table


def main() -> int:
    """Run it; 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each phase lasts")
    parser.add_argument("--keep", action="store_true", help="leave the network's folder and logs")
    arguments = parser.parse_args()
    network = create_network(_FOLDER, DevnetOptions(residents=64))
    try:
        start_nodes(network)
        wait_until_deciding(network)
        stretches = trio.run(measure, network, arguments.seconds)
    finally:
        stop_nodes(network)
        if not arguments.keep:
            remove_network(_FOLDER)
    report = report_of(stretches)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=2) + "\n")
    Console().print(_table(stretches))
    print(f"written to {RESULT}", file=sys.stderr)
    broken = broken_bounds(report)
    for line in broken:
        print(f"bound broken: {line}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
