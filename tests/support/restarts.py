"""A served node that goes away and comes back."""

import trio

from tests.support.solo_node import Running, SoloNode, running


class Service:
    """A node that can be stopped and started on one port."""

    def __init__(self, node: SoloNode, nursery: trio.Nursery) -> None:
        self.node = node
        self.port = 0
        self._nursery = nursery
        self._stop = trio.Event()
        self._stopped = trio.Event()

    async def start(self) -> Running:
        """Serve, on the same port as before."""
        self._stop, self._stopped = trio.Event(), trio.Event()
        served: Running = await self._nursery.start(self._serve)
        self.port = int(served.endpoint.rpartition(":")[2])
        return served

    async def stop(self) -> None:
        """End the listener and its calls."""
        self._stop.set()
        await self._stopped.wait()

    async def _serve(self, *, task_status: trio.TaskStatus[Running]) -> None:
        async with running(self.node, port=self.port) as served:
            task_status.started(served)
            await self._stop.wait()
        self._stopped.set()
