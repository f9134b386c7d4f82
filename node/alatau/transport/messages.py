"""Parsing what came in: bytes that are no message are the sender's fault, and it is told so."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from alatau.transport.errors import Code, MalformedMessageError
from alatau.transport.pipes import PipeToTrio
from alatau.transport.service import Check

M = TypeVar("M", bound=Message)


def parse(kind: type[M], data: bytes, check: Check | None = None) -> M:
    """Read a message once ``check`` has passed its bytes.

    Raises:
        MalformedMessageError: reason MALFORMED_MESSAGE, or what ``check`` says.
    """
    if check is not None:
        check(kind.DESCRIPTOR.full_name, data)
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        name = kind.DESCRIPTOR.full_name
        raise MalformedMessageError(
            Code.INVALID_ARGUMENT, f"the bytes are no {name}", reason="MALFORMED_MESSAGE", metadata={"message": name}
        ) from error
    return message


class Requests:
    """The messages of a stream, as an asynchronous iterator. Ends where the sender half-closed.

    Raises ``RpcError`` for malformed bytes, and what the pipe was closed with.
    """

    __slots__ = ("_check", "_kind", "_pipe")

    def __init__(self, pipe: PipeToTrio, kind: type[Message], check: Check | None) -> None:
        self._pipe = pipe
        self._kind = kind
        self._check = check

    def __aiter__(self) -> "Requests":
        return self

    async def __anext__(self) -> Message:
        data = await self._pipe.get()
        if data is None:
            raise StopAsyncIteration
        return parse(self._kind, data, self._check)
