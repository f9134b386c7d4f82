"""Tracers: what a transaction did, call by call, step by step, or as the state before and after it.

Each is an ``alatau.evm.frame.Tracer`` to hand to ``apply_transaction`` or ``call``; the results then are plain
records. They follow the tracers of other Ethereum clients in content; the edges turn them into JSON.
"""

from alatau.evm.tracing.call_tracer import CallTrace, CallTracer
from alatau.evm.tracing.prestate_tracer import AccountSnapshot, PrestateTracer
from alatau.evm.tracing.struct_logs import StructLog, StructLogTracer

__all__ = ["AccountSnapshot", "CallTrace", "CallTracer", "PrestateTracer", "StructLog", "StructLogTracer"]
