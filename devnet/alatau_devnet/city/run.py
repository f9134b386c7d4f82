"""A run from the first block to the report."""

import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final
from urllib.request import urlopen

import trio
from rich.console import Console

from alatau.app.home import Home
from alatau.client import RpcError, connect, hub_plans, tower_plans
from alatau.hub.store import open_store
from alatau.wire.block import BlockView
from alatau_devnet.city import proof
from alatau_devnet.city.actor import Actor, Clock, actor_of
from alatau_devnet.city.chain import ChainEyes
from alatau_devnet.city.feed import CityFeed
from alatau_devnet.city.gateway import CHANNELS_MAX, Gateway
from alatau_devnet.city.incidents import Diary, Incidents
from alatau_devnet.city.opening import open_city
from alatau_devnet.city.privacy import scan, secrets_of
from alatau_devnet.city.report import Outcome, render
from alatau_devnet.city.schedule import Purchase, day_of, hour_of
from alatau_devnet.city.street import Street
from alatau_devnet.city.view import Sample, View
from alatau_devnet.city.world import FEE_PARTS, Lines, World, build_world, clear, end_world, now, open_lines
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import remove_network

_DAY_S_MIN: Final = 40.0
_READY_S: Final = 600.0
_QUIET_S: Final = 180.0
_EXIT_S: Final = 600.0
_POLL_S: Final = 0.5
_OFFLINE_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Options:
    """What a person chooses."""

    scale: float
    seed: int
    folder: Path
    rate: float
    """Payments a second on average, if hub and actors keep up."""
    chart: bool


@dataclass(slots=True)
class _Town:
    """What the phases share."""

    world: World
    lines: Lines
    view: View
    diary: Diary
    clock: Clock
    street: Street
    eyes: ChainEyes
    feeds: tuple[CityFeed, ...]
    offline: Gateway
    actors: dict[bytes, Actor]
    held: int = 0
    hub_waiting: int = 0
    phase_s: dict[str, float] = field(default_factory=dict)
    _seen: int = 0

    def sample(self, at_s: float) -> Sample:
        """For view and chart."""
        figures = self.street.figures
        fresh = figures.latencies_s[self._seen :]
        self._seen = len(figures.latencies_s)
        waiting = max([self.hub_waiting, *(feed.waiting for feed in self.feeds)])
        under_way = self.street.begun - figures.paid - figures.gave_up
        p50 = median(fresh) * 1_000 if fresh else 0.0
        hour = hour_of(self.street.share)
        return Sample(at_s, hour, figures.paid, max(under_way, 0), self.held, self.clock.height, waiting, p50)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Take its time."""
        began = time.monotonic()
        yield
        self.phase_s[name] = time.monotonic() - began


def run_city(options: Options, console: Console) -> Outcome:
    """A whole run; whatever it started has ended when this returns or raises."""
    folder = options.folder
    clear(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    console.print(f"a city at scale {options.scale:g}: four validators, a hub, two towers")
    world = build_world(folder, options.scale, options.seed)
    try:
        outcome, view = trio.run(partial(_run, options, world, console, began))
    finally:
        end_world(world)
        remove_network(folder / "network")
    chart = None
    if options.chart:
        from alatau_devnet.city.chart import draw  # noqa: PLC0415  (its library is not in every environment)

        chart = "day.png"
        deaths = [(at, text.split(" killed")[0]) for at, text in outcome.diary.lines if " killed" in text]
        draw(view.samples, deaths, folder / chart)
    (folder / "report.md").write_text(render(outcome, chart))
    return outcome


async def _run(options: Options, world: World, console: Console, began: float) -> tuple[Outcome, View]:
    diary = Diary()
    day = day_of(world.size, options.seed)
    async with open_lines(world) as lines:
        with View(console, diary) as view:
            phase_s = {"ceremony and validators": time.monotonic() - began}
            gas = await _open(world, lines, day, view, phase_s)
            async with _living(world, lines, view, diary) as town:
                town.phase_s |= phase_s
                with town.phase("towers and hub start"):
                    await _start(town)
                incidents = Incidents(
                    world, lines, town.street, town.eyes, town.offline, town.feeds, diary, options.seed
                )
                view.begin("payments", world.size.payments)
                diary.started = time.monotonic()
                with town.phase("the day"):
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(view.watch, town.sample)
                        nursery.start_soon(_look, town)
                        seconds = max(_DAY_S_MIN, world.size.payments / options.rate)
                        async with trio.open_nursery() as deeds:
                            deeds.start_soon(town.street.run, day, seconds)
                            deeds.start_soon(incidents.run)
                        nursery.cancel_scope.cancel()
                load = os.getloadavg()[0]
                with town.phase("day end"):
                    await _end_day(town)
                with town.phase("mass exit"):
                    exit_blocks, exit_gas = await _mass_exit(town, incidents.off_limits)
            with town.phase("proof"):
                line, problems = await _prove(town, options.folder)
            view.note(line)
            with town.phase("privacy scan"):
                findings = await scan(lines.nodes[3], secrets_of(list(town.actors.values())))
            view.note(f"looked for names, single amounts and invoices in the chain: {len(findings.found)} found")
    outcome = Outcome(
        options.scale,
        world.size,
        sum(person.is_p256 for person in world.residents),
        town.street.figures,
        diary,
        gas,
        town.phase_s,
        incidents.hub_down_s,
        town.eyes.revealed,
        sum(feed.handed for feed in town.feeds),
        exit_blocks,
        exit_gas,
        findings,
        line,
        problems,
        (time.monotonic() - began) / 60,
        load,
    )
    return outcome, view


async def _open(
    world: World, lines: Lines, day: Sequence[Purchase], view: View, phase_s: dict[str, float]
) -> dict[str, int]:
    people = len(world.people)
    totals = {"register": -(-people // 150) + 1, "fund": len(world.residents), "open": people}
    began, current = time.monotonic(), ""

    def step(name: str, count: int) -> None:
        nonlocal began, current
        if name != current:
            if current:
                phase_s[current] = time.monotonic() - began
            began, current = time.monotonic(), name
            view.begin(name, totals.get(name, len(world.merchants)))
        view.step(name, count)

    gas = await open_city(world, lines, day, step)
    phase_s[current] = time.monotonic() - began
    return gas


@asynccontextmanager
async def _living(world: World, lines: Lines, view: View, diary: Diary) -> AsyncIterator[_Town]:
    """Actors with their connections, until the block ends."""
    clock = Clock(time.time)
    settle_blocks = world.windows.settle_blocks
    actors = {person.channel_id: actor_of(world.domain, person, settle_blocks) for person in world.people}
    everyone = list(actors.values())
    residents, merchants = everyone[: world.size.residents], everyone[world.size.residents :]
    gateways: list[Gateway] = []
    gateway_of: dict[bytes, Gateway] = {}

    def do(actor: Actor, effects: object) -> None:
        gateway_of[actor.person.channel_id].do(actor, effects)  # type: ignore[arg-type]

    eyes = ChainEyes(lines, clock, actors, do)
    feeds = tuple(CityFeed(tower, world.domain, actors) for tower in world.towers)

    def touched(actor: Actor) -> None:
        eyes.touched(actor)
        for feed in feeds:
            feed.note(actor)

    away = max(round(len(merchants) * _OFFLINE_SHARE), 1)
    groups = [merchants[:away], merchants[away:]]
    groups += [residents[first : first + CHANNELS_MAX] for first in range(0, len(residents), CHANNELS_MAX)]
    for group in groups:
        gateway = Gateway(world.hub, clock, {one.person.channel_id: one for one in group}, eyes.bring, touched)
        gateways.append(gateway)
        gateway_of |= dict.fromkeys(gateway.actors, gateway)
    lock_blocks = (world.windows.lock_blocks_min + world.windows.lock_blocks_max) // 2
    street = Street(residents, merchants, gateway_of, clock, FEE_PARTS, lock_blocks)
    town = _Town(world, lines, view, diary, clock, street, eyes, feeds, gateways[0], actors)
    async with trio.open_nursery() as nursery:
        for task in (eyes.run, eyes.reveal, *(gateway.run for gateway in gateways), *(feed.run for feed in feeds)):
            nursery.start_soon(task)
        yield town
        nursery.cancel_scope.cancel()


async def _start(town: _Town) -> None:
    """The services read what the chain has told so far; then tills connect."""
    world = town.world
    for home in (*world.towers, world.hub):
        await trio.to_thread.run_sync(home.start)
    tip = (await town.lines.any.status()).height
    await _until(_READY_S, lambda: _height_of_hub(town), tip, "the hub follows the chain")
    for tower in world.towers:
        await _until(_READY_S, partial(_height_of_tower, tower.endpoint, tower.tls), tip, "a tower follows the chain")

    async def seen() -> int:
        return town.clock.height

    await _until(_READY_S, seen, tip, "the city follows the chain")

    async def attached() -> int:
        return sum(till.core.agreed for till in town.street.merchants)

    await _until(_READY_S, attached, len(town.street.merchants), "tills connect")
    town.view.note("hub, towers and tills are up")


async def _height_of_hub(town: _Town) -> int:
    async with connect(town.world.hub.endpoint, town.world.hub.tls) as client:
        return (await client.run(hub_plans.facts())).height


async def _height_of_tower(endpoint: str, tls: object) -> int:
    async with connect(endpoint, tls) as client:  # type: ignore[arg-type]
        return (await client.run(tower_plans.status())).height


async def _until(seconds: float, ask: object, enough: int, what: str) -> None:
    deadline = time.monotonic() + seconds
    reached = -1
    while reached < enough:
        try:
            reached = await ask()  # type: ignore[operator]
        except RpcError:
            reached = -1
        if time.monotonic() > deadline:
            raise DevnetError(f"not within {seconds:.0f} s: {what} ({reached} of {enough})")
        if reached < enough:
            await trio.sleep(_POLL_S)


async def _look(town: _Town) -> None:
    """What the contract holds, and what the hub's feed has before it, until cancelled."""
    while True:
        try:
            town.held = await town.lines.channels().read("held")
            town.hub_waiting = await trio.to_thread.run_sync(_hub_waiting, town.world.hub.metrics)
        except (RpcError, OSError):
            pass
        await trio.sleep(2.0)


def _hub_waiting(metrics: str) -> int:
    with urlopen(f"http://{metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    lines = [line for line in text.splitlines() if line.startswith("hub_tower_vouchers_waiting{")]
    return int(max(float(line.split()[-1]) for line in lines))


async def _end_day(town: _Town) -> None:
    """Nothing is under way any more, and both towers hold all that counts."""
    busy = await town.street.quiet(_QUIET_S)
    town.diary.check("every payment has ended", holds=not busy)
    for number, feed in enumerate(town.feeds, start=1):
        done = False
        for _ in range(20):
            done = await feed.catch_up()
            if done:
                break
            await trio.sleep(_POLL_S)
        town.diary.check(f"tower {number} holds all that residents and merchants hold", holds=done)

    async def lag() -> int:
        return -await trio.to_thread.run_sync(_hub_waiting, town.world.hub.metrics)

    await _until(_QUIET_S, lag, 0, "the hub's feed is done")
    town.diary.note("the hub's feed is done: both towers hold what residents have paid")


async def _mass_exit(town: _Town, off_limits: set[bytes]) -> tuple[int, int]:
    """The hub is silent, and many leave through a tower; gives the blocks and the gas that it took."""
    world = town.world
    free = [actor for actor in town.street.residents if actor.person.channel_id not in off_limits]
    leavers = free[:: max(len(free) // world.size.exits, 1)][: world.size.exits]
    tower = world.towers[0]
    await town.feeds[0].leave_requests(leavers, now() + 86_400)
    await trio.to_thread.run_sync(world.hub.stop)
    town.diary.note(f"the hub is silent; {len(leavers):,} leave without it")
    await trio.to_thread.run_sync(tower.stop)
    first = (await town.lines.any.status()).height
    line = [sys.executable, "-m", "alatau.cli", "--home", str(tower.folder), "tower", "exit", "--yes"]
    done = await trio.run_process(line, capture_stdout=True, capture_stderr=True, check=False)
    said = (done.stdout + done.stderr).decode().strip().splitlines()
    town.diary.check(f"tower exit: {said[-1] if said else 'said nothing'}", holds=done.returncode == 0)
    last = (await town.lines.any.status()).height

    async def gone() -> int:
        return sum(leaver.person.channel_id in town.eyes.settled for leaver in leavers)

    await _until(_EXIT_S, gone, len(leavers), "all that leave have left")
    gas = 0
    async for block in town.lines.any.blocks(first + 1, last, view=BlockView.OUTCOMES):
        gas += sum(outcome.gas_used for outcome in block.outcomes)
    return last - first, gas


async def _prove(town: _Town, folder: Path) -> tuple[str, list[str]]:
    world = town.world
    store = open_store(Home(world.hub.folder).database, world.domain, world.hub.account)
    try:
        today = int(time.time()) // 86_400
        book = [
            (
                line.payment.payer_channel.hex(),
                line.payment.merchant_channel.hex(),
                line.payment.invoice_hash.hex(),
                line.payment.amount,
                line.payment.fee,
            )
            for day in range(today - 1, today + 2)
            for line in store.day(day)
            if line.refund is None
        ]
    finally:
        store.close()
    owners = [person.address for person in world.people]
    contract = await proof.read_contract(town.lines.nodes[2], world.hub.account, owners)
    document = proof.document_of(list(town.actors.values()), world.hub.account, contract, book)
    await trio.to_thread.run_sync((folder / "ledger.json").write_text, json.dumps(document))
    return proof.check(document)
