"""Recovering senders, in place and in a thread."""

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
import trio

from alatau.engine import signatures
from alatau.engine.signatures import recover_senders, recover_senders_beside
from alatau.types.transaction import Transaction, TransactionError
from tests.support.small_network import PAYER, payment


@pytest.mark.trio
@pytest.mark.parametrize("count", [0, 1, 2, 3, 300])
async def test_each_transaction_gets_its_sender(count: int) -> None:
    """Few or many, in their order."""
    assert await recover_senders([payment(n) for n in range(count)]) == [PAYER.address] * count


@pytest.mark.trio
async def test_recovering_beside_other_work_leaves_the_interpreter_as_it_was() -> None:
    """The thread gets the interpreter sooner for as long as it recovers, and no longer."""
    usual = sys.getswitchinterval()
    assert await recover_senders_beside([payment(n) for n in range(4)]) == [PAYER.address] * 4
    assert sys.getswitchinterval() == usual


@pytest.mark.trio
async def test_a_bad_signature_spoils_only_its_own() -> None:
    """One that recovers no key is named in its place."""
    bad = replace(payment(1), r=2**256 - 2**32 - 978, s=1)
    senders = await recover_senders([payment(0), bad, payment(2), payment(3)])
    assert [senders[0], senders[2], senders[3]] == [PAYER.address] * 3
    assert isinstance(senders[1], TransactionError)
    assert senders[1].reason == "SIGNATURE_INVALID"


class Visits:
    """Who recovers how many, and how many at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.threads: set[int] = set()
        self.at_once = 0
        self._running = 0
        recover = signatures._recover

        def noted(transactions: Sequence[Transaction]) -> list[bytes | TransactionError]:
            self._running += 1
            self.at_once = max(self.at_once, self._running)
            self.sizes.append(len(transactions))
            self.threads.add(threading.get_ident())
            found = recover(transactions)
            time.sleep(0.02)  # long enough for another thread to begin, if it may
            self._running -= 1
            return found

        monkeypatch.setattr(signatures, "_recover", noted)


@pytest.mark.trio
@pytest.mark.parametrize(("count", "in_place"), [(2, True), (3, False)])
async def test_few_are_recovered_in_place(monkeypatch: pytest.MonkeyPatch, count: int, in_place: bool) -> None:
    """The way to a thread costs as much as two and a half of them."""
    visits = Visits(monkeypatch)
    await recover_senders([payment(n) for n in range(count)])
    assert (threading.get_ident() in visits.threads) is in_place
    assert len(visits.threads) == 1


@pytest.mark.trio
async def test_many_are_recovered_in_portions_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shutdown waits for a portion at most, and two threads would only contend for the interpreter."""
    visits = Visits(monkeypatch)
    many = [payment(0)] * 257
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recover_senders, many)
        nursery.start_soon(recover_senders, many)
    assert sorted(visits.sizes) == [1, 1, 256, 256]
    assert visits.at_once == 1
