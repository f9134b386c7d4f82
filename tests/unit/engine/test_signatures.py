"""Recovering senders, in place and in a thread."""

import sys
from dataclasses import replace

import pytest

from alatau.engine.signatures import recover_senders, recover_senders_beside
from alatau.types.transaction import TransactionError
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
