"""How many long-lived streams are open."""

from collections.abc import Iterator
from contextlib import contextmanager

from alatau.rpc.failures import failure


class StreamSlots:
    """Counts open streams against a bound."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a slot.

        Raises:
            RpcError: SERVER_BUSY, where all are taken.
        """
        if self._open >= self._most:
            raise failure("SERVER_BUSY", f"{self._most} streams are open already", retry_after_s=5)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
