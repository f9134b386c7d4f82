"""Looking at a network from outside, through the clients' API: heights, hashes, waiting for progress."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from alatau.client import RpcError, SyncClient, client_tls, connect_sync
from alatau.wire.block import BlockRecord
from alatau.wire.status import Status, SyncState
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet, DevnetNode
from alatau_devnet.processes import log_tail, running_pid

_POLL_S: Final = 0.2


@contextmanager
def client_of(node: DevnetNode) -> Iterator[SyncClient]:
    """A client that trusts the node's own key and no other."""
    with connect_sync(node.rpc, client_tls(node_key=node.tls_public_key)) as client:
        yield client


def status_of(node: DevnetNode) -> Status | None:
    """The node's status; None where it does not answer."""
    if running_pid(node.home) is None:
        return None
    try:
        with client_of(node) as client:
            return client.status()
    except RpcError:
        return None


def block_of(node: DevnetNode, height: int) -> BlockRecord:
    """A block as the node has it. Raises ``RpcError``."""
    with client_of(node) as client:
        return client.block(height)


def height_of(node: DevnetNode) -> int:
    """The node's height; -1 where it does not answer."""
    status = status_of(node)
    return -1 if status is None else status.height


def signed_last(through: DevnetNode, voting_address: bytes) -> bool:
    """Whether a voting key signed the newest commit that a node has."""
    with client_of(through) as client:
        commit = client.commit(client.status().height)
    return voting_address in {signature.validator for signature in commit.signatures}


def wait_until_deciding(network: Devnet) -> int:
    """Wait until every running node has a decided block; gives the lowest height. Raises ``DevnetError``."""
    return wait_for_height(network.nodes, 1, 40.0 + 5.0 * len(network.nodes))


def wait_for_height(nodes: Iterable[DevnetNode], height: int, timeout_s: float) -> int:
    """Wait until all ``nodes`` have reached ``height``; gives the lowest of theirs. Raises ``DevnetError``."""
    waiting = {node.name: node for node in nodes}
    heights = dict.fromkeys(waiting, -1)

    def reached() -> bool:
        for name, node in list(waiting.items()):
            heights[name] = height_of(node)
            if heights[name] >= height:
                del waiting[name]
            elif running_pid(node.home) is None:
                raise DevnetError(f"{name} has stopped; its log ends:\n{log_tail(node.home)}")
        return not waiting

    if not wait_until(reached, timeout_s):
        shown = ", ".join(f"{name} is at {heights[name]}" for name in waiting)
        first = next(iter(waiting.values()))
        raise DevnetError(f"not at height {height} in {timeout_s:.0f} s: {shown}; a log ends:\n{log_tail(first.home)}")
    return min(heights.values())


def wait_until_synced(nodes: Iterable[DevnetNode], timeout_s: float) -> None:
    """Wait until all ``nodes`` take their part: a validator at the right height may not have joined yet.

    Raises ``DevnetError``.
    """
    waiting = list(nodes)

    def synced() -> bool:
        waiting[:] = [n for n in waiting if (now := status_of(n)) is None or now.sync_state is not SyncState.SYNCED]
        return not waiting

    if not wait_until(synced, timeout_s):
        names = ", ".join(node.name for node in waiting)
        raise DevnetError(f"not synced in {timeout_s:.0f} s: {names}; a log ends:\n{log_tail(waiting[0].home)}")


def wait_until_meshed(network: Devnet, timeout_s: float) -> bool:
    """Whether every node had a session with every other in time."""

    def meshed(node: DevnetNode) -> bool:
        try:
            with client_of(node) as client:
                return len(client.peers()) == len(network.nodes) - 1
        except RpcError:
            return False

    return wait_until(lambda: all(meshed(node) for node in network.nodes), timeout_s)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Whether ``condition`` became true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
