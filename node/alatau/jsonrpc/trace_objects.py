"""Traces as JSON objects, in the form of geth's tracers."""

from collections import Counter
from typing import Any, Final

from alatau.chain.transaction import TransactionResult
from alatau.evm.precompiles import Precompile
from alatau.evm.tracing import AccountSnapshot, CallTrace, PrestateTracer, StructLog
from alatau.jsonrpc.values import data, optional_data, quantity, word

_CREATIONS: Final = frozenset({"CREATE", "CREATE2"})
_WORD: Final = 32


def call_object(
    root: CallTrace, gas: int, result: TransactionResult, *, only_top: bool, with_log: bool
) -> dict[str, Any]:
    """The tree of calls; the transaction's own has the transaction's gas. No recursion: calls nest 1,024 deep."""
    top = _call(root, with_log=with_log) | {"gas": quantity(gas), "gasUsed": quantity(result.gas_used)}
    waiting = [] if only_top else [(top, root)]
    while waiting:
        body, entry = waiting.pop()
        if not entry.calls:
            continue
        inner = [_call(one, with_log=with_log) for one in entry.calls]
        body["calls"] = inner
        waiting += zip(inner, entry.calls, strict=True)
    return top


def _call(entry: CallTrace, *, with_log: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": entry.kind,
        "from": data(entry.caller),
        "gas": quantity(entry.gas),
        "gasUsed": quantity(entry.gas_used),
        "input": data(entry.data),
    }
    if entry.to is not None:
        body["to"] = data(entry.to)
    if entry.value is not None:
        body["value"] = quantity(entry.value)
    if entry.output:
        body["output"] = data(entry.output)
    if entry.error is not None:
        body["error"] = entry.error
    if entry.revert_reason is not None:
        body["revertReason"] = entry.revert_reason
    if with_log and entry.logs:
        body["logs"] = [
            {"address": data(log.address), "topics": [data(topic) for topic in log.topics], "data": data(log.data)}
            for log in entry.logs
        ]
    return body


def selectors_object(root: CallTrace, precompiled: dict[int, Precompile]) -> dict[str, int]:
    """``4byteTracer``: how often each function was called, by selector and size of its arguments."""
    found: Counter[str] = Counter()
    waiting = [root]
    while waiting:
        entry = waiting.pop()
        waiting += entry.calls
        is_code = entry.to is not None and int.from_bytes(entry.to) not in precompiled
        if is_code and entry.kind not in _CREATIONS and len(entry.data) >= 4:
            found[f"{data(entry.data[:4])}-{len(entry.data) - 4}"] += 1
    return dict(found)


def prestate_object(tracer: PrestateTracer) -> dict[str, Any]:
    """The accounts that the transaction looked at, as it found them."""
    return {data(address): _account(account) for address, account in tracer.existing().items()}


def changes_object(tracer: PrestateTracer) -> dict[str, Any]:
    """What the transaction changed: accounts before, and of them after only what is other."""
    before, after = tracer.changes()
    return {
        "pre": {data(address): _account(account) for address, account in before.items()},
        "post": {data(address): _changed(before.get(address), account) for address, account in after.items()},
    }


def _account(account: AccountSnapshot) -> dict[str, Any]:
    body: dict[str, Any] = {"balance": quantity(account.balance)}
    if account.nonce:
        body["nonce"] = account.nonce
    if account.code:
        body["code"] = data(account.code)
    if account.storage:
        body["storage"] = {word(slot): word(held) for slot, held in account.storage.items()}
    return body


def _changed(old: AccountSnapshot | None, new: AccountSnapshot) -> dict[str, Any]:
    body = _account(new)
    if old is not None:
        for name, same in (
            ("balance", old.balance == new.balance),
            ("nonce", old.nonce == new.nonce),
            ("code", old.code == new.code),
        ):
            if same:
                body.pop(name, None)
    if "storage" in body:  # a slot that became zero is in pre only
        body["storage"] = {slot: held for slot, held in body["storage"].items() if int(held, 16)}
        if not body["storage"]:
            del body["storage"]
    return body


def steps_object(steps: list[StructLog], result: TransactionResult) -> dict[str, Any]:
    """The instructions of a transaction, one by one."""
    returned = result.output if result.succeeded or result.reverted else b""
    return {
        "gas": result.gas_used,
        "failed": not result.succeeded,
        "returnValue": data(returned),
        "structLogs": [_step(step) for step in steps],
    }


def _step(step: StructLog) -> dict[str, Any]:
    body: dict[str, Any] = {
        "pc": step.pc,
        "op": step.op,
        "gas": step.gas,
        "gasCost": step.gas_cost,
        "depth": step.depth,
    }
    if step.error is not None:
        body["error"] = step.error
    if step.refund:
        body["refund"] = step.refund
    if step.stack is not None:
        body["stack"] = [quantity(item) for item in step.stack]
    if step.memory is not None:
        memory = step.memory
        body["memory"] = [data(memory[at : at + _WORD]) for at in range(0, len(memory), _WORD)]
    if step.storage is not None:
        body["storage"] = {word(slot): word(held) for slot, held in step.storage.items()}
    if step.return_data is not None:
        body["returnData"] = optional_data(step.return_data)
    return body
