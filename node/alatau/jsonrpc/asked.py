"""One call as its handler sees it: who asks, and the arguments by their place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from alatau.jsonrpc.errors import JsonRpcError, invalid_params
from alatau.transport.call import Call

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A result that is JSON already: a thread made it, since it is long."""

    json: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of a method."""

    method: str
    params: Sequence[Any]
    call: Call

    def at(self, index: int, read: Callable[[Any], T]) -> T:
        """A required argument; errors say which it is."""
        if index >= len(self.params):
            raise invalid_params(f"missing value for required argument {index}")
        return self._read(index, read)

    def get(self, index: int, read: Callable[[Any], T], default: T) -> T:
        """An argument that may be absent or null."""
        if index >= len(self.params) or self.params[index] is None:
            return default
        return self._read(index, read)

    def most(self, count: int) -> None:
        """There are no more arguments than the method takes."""
        if len(self.params) > count:
            raise invalid_params(f"too many arguments, want at most {count}")

    def _read(self, index: int, read: Callable[[Any], T]) -> T:
        try:
            return read(self.params[index])
        except JsonRpcError as error:
            raise invalid_params(f"invalid argument {index}: {error.message}") from error
