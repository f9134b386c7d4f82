"""Make a case that shows a difference small enough to read.

Bytes keep their places: code is shortened from its end, and instructions inside are replaced by JUMPDEST, so
that jump targets stay where they are.
"""

from collections.abc import Callable, Iterator
from typing import Any

Case = dict[str, Any]
_JUMPDEST = "5b"


def shrink(case: Case, differs: Callable[[Case], bool], budget: int = 400) -> Case:
    """A smaller case that still differs; ``budget`` bounds the number of trials."""
    best, again = case, True
    while again and budget > 0:
        again = False
        for smaller in _smaller(best):
            budget -= 1
            if budget <= 0:
                break
            if differs(smaller):
                best, again = smaller, True
                break
    return best


def _smaller(case: Case) -> Iterator[Case]:
    """Candidates, the boldest first."""
    yield from _fewer_transactions(case)
    for address in case["pre"]:
        yield {**case, "pre": {key: account for key, account in case["pre"].items() if key != address}}
    for address, account in case["pre"].items():
        for change in _smaller_account(account):
            yield {**case, "pre": {**case["pre"], address: change}}


def _fewer_transactions(case: Case) -> Iterator[Case]:
    transactions = case["txs"]
    for index in range(len(transactions) - 1, -1, -1):
        if len(transactions) > 1:
            yield {**case, "txs": transactions[:index] + transactions[index + 1 :]}


def _smaller_account(account: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for slot in account["storage"]:
        yield {**account, "storage": {k: v for k, v in account["storage"].items() if k != slot}}
    digits = account["code"].removeprefix("0x")
    size = len(digits) // 2
    step = size
    while step:
        if step < size or size == 1:
            yield {**account, "code": "0x" + digits[: 2 * (size - step)]}
        step //= 2
    step = size // 2
    while step:
        for at in range(0, size, step):
            end = min(at + step, size)
            replaced = digits[: 2 * at] + _JUMPDEST * (end - at) + digits[2 * end :]
            if replaced != digits:
                yield {**account, "code": "0x" + replaced}
        step //= 2
