"""The hub's process in the benchmark: disk, core and network are the real ones; the chain's news is made up.

``python -m alatau_devnet.hub_bench.server FOLDER CHANNELS`` opens so many channels in an empty folder, or loads what
is in it, prints a line of JSON with its port, and serves until it is told to stop.
"""

import json
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final

import trio

from alatau.channels.forwarding.book import Policy
from alatau.channels.forwarding.core import HubCore
from alatau.channels.forwarding.effects import Act
from alatau.channels.forwarding.inputs import Input, InputDeposited, InputOpened
from alatau.channels.forwarding.limits import Limits, Moment
from alatau.hub.owner import Owner
from alatau.hub.service import ChannelService
from alatau.hub.store import HubStore, open_store
from alatau.transport.bridge import run
from alatau.transport.certificates import issue_identity, new_key
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.garbage import quieten_grpc
from alatau.transport.limits import Limits as ListenerLimits
from alatau.transport.server import Listener, serve
from alatau_devnet.hub_bench.city import DEPOSIT, DOMAIN, HEIGHT, HUB, SETTLE_BLOCKS, person

_DAY: Final = 86_400
_OPENED_AT_ONCE: Final = 1_000


def _moment(height: int) -> Moment:
    now = int(time.time())
    day = now // _DAY
    return Moment(now, height, day, (day + 1) * _DAY, day // 30, (day // 30 + 1) * 30 * _DAY)


def open_channels(store: HubStore, count: int) -> None:
    """As the chain would tell, in batches."""
    core = HubCore(store.load(HUB.address, HUB.sign, Policy({0: Limits()})))
    for first in range(0, count, _OPENED_AT_ONCE):
        for number in range(first, min(first + _OPENED_AT_ONCE, count)):
            one = person(number)
            told: tuple[Input, ...] = (
                InputOpened(one.parties, DEPOSIT, SETTLE_BLOCKS),
                InputDeposited(one.channel_id, HUB.address, DEPOSIT),
            )
            for news in told:
                core.take(news, _moment(HEIGHT))
        store.write(core.finish(_moment(HEIGHT)).stores, HEIGHT)


def main() -> None:
    """Serve."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    store = open_store(folder, DOMAIN, HUB.address)
    if store.height == 0:
        open_channels(store, count)
    began = time.perf_counter()
    core = HubCore(store.load(HUB.address, HUB.sign, Policy({0: Limits()})))
    loaded_s = time.perf_counter() - began
    owner = Owner(core, store, _moment, _ignore, HEIGHT)
    service = ChannelService(owner, store, DOMAIN, time.time)
    identity = issue_identity(new_key(), "hub of the benchmark", ("127.0.0.1",))

    async def serving(shutdown: trio.Event) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(owner.run)
            listener = Listener("127.0.0.1", 0, ServerTls(IdentityHolder(identity), None))
            limits = ListenerLimits()
            server = await nursery.start(partial(serve, [service.service()], [listener], limits=limits))
            facts = {
                "port": server.ports[0],
                "key": identity.public_key.hex(),
                "loaded_s": loaded_s,
                "channels": len(core.book.members),
                "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
            sys.stdout.write(json.dumps(facts) + "\n")
            sys.stdout.flush()
            await shutdown.wait()
            nursery.cancel_scope.cancel()

    quieten_grpc()
    try:
        run(serving)
    finally:
        store.close()


def _ignore(_act: Act) -> None:
    """There is no chain to act on."""


if __name__ == "__main__":
    main()
