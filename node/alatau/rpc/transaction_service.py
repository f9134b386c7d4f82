"""TransactionService: submitting, following, calling."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import trio

from alatau.crypto.keccak import keccak256
from alatau.pb.api.v1 import transaction_pb2, transaction_service_pb2
from alatau.rpc.access import caller_of
from alatau.rpc.account_transactions import index_off, list_account_transactions
from alatau.rpc.calls import Calls
from alatau.rpc.failures import failure
from alatau.rpc.feed import Feed
from alatau.rpc.final_block import fit_receipt, transaction_receipt
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node
from alatau.rpc.paging import Tokens
from alatau.rpc.requests import Checks
from alatau.rpc.slots import FairSlots
from alatau.rpc.stored_block import stored_receipt, stored_receipt_proof, stored_transaction
from alatau.rpc.submission import Submission
from alatau.storage.store import Store
from alatau.transport.call import Call
from alatau.transport.errors import Code, RpcError, whole_ms
from alatau.types.transaction import recover_sender
from alatau.wire.reasons import reason_number
from alatau.wire.receipt import write_receipt
from alatau.wire.transaction import Position, TransactionState, write_position, write_state, write_transaction

_pb = transaction_service_pb2
_POOLED = transaction_pb2.TRANSACTION_STATE_POOLED
_FINAL = transaction_pb2.TRANSACTION_STATE_FINAL
_REFUSED = transaction_pb2.TRANSACTION_STATE_REFUSED

_ANSWER_MARGIN_S = 0.05
"""Left of a deadline at least to answer with a reason of ours, before gRPC answers with its own."""
_ANSWER_MARGIN_S_MAX = 1.0
"""And at most; between the two a tenth of what is left, for nodes and networks that are busy."""

_CONCERNS_THE_BATCH = frozenset({Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED})
"""Codes of errors after which the next batch of a stream may do better."""


def _rejection(
    reason: str,
    message: str,
    retry_after_s: float | None,
    next_nonce: int | None = None,
    values: Mapping[str, str] | None = None,
) -> _pb.SubmitRejection:
    return _pb.SubmitRejection(
        reason=reason_number(reason),
        message=message,
        retry_in_ms=None if retry_after_s is None else whole_ms(retry_after_s),
        next_nonce=next_nonce,
        values=values,
    )


class TransactionApi:
    """Serves ``alatau.api.v1.TransactionService``."""

    def __init__(
        self,
        node: Node,
        feed: Feed,
        submission: Submission,
        calls: Calls,
        streams: FairSlots,
        waits: FairSlots,
        tokens: Tokens,
        limits: Limits,
    ) -> None:
        self._tokens = tokens
        self._streams = streams
        self._waits = waits
        self._node = node
        self._feed = feed
        self._submission = submission
        self._calls = calls
        self._limits = limits

    async def submit_transaction(
        self, request: _pb.SubmitTransactionRequest, call: Call
    ) -> _pb.SubmitTransactionResponse:
        """Offer one transaction to the pool."""
        state = await self._submit_one(request.transaction, call)
        return _pb.SubmitTransactionResponse(
            hash=keccak256(request.transaction),
            state=write_state(state),
            missing_nonce=self._node.mempool.missing_nonce(keccak256(request.transaction)),
        )

    async def batch_submit_transactions(
        self, request: _pb.BatchSubmitTransactionsRequest, call: Call
    ) -> _pb.BatchSubmitTransactionsResponse:
        """Offer many; each has its own result."""
        return _pb.BatchSubmitTransactionsResponse(results=await self._submit_batch(request.transactions, call))

    async def submit_transactions(
        self,
        requests: AsyncIterator[_pb.SubmitTransactionsRequest],
        call: Call,
        send: Callable[[_pb.SubmitTransactionsResponse], Awaitable[None]],
    ) -> None:
        """Answer batch after batch.

        Raises:
            RpcError: what ends the stream, with the batch at which it ended in metadata ``sequence``, or, where its
                bytes are no batch, with the one before in ``after_sequence``.
        """
        with self._streams.take(caller_of(call)):
            answered: int | None = None
            try:
                async for request in requests:
                    await send(await self._answer_batch(request, call))
                    answered = request.sequence
            except RpcError as error:
                if answered is not None and "sequence" not in error.metadata:
                    error.metadata["after_sequence"] = str(answered)
                raise

    async def _answer_batch(self, request: _pb.SubmitTransactionsRequest, call: Call) -> _pb.SubmitTransactionsResponse:
        """The answer to a batch of a stream, also where all of it is refused: the stream goes on.

        Raises:
            RpcError: what ends the stream, with the batch at which it ended in metadata ``sequence``.
        """
        response = _pb.SubmitTransactionsResponse(sequence=request.sequence)
        try:
            response.results.extend(await self._submit_batch(request.transactions, call))
        except RpcError as error:
            if error.code not in _CONCERNS_THE_BATCH:
                error.metadata["sequence"] = str(request.sequence)
                raise
            response.rejection.CopyFrom(_rejection(error.reason, error.message, error.retry_after_s))
            if len(request.transactions) <= self._limits.batch_transactions_max:
                response.results.extend(
                    _pb.SubmitResult(hash=keccak256(tx), state=_REFUSED, rejection=response.rejection)
                    for tx in request.transactions
                )
        return response

    async def submit_and_wait(self, request: _pb.SubmitAndWaitRequest, call: Call) -> _pb.SubmitAndWaitResponse:
        """Offer one transaction and wait until it is final."""
        with self._waits.take(caller_of(call)):  # taken first: who is refused a place has submitted nothing
            await self._submit_one(request.transaction, call)
            return _pb.SubmitAndWaitResponse(receipt=await self._await_receipt(keccak256(request.transaction), call))

    async def get_transaction(self, request: _pb.GetTransactionRequest, call: Call) -> _pb.GetTransactionResponse:
        """A transaction by its hash, or by who sent it."""
        checks = Checks()
        if request.HasField("sent") and request.hash:
            checks.add("hash", "and `sent` exclude each other")
        elif not request.HasField("sent") and not request.hash:
            checks.add("hash", "is missing: give it, or `sent`")
            checks.finish()
        if request.HasField("sent"):
            height, index = self._find_sent(checks, request.sent)
        else:
            transaction_hash = checks.hash("hash", request.hash)
            checks.finish()
            place = self._node.store.find_transaction(transaction_hash)
            if place is None:
                return self._pooled_transaction(transaction_hash)
            height, index = place
        final = self._feed.recent(height)
        if final is not None:
            tx, sender = final.block.transactions[index], final.senders[index]
        else:
            tx = await self._feed.read(caller_of(call), stored_transaction, height, index)
            sender = recover_sender(tx)
        position = Position(height, self._node.store.hash_of(height), index)
        return _pb.GetTransactionResponse(
            transaction=write_transaction(tx, sender), state=_FINAL, position=write_position(position)
        )

    def _find_sent(self, checks: Checks, sent: _pb.SenderNonce) -> tuple[int, int]:
        sender = checks.address("sent.sender", sent.sender)
        checks.finish()
        if self._node.store.indexed_from is None:
            raise index_off()
        place = self._node.store.find_sent(sender, sent.nonce)
        if place is None:
            what = f"no final transaction of 0x{sender.hex()} with nonce {sent.nonce} is indexed here"
            raise failure("TRANSACTION_NOT_FOUND", what)
        return place.height, place.index

    async def list_transactions(self, request: _pb.ListTransactionsRequest, call: Call) -> _pb.ListTransactionsResponse:
        """What an account sent or was paid by, in pages."""
        return await list_account_transactions(self._node.store, self._feed, self._tokens, self._limits, request, call)

    def _pooled_transaction(self, transaction_hash: bytes) -> _pb.GetTransactionResponse:
        pooled = self._node.mempool.pooled(transaction_hash)
        if pooled is None:
            raise self._unknown(transaction_hash)
        return _pb.GetTransactionResponse(
            transaction=write_transaction(pooled.tx, pooled.sender),
            state=_POOLED,
            missing_nonce=self._node.mempool.missing_nonce(transaction_hash),
        )

    def _unknown(self, transaction_hash: bytes) -> RpcError:
        """What to say of a transaction that is neither final nor pooled."""
        departed, name = self._node.mempool.departed(transaction_hash), f"transaction 0x{transaction_hash.hex()}"
        if departed is None:
            return failure("TRANSACTION_NOT_FOUND", f"{name} is not known here")
        message = f"{name} left the pool without being in a block: {departed}"
        return failure("TRANSACTION_DROPPED", message, metadata={"dropped": departed})

    async def get_receipt(self, request: _pb.GetReceiptRequest, call: Call) -> _pb.GetReceiptResponse:
        """The outcome of a final transaction; with ``wait``, once it is final."""
        checks = Checks()
        transaction_hash = checks.hash("hash", request.hash)
        checks.finish()
        if request.wait and not self._submission.is_final(transaction_hash):
            with self._waits.take(caller_of(call)):
                return _pb.GetReceiptResponse(receipt=await self._await_receipt(transaction_hash, call))
        if not self._submission.is_final(transaction_hash) and self._node.mempool.pooled(transaction_hash) is not None:
            raise failure("TRANSACTION_NOT_FINAL", f"transaction 0x{transaction_hash.hex()} waits in the pool")
        return _pb.GetReceiptResponse(receipt=await self._receipt(transaction_hash, call))

    async def get_receipt_proof(self, request: _pb.GetReceiptProofRequest, call: Call) -> _pb.GetReceiptProofResponse:
        """Proof of a final transaction and its outcome, from the store: nothing of it is kept at hand."""
        checks = Checks()
        transaction_hash = checks.hash("hash", request.hash)
        checks.finish()
        if not self._submission.is_final(transaction_hash) and self._node.mempool.pooled(transaction_hash) is not None:
            raise failure("TRANSACTION_NOT_FINAL", f"transaction 0x{transaction_hash.hex()} waits in the pool")
        height, index = self._find(transaction_hash)
        return _pb.GetReceiptProofResponse(
            proof=await self._feed.read(caller_of(call), stored_receipt_proof, height, index)
        )

    async def call(self, request: _pb.CallRequest, call: Call) -> _pb.CallResponse:
        """Run a message call on committed state."""
        height = request.height if request.HasField("height") else None
        return await self._calls.call(caller_of(call), request.message, height)

    async def estimate_gas(self, request: _pb.EstimateGasRequest, call: Call) -> _pb.EstimateGasResponse:
        """The least gas limit with which a transaction succeeds."""
        height = request.height if request.HasField("height") else None
        return await self._calls.estimate(caller_of(call), request.message, height)

    async def trace(self, request: _pb.TraceRequest, call: Call) -> _pb.TraceResponse:
        """What a final transaction, or a message call, did."""
        if request.WhichOneof("subject") == "message":
            asked = request.height if request.HasField("height") else None
            return await self._calls.trace(caller_of(call), request.message, asked)
        checks = Checks()
        if request.WhichOneof("subject") is None:
            checks.add("subject", "is missing: give `transaction_hash` or `message`")
            checks.finish()
        transaction_hash = checks.hash("transaction_hash", request.transaction_hash)
        if request.HasField("height"):
            checks.add("height", "is for message calls: a transaction runs where it stands")
        checks.finish()
        height, index = self._find(transaction_hash)
        final = self._feed.recent(height)
        block = await self._feed.read(caller_of(call), Store.block, height) if final is None else final.block
        assert block is not None, "the store has the block of a final transaction"
        return await self._calls.trace_transaction(caller_of(call), block, index)

    async def _submit_one(self, transaction: bytes, call: Call) -> TransactionState | None:
        checks = Checks()
        if not transaction:
            checks.add("transaction", "is empty")
        checks.finish()
        state, refusal = (await self._submission.offer([transaction], call))[0]
        if refusal is not None:
            raise failure(
                refusal.reason,
                refusal.message,
                metadata={"transaction_hash": f"0x{keccak256(transaction).hex()}"}
                | dict(refusal.values)
                | ({} if refusal.next_nonce is None else {"next_nonce": str(refusal.next_nonce)}),
                retry_after_s=refusal.retry_after_s,
            )
        return state

    async def _submit_batch(self, transactions: Sequence[bytes], call: Call) -> list[_pb.SubmitResult]:
        limits, checks = self._limits, Checks()
        checks.count("transactions", transactions, 1, limits.batch_transactions_max)
        checks.at_most("transactions", sum(map(len, transactions)), limits.batch_bytes_max)
        checks.finish()
        outcomes = await self._submission.offer(transactions, call)
        return [
            _pb.SubmitResult(
                hash=hash_,
                state=_REFUSED if state is None else write_state(state),
                rejection=None
                if refusal is None
                else _rejection(
                    refusal.reason, refusal.message, refusal.retry_after_s, refusal.next_nonce, refusal.values
                ),
                missing_nonce=None if state is not TransactionState.POOLED else self._node.mempool.missing_nonce(hash_),
            )
            for hash_, (state, refusal) in zip(map(keccak256, transactions), outcomes, strict=True)
        ]

    async def _await_receipt(self, transaction_hash: bytes, call: Call) -> transaction_pb2.Receipt:
        """Wait until a transaction is final, at most until shortly before the deadline."""
        remaining_s = call.remaining_s()
        wait_s = self._limits.wait_s_max
        if remaining_s is not None:
            margin_s = min(max(remaining_s / 10, _ANSWER_MARGIN_S), _ANSWER_MARGIN_S_MAX)
            wait_s = min(wait_s, max(0.0, remaining_s - margin_s))
        with trio.move_on_after(wait_s) as scope:
            await self._feed.wait_final(transaction_hash)
        if scope.cancelled_caught:
            pooled = self._node.mempool.pooled(transaction_hash) is not None
            where = "it waits in the pool" if pooled else "it is not in this node's pool: send it again"
            raise failure(
                "NOT_FINAL_IN_TIME",
                f"transaction 0x{transaction_hash.hex()} was not final before the deadline; {where}",
                metadata={"transaction_hash": f"0x{transaction_hash.hex()}", "pooled": str(pooled).lower()},
            )
        return await self._receipt(transaction_hash, call)

    async def _receipt(self, transaction_hash: bytes, call: Call) -> transaction_pb2.Receipt:
        height, index = self._find(transaction_hash)
        final = self._feed.recent(height)
        if final is None:
            return await self._feed.read(caller_of(call), stored_receipt, height, index)
        return fit_receipt(write_receipt(transaction_receipt(final, index)))

    def _find(self, transaction_hash: bytes) -> tuple[int, int]:
        place = self._node.store.find_transaction(transaction_hash)
        if place is None:
            raise self._unknown(transaction_hash)
        return place
