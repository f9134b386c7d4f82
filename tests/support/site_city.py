"""A hub with its pages and a chain of one validator in a thread, for a browser."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from alatau.artifacts import addresses
from alatau.channels.forwarding.book import Policy
from alatau.channels.forwarding.fees import FeeSchedule
from alatau.channels.forwarding.limits import Limits
from alatau.pages.site import page_files
from alatau.transport.bridge import run
from alatau.transport.limits import Limits as TransportLimits
from alatau.transport.web.face import WebFace
from tests.support.hub_city import REGISTRAR, RESIDENTS, HubCity, hub_city

RESIDENT, MERCHANT = 1, 2
POLICY = Policy({0: Limits(payment=60_000, day=500_000)}, FeeSchedule(0, 5_000))


@dataclass(frozen=True)
class Site:
    """Where the pages are."""

    city: HubCity
    origin: str
    token: trio.lowlevel.TrioToken

    def admit(self, account: bytes, *, kind: int = RESIDENT, units: int = 0) -> None:
        """The registrar registers an account, and somebody sends it money."""

        async def send() -> None:
            registry, token = addresses.PARTICIPANT_REGISTRY, addresses.SETTLEMENT_TOKEN
            self.city.send(REGISTRAR, "ParticipantRegistry", registry, "register", account, kind, 1, 0)
            if units:
                self.city.send(RESIDENTS[0], "SettlementToken", token, "transfer", account, units)
            self.city.node.commit_block()

        trio.from_thread.run(send, trio_token=self.token)

    def mine(self, blocks: int) -> None:
        """So many blocks go by."""

        async def mine() -> None:
            for _ in range(blocks):
                self.city.node.commit_block()

        trio.from_thread.run(mine, trio_token=self.token)


@contextmanager
def served_site(folder: Path) -> Iterator[Site]:
    """Until the block ends."""
    started: queue.Queue[Any] = queue.Queue()

    async def serve(_shutdown: trio.Event) -> None:
        stop = trio.Event()
        async with hub_city(folder, hub=False) as city:
            city.policy = POLICY
            await city.start_hub()
            assert city.hub is not None
            assert city.server is not None
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            origin = f"http://localhost:{listeners[0].socket.getsockname()[1]}"
            services = [city.hub.service.service(), city.hub.wallets.service()]
            face = WebFace(city.server, services, TransportLimits(), frozenset({origin}), files=page_files())
            city.nursery.start_soon(face.serve, listeners)
            started.put((city, origin, trio.lowlevel.current_trio_token(), stop))
            await stop.wait()

    def work() -> None:
        try:
            run(serve)
        except BaseException as error:
            started.put(error)
            raise

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    got = started.get(timeout=60)
    if isinstance(got, BaseException):
        raise got
    city, origin, token, stop = got
    try:
        yield Site(city, origin, token)
    finally:
        token.run_sync_soon(stop.set)
        thread.join(60)
        assert not thread.is_alive(), "the hub has stopped"
