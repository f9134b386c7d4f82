"""``debug_trace*`` and ``debug_getRaw*``: what a transaction did, under one of geth's tracers, and its encodings.

Tracing runs beside consensus like every other read, in turn and bounded by gas and by what one answer may hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from alatau.chain.message import CallRequest, call_on
from alatau.chain.tracing import prestate_tracer, trace_transaction
from alatau.chain.transaction import TransactionResult, apply_transaction
from alatau.codec import rlp
from alatau.evm.calls import create_address
from alatau.evm.environment import BlockEnvironment
from alatau.evm.frame import Tracer
from alatau.evm.precompiles import precompiles
from alatau.evm.tracing import CallTracer, PrestateTracer, StructLogTracer
from alatau.jsonrpc.asked import Asked, Encoded
from alatau.jsonrpc.block_id import BlockId, read_block_id, read_block_number
from alatau.jsonrpc.call_object import read_call
from alatau.jsonrpc.calls import CallMethods, Setting
from alatau.jsonrpc.chain_methods import ChainMethods
from alatau.jsonrpc.envelope import encode
from alatau.jsonrpc.errors import INVALID_PARAMS, LIMIT_EXCEEDED, SERVER_ERROR, JsonRpcError, invalid_params
from alatau.jsonrpc.overrides import read_block_overrides, read_state_overrides
from alatau.jsonrpc.trace_objects import call_object, changes_object, prestate_object, selectors_object, steps_object
from alatau.jsonrpc.values import data, field, read_bool, read_hash, read_object
from alatau.rpc.access import caller_of
from alatau.rpc.final_block import FinalBlock
from alatau.rpc.services import Parts
from alatau.rpc.state_worker import Piece
from alatau.rpc.tracing import open_block
from alatau.state.block_state import BlockState
from alatau.state.parent import ParentState
from alatau.storage.frozen_state import FrozenState
from alatau.types.account import EMPTY_ACCOUNT
from alatau.types.header import encode_header
from alatau.types.receipt import encode_receipt
from alatau.types.transaction import Transaction, TransactionType

STEPS_MAX: Final = 100_000
"""Instructions in one answer: about 15 MB without memory. More is an error that says so."""
ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
"""JSON of one answer."""
_TRACERS: Final = frozenset({"", "callTracer", "prestateTracer", "4byteTracer", "noopTracer"})


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """Which tracer, and how."""

    tracer: str
    """Empty for the instructions one by one."""
    only_top: bool
    with_log: bool
    diff: bool
    stack: bool
    memory: bool
    storage: bool
    return_data: bool
    limit: int


def read_options(value: Any) -> TraceOptions:
    """What geth calls ``TraceConfig``."""
    document = read_object(value)
    tracer = document.get("tracer") or ""
    if tracer not in _TRACERS:
        raise invalid_params(f"tracer {str(tracer)[:60]!r} is none of {', '.join(sorted(_TRACERS - {''}))}")
    config: Mapping[str, Any] = field(document, "tracerConfig", read_object) or {}

    def flag(source: Mapping[str, Any], name: str) -> bool:
        return field(source, name, read_bool) or False

    limit = document.get("limit") or 0
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise invalid_params(f"limit: {str(limit)[:40]} is no count")
    return TraceOptions(
        tracer=tracer,
        only_top=flag(config, "onlyTopCall"),
        with_log=flag(config, "withLog"),
        diff=flag(config, "diffMode"),
        stack=not flag(document, "disableStack"),
        memory=flag(document, "enableMemory"),
        storage=not flag(document, "disableStorage"),
        return_data=flag(document, "enableReturnData"),
        limit=limit,
    )


_DEFAULT: Final = read_options({})


class Trace:
    """One transaction or call under the tracer that was asked for."""

    def __init__(self, options: TraceOptions, make_prestate: Callable[[], PrestateTracer]) -> None:
        """``make_prestate`` is called where that is the tracer, before anything runs."""
        self._options = options
        self.tracer: Tracer
        match options.tracer:
            case "callTracer" | "4byteTracer":
                self.tracer = CallTracer()
            case "prestateTracer":
                self.tracer = make_prestate()
            case "noopTracer":
                self.tracer = Tracer()
            case _:
                self.tracer = StructLogTracer(
                    stack=options.stack,
                    memory=options.memory,
                    storage=options.storage,
                    return_data=options.return_data,
                    limit=min(options.limit or STEPS_MAX, STEPS_MAX),
                )

    def result(self, block: BlockEnvironment, gas: int, result: TransactionResult) -> Any:
        """What it saw; ``gas`` is the limit that the transaction had."""
        options, tracer = self._options, self.tracer
        match tracer:
            case CallTracer():
                assert tracer.root is not None, "a transaction is a call"
                if tracer.truncated:
                    raise _too_long("the trace has more calls, or more data, than one answer holds")
                if options.tracer == "4byteTracer":
                    return selectors_object(tracer.root, dict(precompiles(block.fork)))
                return call_object(tracer.root, gas, result, only_top=options.only_top, with_log=options.with_log)
            case PrestateTracer():
                return changes_object(tracer) if options.diff else prestate_object(tracer)
            case StructLogTracer():
                if tracer.truncated and (not options.limit or options.limit > STEPS_MAX):
                    raise _too_long(f"the trace has more than {STEPS_MAX} instructions: name a limit, or a tracer")
                return steps_object(tracer.logs, result)
        return {}


class TraceMethods:
    """Runs again, watched."""

    def __init__(self, parts: Parts, chain: ChainMethods, calls: CallMethods) -> None:
        self._node = parts.node
        self._calls = parts.calls
        self._chain = chain
        self._call_methods = calls

    async def trace_transaction(self, asked: Asked) -> Any:
        """A final transaction."""
        asked.most(2)
        hash_, options = asked.at(0, read_hash), asked.get(1, read_options, _DEFAULT)
        place = self._node.store.find_transaction(hash_)
        if place is None:
            # Tools find out with the hash of zeros whether there is a tracer, and look for this code.
            raise JsonRpcError(SERVER_ERROR if any(hash_) else INVALID_PARAMS, "transaction not found")
        final = await self._final(asked, BlockId(height=place[0]))
        index = place[1]

        def work(block: BlockEnvironment, state: FrozenState) -> Encoded:
            tx, sender = final.block.transactions[index], final.senders[index]
            made: list[Trace] = []

            def make(found: BlockState) -> Tracer:
                made.append(Trace(options, lambda: prestate_tracer(block, found, tx, sender)))
                return made[0].tracer

            opened = open_block(final.block, block, state)
            result = trace_transaction(block, opened, _signed(final, index + 1), index, make)
            return _encoded(made[0].result(block, tx.gas_limit, result))

        return await self._in_block(asked, final, work)

    async def trace_block_by_number(self, asked: Asked) -> Any:
        """Every transaction of a block."""
        asked.most(2)
        return await self._trace_block(asked, asked.at(0, read_block_number))

    async def trace_block_by_hash(self, asked: Asked) -> Any:
        """The same by its hash."""
        asked.most(2)
        return await self._trace_block(asked, BlockId(hash=asked.at(0, read_hash)))

    async def trace_call(self, asked: Asked) -> Any:
        """A call of nobody's, with overrides."""
        asked.most(3)
        request = asked.at(0, lambda value: read_call(value, self._node.config.chain_id))
        options = asked.get(2, read_options, _DEFAULT)
        document: Mapping[str, Any] = asked.get(2, read_object, {})
        setting = Setting(
            asked.get(1, read_block_id, BlockId()),
            field(document, "stateOverrides", read_state_overrides) or {},
            field(document, "blockOverrides", read_block_overrides) or (lambda block: block),
        )

        def work(block: BlockEnvironment, parent: ParentState, bounded: CallRequest) -> Encoded:
            state = BlockState(parent)
            nonce = (parent.account(bounded.sender) or EMPTY_ACCOUNT).nonce
            to = create_address(bounded.sender, nonce) if bounded.to is None else bounded.to
            trace = Trace(options, lambda: PrestateTracer(state, (bounded.sender, to, block.beneficiary)))
            result = call_on(block, state, bounded, trace.tracer)
            assert bounded.gas is not None, "a call has a bound"
            return _encoded(trace.result(block, bounded.gas, result))

        return await self._call_methods.run(asked, request, setting, work)

    async def raw_header(self, asked: Asked) -> Any:
        """The header, as it is hashed."""
        asked.most(1)
        return data(encode_header((await self._final(asked, asked.at(0, read_block_id))).block.header))

    async def raw_block(self, asked: Asked) -> Any:
        """The block as Ethereum encodes it: header, transactions, no uncles, no withdrawals (EIP-4895)."""
        asked.most(1)
        block = (await self._final(asked, asked.at(0, read_block_id))).block
        transactions = [
            tx.encoded if tx.type is TransactionType.LEGACY else rlp.encode(tx.encoded) for tx in block.transactions
        ]
        body = rlp.wrap_list(b"".join(transactions)) + rlp.encode([]) + rlp.encode([])
        return data(rlp.wrap_list(encode_header(block.header) + body))

    async def raw_receipts(self, asked: Asked) -> Any:
        """The receipts, as their trie holds them."""
        asked.most(1)
        final = await self._final(asked, asked.at(0, read_block_id))
        return [data(encode_receipt(receipt)) for receipt in final.receipts]

    async def raw_transaction(self, asked: Asked) -> Any:
        """The signed bytes; ``0x`` where it is not known here, as geth says it."""
        return await self._chain.raw_transaction_by_hash(asked) or "0x"

    async def _trace_block(self, asked: Asked, block_id: BlockId) -> Any:
        options = asked.get(1, read_options, _DEFAULT)
        final = await self._final(asked, block_id)
        if not final.height:
            raise JsonRpcError(SERVER_ERROR, "genesis is not traceable")

        def work(block: BlockEnvironment, state: FrozenState) -> Encoded:
            opened, traces, size = open_block(final.block, block, state), [], 0
            for tx, sender in _signed(final, len(final.block.transactions)):
                one, result = _trace_next(options, block, opened, tx, sender)
                told = _encoded(one.result(block, tx.gas_limit, result)).json
                traces.append(b'{"txHash":%b,"result":%b}' % (encode(data(tx.hash)), told))
                size += len(traces[-1])
                if size > ANSWER_BYTES_MAX:
                    raise _too_long("the traces of this block are larger than one answer may be: trace by transaction")
            return Encoded(b"[" + b",".join(traces) + b"]")

        return await self._in_block(asked, final, work)

    async def _final(self, asked: Asked, block: BlockId) -> FinalBlock:
        return await self._chain.final_or_error(asked, block)

    async def _in_block(
        self, asked: Asked, final: FinalBlock, work: Callable[[BlockEnvironment, FrozenState], Encoded]
    ) -> Encoded:
        caller = caller_of(asked.call)
        piece = Piece(caller, (asked.method, caller, final.height))
        return await self._calls.run_before(piece, final.block, work)


def _trace_next(
    options: TraceOptions, block: BlockEnvironment, state: BlockState, tx: Transaction, sender: bytes
) -> tuple[Trace, TransactionResult]:
    trace = Trace(options, lambda: prestate_tracer(block, state, tx, sender))
    return trace, apply_transaction(block, state, tx, sender, trace.tracer)


def _signed(final: FinalBlock, count: int) -> list[tuple[Transaction, bytes]]:
    return list(zip(final.block.transactions[:count], final.senders[:count], strict=True))


def _encoded(document: Any) -> Encoded:
    encoded = encode(document)
    if len(encoded) > ANSWER_BYTES_MAX:
        raise _too_long("the trace is larger than one answer may be: leave out the stack, or name a limit")
    return Encoded(encoded)


def _too_long(text: str) -> JsonRpcError:
    return JsonRpcError(LIMIT_EXCEEDED, text)
