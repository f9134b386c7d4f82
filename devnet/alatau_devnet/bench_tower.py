"""What a watchtower takes: ``python -m alatau_devnet.bench_tower`` (or ``make bench-tower``).

A city's channels are opened in a tower's database as the chain's events would, and a real voucher with its receipt is
handed over for both directions of each, through the service and with every flush. Then the tower is gone and opened
again. Last, newer vouchers are handed over: in batches as a hub does, and one by one from many callers as wallets do.
Service and callers share one process and gRPC over loopback with TLS, so both sides are in the figures. Writes
``build/bench/tower.json``.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.build_form import FORM
from alatau.channels.messages import (
    Domain,
    Parties,
    Voucher,
    channel_id,
    channels_domain,
    receipt_digest,
    sign_voucher,
)
from alatau.channels.protection import Protection, TowerReceipt
from alatau.channels.watching import NewsOpened
from alatau.client import Client, client_tls, connect, tower_plans
from alatau.client.abi import load_abi
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.tower import store
from alatau.tower.docket import Docket
from alatau.tower.following import apply_news
from alatau.tower.group_commit import Changes, GroupCommit
from alatau.tower.post import Post
from alatau.tower.service import BATCH_MAX, TowerApi, tower_service
from alatau.transport.certificates import TlsIdentity, issue_identity, new_key
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.server import Listener, serve
from alatau_devnet.plan import CHAIN_ID

CITY: Final = 55_000
"""Channels of a city with 52,000 residents and 2,800 merchants."""

CALLERS: Final = 64
"""Wallets that hand over one voucher each at the same time."""
ROUNDS: Final = 20
"""Vouchers of each, one after the other."""
BATCHES: Final = 40
OUTPUT: Final = Path("build/bench/tower.json")


def _key(name: str) -> PrivateKey:
    return PrivateKey(keccak256(f"bench tower {name}".encode()))


OWNER, HUB, TOWER = _key("owner"), _key("hub"), _key("tower")
DOMAIN: Final[Domain] = channels_domain(CHAIN_ID, addresses.CITY_CHANNELS)
NETWORK: Final = store.Network(CHAIN_ID, bytes(32), addresses.CITY_CHANNELS, settle_blocks=3_600, settle_seconds=3_600)


def parties(number: int) -> Parties:
    """The ends of a channel."""
    return Parties(OWNER.address, HUB.address, number.to_bytes(32, "big"))


def protection(number: int, nonce: int, payer: PrivateKey = OWNER) -> Protection:
    """A voucher with its receipt."""
    ends, payee = parties(number), HUB if payer is OWNER else OWNER
    voucher = Voucher(channel_id(DOMAIN, ends), payer.address, nonce, nonce)
    signed = sign_voucher(DOMAIN, voucher, payer.sign)
    return Protection(ends, signed, payee.sign(receipt_digest(DOMAIN, voucher)))


@asynccontextmanager
async def _served(folder: Path, identity: TlsIdentity) -> AsyncIterator[tuple[Post, Client]]:
    database = store.open_store(folder)
    docket = Docket(database)
    docket.load()
    abi = load_abi(load("CityChannels").abi)
    post = Post(TOWER, NETWORK, abi, database, GroupCommit(database), docket, time.time, height=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(post.commits.run)
        listener = Listener("127.0.0.1", 0, ServerTls(IdentityHolder(identity), None))
        server = await nursery.start(partial(serve, [tower_service(TowerApi(post))], [listener]))
        async with connect(f"127.0.0.1:{server.ports[0]}", client_tls(node_key=identity.public_key)) as client:
            yield post, client
        nursery.cancel_scope.cancel()
    database.close()


async def _hand_over(client: Client, offered: Sequence[Protection]) -> None:
    receipts = await client.run(tower_plans.protect(DOMAIN, TOWER.address, offered))
    assert [r.nonce for r in receipts if isinstance(r, TowerReceipt)] == [p.voucher.nonce for p in offered]


async def _fill(post: Post, client: Client, channels: int) -> None:
    """Open all channels, and hand over a voucher of each direction."""
    for start in range(0, channels, 2_000):
        numbers = range(start, min(start + 2_000, channels))
        news = [(channel_id(DOMAIN, ends), NewsOpened(ends)) for ends in map(parties, numbers)]

        def write(changes: Changes, news: Sequence[tuple[bytes, NewsOpened]] = news) -> None:
            apply_news(changes, news)

        await post.commits.commit(write)
    for payer in (OWNER, HUB):
        for start in range(0, channels, BATCH_MAX):
            numbers = range(start, min(start + BATCH_MAX, channels))
            await _hand_over(client, [protection(number, 1, payer) for number in numbers])


async def _batches(client: Client, channels: int) -> dict[str, float]:
    """Vouchers a second in full batches, two under way, and what each costs: what a hub hands over."""
    offered = [
        [protection((start * BATCH_MAX + n) % channels, 2 + start, OWNER) for n in range(BATCH_MAX)]
        for start in range(BATCHES)
    ]
    began, spent = time.perf_counter(), time.process_time()
    async with trio.open_nursery() as nursery:
        for half in (offered[::2], offered[1::2]):
            nursery.start_soon(_one_after_another, client, half)
    count = BATCHES * BATCH_MAX
    return {
        "batched_vouchers_per_s": round(count / _since(began)),
        "batched_cpu_us": round(1e6 * (time.process_time() - spent) / count),
    }


async def _one_after_another(client: Client, batches: Sequence[Sequence[Protection]]) -> None:
    for batch in batches:
        await _hand_over(client, batch)


async def _singles(post: Post, client: Client) -> dict[str, float]:
    """Vouchers a second, and how long each waits, from many callers at once; and how many share a flush."""
    offered = [[protection(caller, 1_000 + n, HUB) for n in range(ROUNDS)] for caller in range(CALLERS)]
    waited: list[float] = []

    async def call(mine: Sequence[Protection]) -> None:
        for each in mine:
            began = time.perf_counter()
            await _hand_over(client, [each])
            waited.append(time.perf_counter() - began)

    flushes, began = post.commits.flushes, time.perf_counter()
    async with trio.open_nursery() as nursery:
        for mine in offered:
            nursery.start_soon(call, mine)
    seconds = time.perf_counter() - began
    milliseconds = sorted(1_000 * each for each in waited)
    return {
        "single_vouchers_per_s": round(len(waited) / seconds),
        "single_p50_ms": round(statistics.median(milliseconds), 1),
        "single_p99_ms": round(milliseconds[int(len(milliseconds) * 0.99)], 1),
        "vouchers_per_flush": round(len(waited) / (post.commits.flushes - flushes), 1),
    }


async def _measure(folder: Path, channels: int) -> dict[str, float]:
    identity = issue_identity(new_key(), "tower", ["127.0.0.1"])
    began = time.perf_counter()
    async with _served(folder, identity) as (post, client):
        await _fill(post, client, channels)
        print(f"{channels:,} channels with two vouchers each, signed and handed over in {_since(began):.0f} s")
    began = time.perf_counter()
    database = store.open_store(folder)
    docket = Docket(database)
    docket.load()
    restart_s = _since(began)
    assert docket.protected == channels, "every channel is protected after a restart"
    size = database.size_bytes()
    database.close()
    async with _served(folder, identity) as (post, client):
        batched = await _batches(client, channels)
        singles = await _singles(post, client)
    return {
        "channels": channels,
        "restart_s": round(restart_s, 2),
        "bytes_per_channel": round(size / channels),
        **batched,
        **singles,
    }


def _since(began: float) -> float:
    return time.perf_counter() - began


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=CITY, help=f"how many are watched ({CITY})")
    channels = parser.parse_args().channels
    with tempfile.TemporaryDirectory() as folder:
        figures = trio.run(_measure, Path(folder), channels)
    for name, value in figures.items():
        print(f"{name:24} {value:,}")
    assert figures["restart_s"] < 60, "a tower of a city does not start within a minute"
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps({"build": FORM.build, **figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
