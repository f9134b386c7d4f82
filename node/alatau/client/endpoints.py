"""Which of several nodes is asked, and what is done when one does not answer.

Every call of the API may be repeated, submits included (docs/api.md): a transaction is its hash and takes effect once.
So a call that one node did not answer is simply made to the next, with the same bytes.
"""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from alatau.client.exchange import RETRY_PAUSES_S
from alatau.transport.errors import Code, RpcError

C = TypeVar("C")

_ASK_ANOTHER: Final = frozenset({"NODE_CUT_OFF", "NODE_STOPPING", "NODE_SYNCING"})
"""What a node says that another might not."""


_FROM_GRPC: Final = frozenset({Code.UNAVAILABLE, Code.CANCELLED})
"""Codes with which gRPC itself ends a call that no node has answered."""


class Endpoints(Generic[C]):
    """Channels to nodes of one network, one of them in use. Tasks and threads share it: it is only ever advised."""

    def __init__(self, channels: Sequence[C]) -> None:
        self._channels = tuple(channels)
        self._index = 0

    def __len__(self) -> int:
        return len(self._channels)

    @property
    def current(self) -> C:
        """The one in use."""
        return self._channels[self._index]

    def leave(self, channel: C) -> None:
        """Use the next one, unless somebody has left this one already."""
        if self.current is channel:
            self._index = (self._index + 1) % len(self._channels)


class Attempts(Generic[C]):
    """The attempts of one call.

    A call that nobody answered goes round the nodes, with a pause after each round. One that ran out of time, since a
    node holds its connection but does nothing, goes to each node once.
    """

    def __init__(self, endpoints: Endpoints[C]) -> None:
        self._endpoints = endpoints
        self._failed = 0
        self._timed_out = 0

    def elsewhere(self, error: RpcError) -> bool:
        """Whether a node said what another might not, and there is another."""
        return len(self._endpoints) > 1 and error.reason in _ASK_ANOTHER

    def pause_s(self, error: RpcError, channel: C) -> float | None:
        """Seconds until the next attempt, which another node gets where there is one; None where there is none."""
        if nobody_answered(error) or self.elsewhere(error):
            self._failed += 1
        elif len(self._endpoints) > 1 and error.reason == Code.DEADLINE_EXCEEDED.name:
            self._timed_out += 1
        else:
            return None
        self._endpoints.leave(channel)
        rounds, rest = divmod(self._failed, len(self._endpoints))
        if self._timed_out >= len(self._endpoints) or rounds > len(RETRY_PAUSES_S):
            return None
        return 0.0 if rest or not rounds else RETRY_PAUSES_S[rounds - 1]


def nobody_answered(error: RpcError) -> bool:
    """Whether no node said this: the connection failed, or gRPC's core dropped the call before the node saw it.

    The core drops calls at random where thousands wait for a server to take them, and answers CANCELLED. A call that
    this side gives up never gets here: its task is cancelled, or its channel closed (``CHANNEL_CLOSED``).
    """
    return error.code in _FROM_GRPC and error.reason == error.code.name


def endpoint_list(endpoint: str | Sequence[str]) -> list[str]:
    """Endpoints as given: one, or several. Raises ``ValueError`` where there is none."""
    found = [endpoint] if isinstance(endpoint, str) else list(endpoint)
    if not found:
        raise ValueError("give at least one endpoint, host:port")
    return found
