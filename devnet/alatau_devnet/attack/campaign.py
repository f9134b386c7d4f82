"""One attack after another on a network of real processes, with honest clients at work all the time.

The attacker is a process of its own (``python -m alatau_devnet.attack --run NAME``): its descriptors, its memory and
its interpreter are not those that measure.
"""

import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trio
from rich.console import Console

from alatau.client import RpcError
from alatau_devnet.attack.honest import open_honest
from alatau_devnet.attack.scene import Attack, Scene
from alatau_devnet.attack.verdict import Measured, Row, judge
from alatau_devnet.attack.watchers import ProcessorUse, Watch
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet, DevnetNode, start_nodes, stop_nodes
from alatau_devnet.processes import kill_process
from alatau_devnet.watch import block_of, client_of, height_of, wait_until_deciding, wait_until_meshed

_MIB: Final = 1024 * 1024
_MARGIN_S: Final = 120.0
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
        m = row.measured
        console.print(
            f"  before {m.before_p50_ms:,.0f} / {m.before_p95_ms:,.0f} ms, during {m.during_p50_ms:,.0f} /"
            f" {m.during_p95_ms:,.0f} ms, after {m.after_p50_ms:,.0f} / {m.after_p95_ms:,.0f} ms, victim's processor"
            f" {m.before_victim_share:.0%} to {m.victim_share:.0%}, others' work {m.others_share:.0%} of the machine,"
            f" answered {m.answered_share:.0%}, +{m.growth_mib:,.0f} MiB"
        )
    return rows


async def run_attack(network: Devnet, attack: Attack, timing: Timing) -> Row:
    """Measure, attack, measure."""
    watch = Watch(network)
    witness = network.nodes[1]  # no attack goes against it
    nodes = network.nodes[:-1] if attack.takes_over else network.nodes
    async with open_honest(network, nodes) as honest, trio.open_nursery() as nursery:
        nursery.start_soon(watch.follow)
        await trio.sleep(2)  # connections, translation of the contract
        before, before_use, from_height = honest.begin(), watch.begin(), await height_at(witness)
        await trio.sleep(timing.before_s)
        during, during_use, attacked_from = honest.begin(), watch.begin(), await height_at(witness)
        async with _taken_over(network, attack):
            told, error = await attack_from_outside(network.folder, attack.name, timing.during_s, watch)
        recovering, attacked_until = honest.begin(), await height_at(witness)
        watch.begin()
        await trio.sleep(_RECOVERY_S)
        if attack.takes_over and not await trio.to_thread.run_sync(wait_until_meshed, network, _BAN_S):
            error = error or f"its validator was not let in again within {_BAN_S:.0f} s"
        after, after_use = honest.begin(), watch.begin()
        await trio.sleep(timing.after_s)
        watch.begin()
        honest.begin()  # goes on until the others have settled, so that they do so under load
        unfinished = 0
        for phase in (before, during, recovering, after):
            await phase.settled(_SETTLE_S)
            unfinished += phase.open
        nursery.cancel_scope.cancel()
    forked = await trio.to_thread.run_sync(has_forked, network)
    late = await trio.to_thread.run_sync(late_heights, witness, from_height, attacked_until)
    measured = Measured(
        before_p50_ms=round(before.p50_ms, 1),
        before_p95_ms=round(before.p95_ms, 1),
        during_p50_ms=round(during.p50_ms, 1),
        during_p95_ms=round(during.p95_ms, 1),
        after_p50_ms=round(after.p50_ms, 1),
        after_p95_ms=round(after.p95_ms, 1),
        unfinished=unfinished,
        before_answered_share=round(before.answered_share, 4),
        answered_share=round(during.answered_share, 4),
        before_failed_rounds=sum(height <= attacked_from for height in late),
        failed_rounds=sum(height > attacked_from for height in late),
        before_victim_share=round(before_use.victim_share, 3),
        victim_share=round(during_use.victim_share, 3),
        others_share=round(_most_of_others(before_use, during_use, after_use), 3),
        rss_most_mib=round(watch.rss_most / _MIB, 1),
        growth_mib=round(watch.growth_bytes / _MIB, 1),
        descriptors_most=watch.descriptors_most,
        died=tuple(watch.died(restarted=attack.restarts or attack.takes_over)),
        forked=forked,
        error=error,
    )
    judgement = judge(measured, attack.tolerance)
    if during.refusals:
        told += "; honest questions: " + ", ".join(f"{why} {n}" for why, n in during.refusals.most_common(3))
    return Row(attack.name, told, measured, judgement.verdict, judgement.reasons)


@asynccontextmanager
async def _taken_over(network: Devnet, attack: Attack) -> AsyncIterator[None]:
    """Where the attacker speaks for the last validator, that one is killed meanwhile: its peers miss it at once."""
    if not attack.takes_over:
        yield
        return
    own = network.nodes[-1]
    await trio.to_thread.run_sync(kill_process, own.home)
    try:
        yield
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(start_nodes, network, (own,))


def _most_of_others(*uses: ProcessorUse) -> float:
    return max(use.others_share for use in uses)


async def height_at(node: DevnetNode) -> int:
    """A node's height, asked in a thread."""
    return await trio.to_thread.run_sync(height_of, node)


def late_heights(node: DevnetNode, after: int, until: int) -> list[int]:
    """Heights beyond ``after``, up to ``until``, that were decided in a later round than the first."""
    with client_of(node) as client:
        return [height for height in range(after + 1, until + 1) if client.commit(height).round]


async def attack_from_outside(folder: Path, name: str, seconds: float, watch: Watch) -> tuple[str, str]:
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
    said: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with watch.attacked_by(process.pid), trio.move_on_after(seconds + _MARGIN_S) as scope:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_collect, process.stdout, said, "stdout")
                nursery.start_soon(_collect, process.stderr, said, "stderr")
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
    if scope.cancelled_caught:
        return "", f"it did not end within {seconds + _MARGIN_S:.0f} s"
    told = said["stdout"].decode(errors="replace").strip()
    if process.returncode:
        return told, said["stderr"].decode(errors="replace").strip()[-500:] or f"exit status {process.returncode}"
    return told, ""


async def _collect(stream: trio.abc.ReceiveStream | None, said: dict[str, bytes], name: str) -> None:
    assert stream is not None
    async for chunk in stream:
        said[name] += chunk


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
