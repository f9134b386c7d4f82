"""A stream of batches to submit, which goes on with another node where there are several.

A batch is kept until it is answered. When the stream is lost, or its node says that another should be asked, a new one
is opened and what was not answered is sent again, in order. That is safe: a transaction is its hash, and a node that
knows it already says so. What a node had answered for and passed on to nobody before it died is not sent again; of the
same sender's next transactions another node then says which nonce is missing.
"""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import trio

from alatau.client.endpoints import Attempts, Endpoints
from alatau.client.exchange import METHODS
from alatau.client.iteration import Mapped
from alatau.client.submitting import SubmitOutcome, raw_bytes, read_answer, refusal_of
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.transport.channel import Channel, Stream
from alatau.transport.errors import Code, RpcError
from alatau.types.transaction import Transaction

_ANSWERS_MAX: Final = 64
"""Answers that wait to be taken; with more the node is read no further."""
UNANSWERED_MAX: Final = 256
"""Batches that are kept to be sent again: full ones hold 256 MiB, eight times what a pool takes."""


class SubmitStream:
    """A stream of batches. Answers come in the order of the batches. Made by ``Client.submit_stream``."""

    def __init__(self, endpoints: Endpoints[Channel]) -> None:
        self._endpoints = endpoints
        self._sequence = 0
        self._unanswered: deque[transaction_service_pb2.SubmitTransactionsRequest] = deque()
        self._sent = 0
        """How many of them the stream of now has been given."""
        self._finished = False
        self._stream: Stream | None = None
        self._ended = False
        self._changed = trio.Event()
        self._answer, self._answers = trio.open_memory_channel[Any](_ANSWERS_MAX)

    async def send(self, transactions: Sequence[Transaction | bytes]) -> int:
        """Send a batch, of what a node takes at most; gives its number.

        Waits while the node is busy, and while ``UNANSWERED_MAX`` batches have no answer or answers are not taken.

        Raises:
            trio.BrokenResourceError: the stream has ended; taking its results says how.
        """
        while len(self._unanswered) >= UNANSWERED_MAX and not self._ended:
            await self._changed.wait()
        if self._ended:
            raise trio.BrokenResourceError
        self._sequence += 1
        number = self._sequence
        self._unanswered.append(
            transaction_service_pb2.SubmitTransactionsRequest(
                sequence=number, transactions=[raw_bytes(tx) for tx in transactions]
            )
        )
        self._notify()
        while number >= self._next_to_send:
            if self._ended:
                raise trio.BrokenResourceError
            await self._changed.wait()
        return number

    def finish(self) -> None:
        """No more batches; their results may still come."""
        self._finished = True
        self._notify()

    def results(self) -> AsyncIterator[tuple[int, list[SubmitOutcome]]]:
        """The number of each batch and its outcomes.

        A batch with more transactions than a node takes has no outcomes: taking it raises ``RpcError`` with its number
        in metadata ``sequence``, and the next ones can be taken after that.
        """
        return Mapped(self._answers, _read)

    async def receive(self) -> None:
        """Open streams one after the other, and hand on what they answer, until one ends for good."""
        attempts = Attempts(self._endpoints)
        with self._answer:
            while True:
                channel = self._endpoints.current
                try:
                    async with channel.stream(METHODS["SubmitTransactions"]) as stream:
                        self._sent, self._stream = 0, stream
                        self._notify()
                        async for response in stream:
                            self._note_answer(response, attempts)
                            attempts = Attempts(self._endpoints)
                            await self._answer.send(response)
                            self._notify()
                    break
                except RpcError as error:
                    pause_s = attempts.pause_s(error, channel)
                    if pause_s is None:
                        self._end()
                        await self._answer.send(error)
                        break
                await trio.sleep(pause_s)
        self._end()

    async def transmit(self) -> None:
        """Give each stream, as it is opened, what it has not been given, until cancelled."""
        known: Stream | None = None
        while True:
            while self._stream is known:
                await self._changed.wait()
            known = self._stream
            if known is not None:
                await self._transmit_to(known)

    async def _transmit_to(self, stream: Stream) -> None:
        try:
            while self._stream is stream:
                if self._sent < len(self._unanswered):
                    self._sent += 1
                    await stream.send(self._unanswered[self._sent - 1])
                    self._notify()
                elif self._finished:
                    stream.finish_sending()
                    return
                else:
                    await self._changed.wait()
        except trio.BrokenResourceError:
            pass  # ``receive`` hears how it ended

    def _note_answer(
        self, response: transaction_service_pb2.SubmitTransactionsResponse, attempts: Attempts[Channel]
    ) -> None:
        """The first batch is answered; raises what sends it to another node, as if the stream had ended with it."""
        if not self._sent or response.sequence != self._unanswered[0].sequence:
            raise RpcError(Code.INTERNAL, "the node answered a batch that it was not sent", reason="MALFORMED_ANSWER")
        refusal = refusal_of(response)
        if refusal is not None and attempts.elsewhere(refusal):
            raise refusal
        self._unanswered.popleft()
        self._sent -= 1

    @property
    def _next_to_send(self) -> int:
        """Number of the first batch that the stream of now has not been given."""
        return self._sequence - len(self._unanswered) + self._sent + 1

    def _end(self) -> None:
        self._ended = True
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


@asynccontextmanager
async def open_submit_stream(endpoints: Endpoints[Channel]) -> AsyncIterator[SubmitStream]:
    """A stream to the node in use; leaving the block cancels it if it has not ended."""
    stream = SubmitStream(endpoints)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.receive)
            nursery.start_soon(stream.transmit)
            yield stream
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from None  # the block's own: the two tasks raise nothing


def _read(answer: Any) -> tuple[int, list[SubmitOutcome]]:
    if isinstance(answer, RpcError):
        raise answer
    return read_answer(answer)
