"""Measuring what each transaction of a block costs while the block is built or checked."""

from collections.abc import Callable, Generator
from time import thread_time_ns
from typing import Any, TypeVar

T = TypeVar("T")


def measured(
    work: Generator[int | None, Any, T],
    spent: Callable[[int, int], None],
    clock_ns: Callable[[], int] = thread_time_ns,
) -> Generator[None, Any, T]:
    """The same work; ``spent`` is told of each transaction's gas and time in microseconds.

    A transaction ends with the step that yields its gas; steps that yield None before belong to it. The clock is this
    thread's CPU time, so that a busy machine is no sender's fault.
    """
    elapsed_ns, sent = 0, None
    while True:
        began_ns = clock_ns()
        try:
            gas = work.send(sent)
        except StopIteration as end:
            result: T = end.value
            return result
        elapsed_ns += clock_ns() - began_ns
        if gas is not None:
            spent(gas, elapsed_ns // 1_000)
            elapsed_ns = 0
        sent = yield
