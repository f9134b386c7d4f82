"""Calls of a trace, for people and for scripts."""

from typing import Any

from alatau.cli.events import EventNames
from alatau.cli.values import shown
from alatau.client.abi import Abi, Function, decode
from alatau.client.contract_plans import failure_of
from alatau.client.errors import AbiError
from alatau.wire.trace import TracedCall


def call_document(call: TracedCall, names: EventNames) -> dict[str, Any]:
    """A call as JSON has it."""
    known = None if call.to is None else names.contract(call.to)
    abi = Abi(()) if known is None else known[1]
    failure = failure_of(call, abi)
    function, arguments = _decoded(call, abi)
    return {
        "depth": call.depth,
        "kind": call.kind,
        "caller": call.caller,
        "to": call.to,
        "contract": None if known is None else known[0],
        "function": function,
        "arguments": arguments,
        "value": call.value,
        "gas": call.gas,
        "gas_used": call.gas_used,
        "input": call.input,
        "output": call.output,
        "outcome": "succeeded" if failure is None else str(failure.outcome),
        "reason": None if failure is None else failure.reason,
    }


def call_line(call: TracedCall, names: EventNames) -> str:
    """A call in a line, further to the right the deeper it lies."""
    facts = call_document(call, names)
    to = "-" if call.to is None else "0x" + call.to.hex()
    where = facts["contract"] or to
    if facts["function"] is not None:
        members = ", ".join(f"{name}={value}" for name, value in facts["arguments"].items())
        what = f"{where}.{facts['function']}({members})"
    else:
        data = call.input[:4].hex()
        what = where if call.kind.startswith("CREATE") or not data else f"{where} 0x{data}"
    value = f" with {call.value} wei" if call.value else ""
    end = "" if facts["outcome"] == "succeeded" else f" -- {facts['outcome']}: {facts['reason']}"
    return f"{'  ' * call.depth}{call.kind} {what}{value}, {call.gas_used} gas{end}"


def _decoded(call: TracedCall, abi: Abi) -> tuple[str | None, dict[str, Any] | None]:
    """The function that is called and its arguments by name; the trace may have cut the input short."""
    function = _function(abi, call.input[:4])
    if function is None or call.kind.startswith("CREATE"):
        return None, None
    try:
        values = decode(function.inputs, call.input[4:], function.name)
    except AbiError:
        return None, None
    names = [name or f"argument {index}" for index, name in enumerate(function.input_names)]
    return function.name, dict(zip(names, map(shown, values), strict=True))


def _function(abi: Abi, selector: bytes) -> Function | None:
    return next((f for same in abi.functions.values() for f in same if f.selector == selector), None)
