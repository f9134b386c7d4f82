"""A tower that serves over TLS on a real disk; the chain's news is told to it by hand."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio

from alatau.client import client_tls
from alatau.client.tower_feeding import TowerEndpoint
from alatau.tower.post import Post
from alatau.tower.service import TowerApi, tower_service
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.server import Listener, serve
from tests.support.solo_node import node_identity
from tests.support.tower_post import NOW, manned


@asynccontextmanager
async def served_tower(
    folder: Path, port: int = 0, clock: Callable[[], float] = lambda: NOW
) -> AsyncIterator[tuple[Post, TowerEndpoint]]:
    """Until the block ends; ``port`` 0 is whatever is free."""
    async with manned(folder, clock=clock) as post, trio.open_nursery() as nursery:
        listener = Listener("127.0.0.1", port, ServerTls(IdentityHolder(node_identity()), None))
        server = await nursery.start(partial(serve, [tower_service(TowerApi(post))], [listener]))
        yield post, TowerEndpoint(f"127.0.0.1:{server.ports[0]}", client_tls(node_key=node_identity().public_key))
        nursery.cancel_scope.cancel()
