"""The client API of a node, put together."""

from collections.abc import Sequence
from dataclasses import dataclass

import trio

from alatau.pb.api.v1 import (
    block_service_pb2,
    event_service_pb2,
    node_service_pb2,
    state_service_pb2,
    transaction_service_pb2,
)
from alatau.rpc.access import Access, RoleMap, guarded
from alatau.rpc.block_service import BlockApi
from alatau.rpc.calls import Calls
from alatau.rpc.event_service import EventApi
from alatau.rpc.feed import Feed
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node
from alatau.rpc.node_service import NodeApi
from alatau.rpc.paging import Tokens
from alatau.rpc.requests import within_bounds
from alatau.rpc.slots import FairSlots
from alatau.rpc.state_reads import StateReads
from alatau.rpc.state_service import StateApi
from alatau.rpc.state_worker import StateWorker
from alatau.rpc.submission import Submission
from alatau.rpc.transaction_service import TransactionApi
from alatau.transport.service import Service, bind


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services are made of, for faces that speak another language."""

    node: Node
    feed: Feed
    access: Access
    calls: Calls
    submission: Submission
    reads: StateReads
    worker: StateWorker
    streams: FairSlots
    limits: Limits


class Api:
    """All services of a node.

    To serve them::

        api = Api(node)
        await nursery.start(api.run)
        await nursery.start(partial(serve, api.services, listeners, health=health))
    """

    def __init__(
        self,
        node: Node,
        limits: Limits | None = None,
        roles: RoleMap | None = None,
        token_key: bytes | None = None,
    ) -> None:
        """Put them together; ``token_key`` are secret bytes with which page tokens stay good over a restart."""
        limits = limits or Limits()
        self._access = Access(limits, roles or RoleMap())
        self._feed = Feed(node, limits)
        streams = FairSlots("streams", limits.streams_max)
        waits = FairSlots("waiting calls", limits.waits_max)
        tokens = Tokens(node.store, token_key)
        worker = StateWorker(node.store, limits)
        calls = Calls(node, worker, limits)
        submission = Submission(node, self._access, limits)
        reads = StateReads(node, worker)
        self.parts = Parts(node, self._feed, self._access, calls, submission, reads, worker, streams, limits)
        """For other faces of the same."""
        bound = (
            bind(
                transaction_service_pb2.DESCRIPTOR.services_by_name["TransactionService"],
                TransactionApi(node, self._feed, submission, calls, streams, waits, tokens, limits),
                within_bounds,
            ),
            bind(
                block_service_pb2.DESCRIPTOR.services_by_name["BlockService"],
                BlockApi(node, self._feed, streams, tokens, limits),
                within_bounds,
            ),
            bind(state_service_pb2.DESCRIPTOR.services_by_name["StateService"], StateApi(node, reads), within_bounds),
            bind(
                event_service_pb2.DESCRIPTOR.services_by_name["EventService"],
                EventApi(node, self._feed, streams, worker, tokens, limits),
                within_bounds,
            ),
            bind(
                node_service_pb2.DESCRIPTOR.services_by_name["NodeService"],
                NodeApi(node, tokens, limits),
                within_bounds,
            ),
        )
        self.services: Sequence[Service] = tuple(guarded(service, self._access) for service in bound)
        """For ``transport.serve``."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow the node's blocks until cancelled. Needs a node that has its genesis."""
        await self._feed.run(task_status=task_status)

    def stop_taking(self) -> None:
        """Refuse new calls from now on: the node is about to stop."""
        self._access.stopping = True
