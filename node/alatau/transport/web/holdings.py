"""Bytes that the face keeps of requests that are not complete and answers that are not taken."""

from collections import Counter
from typing import Final

from alatau.transport.errors import Code, RpcError

HELD_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of all connections together: sixteen of the longest messages."""
HELD_BYTES_EACH_MAX: Final = HELD_BYTES_MAX // 2
"""And of one address: half, so that another always finds room."""


class Holdings:
    """What is kept, by the address that it is kept for."""

    def __init__(self) -> None:
        self._by_source: Counter[str] = Counter()
        self.total = 0

    def take(self, source: str, size: int) -> None:
        """Keep ``size`` bytes more; raises ``RpcError`` SERVER_BUSY where there is no room."""
        if self.total + size > HELD_BYTES_MAX or self._by_source[source] + size > HELD_BYTES_EACH_MAX:
            message = "too many requests and answers are on their way"
            raise RpcError(Code.RESOURCE_EXHAUSTED, message, reason="SERVER_BUSY", retry_after_s=1.0)
        self.total += size
        self._by_source[source] += size

    def give_back(self, source: str, size: int) -> None:
        """Keep them no longer."""
        self.total -= size
        self._by_source[source] -= size
        if not self._by_source[source]:
            del self._by_source[source]
