"""``make bench-hub``: two-hop payments through a hub's process, with its disk flushed before anything is said.

The hub runs on one core, with 55,000 channels and its real disk, core and network; the chain stands still. Residents
and merchants are on the other core; their signatures are made before the clock starts. First as many payments as the
hub can take, then 500 a second for the latencies, then it is killed with -9 and started again. Writes
``build/bench/hub.json``.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import trio
from rich.console import Console

from alatau.build_form import FORM
from alatau.client import client_tls
from alatau.transport.channel import open_channel
from alatau_devnet.errors import DevnetError
from alatau_devnet.hub_bench.city import Person, person
from alatau_devnet.hub_bench.load import Course, Gateway, Signed, sign_payments
from alatau_devnet.process_usage import usage_of

_FOLDER: Final = Path("build/bench/hub")
_RESULT: Final = Path("build/bench/hub.json")
_GATEWAYS: Final = 4
_RATE: Final = 500
_MERCHANTS: Final = 280


@dataclass(frozen=True, slots=True)
class Result:
    """What one hub does on one core of this machine."""

    payments_per_s: float
    """Two-hop payments, each with two locks, a secret and two folds, all on the disk."""
    cpu_ms_per_payment: float
    """Of the hub's process."""
    latency_p50_ms: float
    """From the payer's voucher to the secret, at 500 payments a second."""
    latency_p99_ms: float
    restart_s: float
    """From the disk to serving, after kill -9."""
    channels: int
    bytes_per_payment: float
    """On the disk."""
    rss_mb: float
    """After everything."""
    payments: int
    build: str


class HubProcess:
    """The hub, pinned to a core where there are two."""

    def __init__(self, folder: Path, channels: int) -> None:
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "alatau_devnet.hub_bench.server", str(folder), str(channels)],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=_pin_first,  # noqa: PLW1509  (it only sets the affinity)
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise DevnetError("the hub's process did not start; its output is above")
        self.facts: dict[str, Any] = json.loads(line)
        self.started_s = time.perf_counter() - began

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Kill -9."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def _pin_first() -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])


def _pin_others() -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[1:] or cores)


@dataclass(frozen=True, slots=True)
class Load:
    """Residents with their payments, and the merchants."""

    residents: tuple[Person, ...]
    merchants: tuple[Person, ...]
    payments: dict[bytes, list[Signed]]
    """By channel, the next one last."""
    secrets: dict[bytes, Any]


def sign_load(residents: int, each: int, console: Console) -> Load:
    """All signatures of the load."""
    people = tuple(person(number) for number in range(residents))
    merchants = tuple(person(residents + number) for number in range(_MERCHANTS))
    now = int(time.time())
    payments: dict[bytes, list[Signed]] = {}
    secrets: dict[bytes, Any] = {}
    with console.status("") as status:
        for number, one in enumerate(people):
            made = sign_payments(one, merchants, each, number * each, now)
            payments[one.channel_id] = made[::-1]
            for payment in made:
                secrets[payment.pay.pay.invoice.secret_hash] = payment.secret
            if number % 50 == 0:
                status.update(f"signing beforehand: {number * each:,} of {residents * each:,} payments")
    return Load(people, merchants, payments, secrets)


async def drive(facts: dict[str, Any], load: Load, count: int, rate: float | None) -> tuple[Course, float]:
    """Have ``count`` payments made, as fast as the hub takes them or at a rate; gives what was seen and the seconds."""
    course = Course(dict(load.secrets))
    tls = client_tls(node_key=bytes.fromhex(facts["key"]), server_name="node.alatau")
    async with open_channel(f"127.0.0.1:{facts['port']}", tls) as channel, trio.open_nursery() as nursery:
        gateways = []
        for group in (load.residents, load.merchants):
            for number in range(_GATEWAYS):
                gateway = Gateway(group[number::_GATEWAYS], course)
                gateways.append(gateway)
                nursery.start_soon(gateway.run, channel)
                await gateway.ready.wait()
        where = {one.channel_id: gateways[n % _GATEWAYS] for n, one in enumerate(load.residents)}
        for channel_id, gateway in where.items():
            gateway.give(channel_id, load.payments[channel_id])
        began = time.perf_counter()
        if rate is None:
            for channel_id, gateway in where.items():
                gateway.begin(channel_id)
        else:
            nursery.start_soon(_at_rate, where, count, rate)
        while course.finished < count:
            if course.refused:
                raise DevnetError(f"the hub refused: {course.refused[0]}")
            await trio.sleep(0.01)
        seconds = time.perf_counter() - began
        nursery.cancel_scope.cancel()
    return course, seconds


async def _at_rate(where: dict[bytes, Gateway], count: int, rate: float) -> None:
    for gateway in set(where.values()):
        gateway.on_demand = True
    began, said = time.perf_counter(), 0
    while said < count:
        for channel_id, gateway in where.items():
            pause = began + said / rate - time.perf_counter()
            if pause > 0:
                await trio.sleep(pause)
            if said == count:
                break
            said += gateway.begin(channel_id)
        await trio.sleep(0.001)  # where all are busy the hub cannot keep the rate, and the figures show it


def measure(arguments: argparse.Namespace, console: Console) -> Result:
    """Both loads, and the restart."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    full, slow = arguments.residents * arguments.each, _RATE * arguments.seconds
    load = sign_load(arguments.residents, arguments.each + -(-slow // arguments.residents), console)
    console.print(f"opening {arguments.channels:,} channels ...")
    with HubProcess(_FOLDER / "db", arguments.channels) as hub:
        _pin_others()
        size = _size(_FOLDER)
        before = usage_of(hub.pid).cpu_s
        first = {channel: made[-arguments.each :] for channel, made in load.payments.items()}
        _, seconds = trio.run(drive, hub.facts, replace(load, payments=first), full, None)
        cpu_s = usage_of(hub.pid).cpu_s - before
        grown = _size(_FOLDER) - size
        console.print(f"{full:,} payments in {seconds:.1f} s; now {_RATE} a second for {arguments.seconds} s ...")
        rest = {channel: made[: -arguments.each] for channel, made in load.payments.items()}
        calm, _ = trio.run(drive, hub.facts, replace(load, payments=rest), slow, float(_RATE))
        latencies = sorted(calm.latencies_s)
        rss = usage_of(hub.pid).rss_bytes
    with HubProcess(_FOLDER / "db", arguments.channels) as again:
        pass
    return Result(
        payments_per_s=round(full / seconds, 1),
        cpu_ms_per_payment=round(cpu_s / full * 1000, 3),
        latency_p50_ms=round(statistics.median(latencies) * 1000, 1),
        latency_p99_ms=round(latencies[int(len(latencies) * 0.99)] * 1000, 1),
        restart_s=round(again.started_s, 2),
        channels=again.facts["channels"],
        bytes_per_payment=round(grown / full, 1),
        rss_mb=round(rss / 1e6, 1),
        payments=full + slow,
        build=FORM.build,
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=55_000)
    parser.add_argument("--residents", type=int, default=1_000, help="who pay")
    parser.add_argument("--each", type=int, default=20, help="payments of each at full speed")
    parser.add_argument("--seconds", type=int, default=20, help="at 500 payments a second")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    result = measure(arguments, console)
    _RESULT.parent.mkdir(parents=True, exist_ok=True)
    _RESULT.write_text(json.dumps(asdict(result), indent=2) + "\n")
    console.print_json(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
