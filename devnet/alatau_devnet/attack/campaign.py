"""One attack after another on a network of real processes, with honest clients at work all the time.

The attacker is a process of its own (``python -m alatau_devnet.attack --run NAME``): its descriptors, its memory and
its interpreter are not those that measure.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trio
from rich.console import Console

from alatau.client import RpcError
from alatau_devnet.attack.honest import Phase, open_honest
from alatau_devnet.attack.scene import Attack, Scene
from alatau_devnet.attack.verdict import Measured, Row, Verdict, judge
from alatau_devnet.attack.watchers import Watch
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet, start_nodes, stop_nodes
from alatau_devnet.watch import block_of, height_of, wait_until_deciding, wait_until_meshed

_MIB: Final = 1024 * 1024
_MARGIN_S: Final = 60.0
"""What an attacker may take on top of its time to set up and to let go."""
_SETTLE_S: Final = 45.0
"""Within this all that honest clients sent must be final once the attack is over."""
_BAN_S: Final = 90.0
"""Within this a validator must be let in again whose key was used for an attack: the first ban, twice, and dialling."""
_RECOVERY_S: Final = 5.0
"""Between the end of an attack and the phase that is called *after*."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each phase."""

    before_s: float
    during_s: float
    after_s: float


async def campaign(network: Devnet, attacks: Sequence[Attack], timing: Timing, console: Console) -> list[Row]:
    """Run the attacks in their order; gives a row for each."""
    rows = []
    for attack in attacks:
        console.print(f"[bold]{attack.name}[/bold]: {attack.what}")
        await trio.to_thread.run_sync(start_nodes, network)
        await trio.to_thread.run_sync(wait_until_deciding, network)
        row = await run_attack(network, attack, timing)
        if attack.takes_over:
            await trio.to_thread.run_sync(stop_nodes, network)
        rows.append(row)
        console.print(f"  {row.verdict}: {row.told}")
        for reason in row.reasons:
            console.print(f"  {reason}")
    return rows


async def run_attack(network: Devnet, attack: Attack, timing: Timing) -> Row:
    """Measure, attack, measure."""
    watch = Watch(network)
    nodes = network.nodes[:-1] if attack.takes_over else network.nodes
    async with open_honest(network, nodes) as honest, trio.open_nursery() as nursery:
        nursery.start_soon(watch.follow)
        await trio.sleep(2)  # connections, translation of the contract
        before = honest.begin()
        await trio.sleep(timing.before_s)
        during = honest.begin()
        told, error = await _attack(network.folder, attack.name, timing.during_s)
        recovering = honest.begin()
        await trio.sleep(_RECOVERY_S)
        if attack.takes_over and not await trio.to_thread.run_sync(wait_until_meshed, network, _BAN_S):
            error = error or f"its validator was not let in again within {_BAN_S:.0f} s"
        after = honest.begin()
        await trio.sleep(timing.after_s)
        honest.begin()  # goes on until the others have settled, so that they do so under load
        unfinished = 0
        for phase in (before, during, recovering, after):
            await phase.settled(_SETTLE_S)
            unfinished += phase.open
        nursery.cancel_scope.cancel()
    forked = await trio.to_thread.run_sync(has_forked, network)
    died = watch.died(restarted=attack.restarts)
    measured = _measured((before, during, after), unfinished, watch, died, forked=forked, error=error)
    reasons = judge(measured, attack.tolerance)
    if during.refusals:
        told += "; honest questions: " + ", ".join(f"{why} {n}" for why, n in during.refusals.most_common(3))
    return Row(attack.name, told, measured, Verdict.FAIL if reasons else Verdict.PASS, reasons)


def _measured(
    phases: tuple[Phase, Phase, Phase],
    unfinished: int,
    watch: Watch,
    died: Sequence[str],
    *,
    forked: bool,
    error: str,
) -> Measured:
    before, during, after = phases
    return Measured(
        before_p50_ms=round(before.p50_ms, 1),
        before_p95_ms=round(before.p95_ms, 1),
        during_p50_ms=round(during.p50_ms, 1),
        during_p95_ms=round(during.p95_ms, 1),
        after_p50_ms=round(after.p50_ms, 1),
        after_p95_ms=round(after.p95_ms, 1),
        unfinished=unfinished,
        answered_share=round(during.answered_share, 4),
        rss_most_mib=round(watch.rss_most / _MIB, 1),
        growth_mib=round(watch.growth_bytes / _MIB, 1),
        descriptors_most=watch.descriptors_most,
        died=tuple(died),
        forked=forked,
        error=error,
    )


async def _attack(folder: Path, name: str, seconds: float) -> tuple[str, str]:
    """Run the attacker's process; gives what it tells, and why it failed if it did."""
    command = [
        sys.executable,
        "-m",
        "alatau_devnet.attack",
        "--run",
        name,
        "--folder",
        str(folder),
        "--seconds",
        f"{seconds}",
    ]
    with trio.move_on_after(seconds + _MARGIN_S) as scope:
        done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
    if scope.cancelled_caught:
        return "", f"it did not end within {seconds + _MARGIN_S:.0f} s"
    told = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        return told, done.stderr.decode(errors="replace").strip()[-500:] or f"exit status {done.returncode}"
    return told, ""


def has_forked(network: Devnet) -> bool:
    """Whether two nodes that answer have different blocks at the highest height that both have."""
    heights = {node.name: height for node in network.nodes if (height := height_of(node)) >= 0}
    if not heights:
        return False
    common = min(heights.values())
    hashes = set()
    for node in network.nodes:
        if node.name in heights:
            try:
                hashes.add(block_of(node, common).hash)
            except RpcError as error:
                raise DevnetError(f"{node.name} has no block {common}: {error}") from error
    return len(hashes) > 1


def carry_out(attack: Attack, scene: Scene, seconds: float) -> str:
    """In the attacker's process: run the attack to its end, and give what there is to tell."""
    return str(trio.run(partial(attack.run, scene, seconds)))
