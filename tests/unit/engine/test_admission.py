"""The way into the pool: whose turn it is, what is checked first, and whose fault a refusal is."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
import trio.testing

from alatau.chain.execution import block_environment
from alatau.chain.permission import Licence, ParticipantKind, status_word
from alatau.engine import admission as admission_module
from alatau.engine.admission import Admission, AdmissionView, sender_class_of
from alatau.engine.verdict import Blame, Outcome, Refused
from alatau.mempool.fair_queue import QueueLimits
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.pool import Mempool
from alatau.mempool.shares import SenderClass
from alatau.types.transaction import (
    Transaction,
    TransactionError,
    TransactionSignatureError,
    decode_transaction,
    recover_sender,
)
from tests.support.small_network import PAYEE, PAYER, SmallNetwork, payment, small_network
from tests.support.transactions import signed

PEER = b"\x77" * 20


@dataclass
class Entry:
    """An admission and what it told others."""

    admission: Admission
    mempool: Mempool
    blamed: list[tuple[bytes, Blame, int]] = field(default_factory=list)
    recovered: list[Transaction] = field(default_factory=list)

    async def take(self, encoded: bytes, client: str = "client") -> Outcome:
        """One transaction of a client."""
        return (await self.admission.submit([encoded], client))[0]

    async def hear(self, *encoded: bytes) -> None:
        """Gossip of a peer, admitted when this returns."""
        self.admission.offer(encoded, PEER)
        await self.admission.submit([b"\x00"], "who asks last")


@asynccontextmanager
async def open_entry(
    monkeypatch: pytest.MonkeyPatch, network: SmallNetwork | None = None, **queue: int
) -> AsyncIterator[Entry]:
    """An admission at work on a network at genesis; recoveries are counted."""
    network = network or small_network()
    tip = network.tip
    view = AdmissionView(tip.state, block_environment(network.config, tip.header, tip.block_hash))
    mempool = Mempool(MempoolLimits(), 0)
    entry: Entry
    admission = Admission(
        mempool,
        network.config,
        lambda: view,
        lambda: 0,
        gossip=lambda _: None,
        blame=lambda *verdict: entry.blamed.append(verdict),
        queue_limits=QueueLimits(**queue),
    )
    entry = Entry(admission, mempool)
    recover = admission_module.recover_senders

    async def counted(transactions: Sequence[Transaction]) -> list[bytes | TransactionError]:
        entry.recovered += transactions
        return await recover(transactions)

    monkeypatch.setattr(admission_module, "recover_senders", counted)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(admission.run, lambda: None)
        yield entry
        nursery.cancel_scope.cancel()


def refused_for(outcome: Outcome) -> tuple[str, Blame]:
    """Why, and whose fault."""
    assert isinstance(outcome, Refused), outcome
    assert outcome.message
    return outcome.reason, outcome.blame


def unrecoverable() -> bytes:
    """A payment whose signature is in range and recovers no key: its r is no coordinate of a point."""
    tx = payment(0)
    for candidate in range(1 << 248, (1 << 248) + 64):
        encoded = tx.encoded.replace(tx.r.to_bytes(32, "big"), candidate.to_bytes(32, "big"))
        try:
            recover_sender(decode_transaction(encoded))
        except TransactionSignatureError:
            return encoded
    raise AssertionError("half of all numbers are no coordinate")


def badly_signed(count: int) -> list[bytes]:
    """Payments with a changed s: they recover strangers."""
    encoded = [payment(value=n).encoded for n in range(count)]
    return [tx[:-1] + bytes([tx[-1] ^ 1]) for tx in encoded]


MISTAKES: dict[str, tuple[Callable[[], bytes], str]] = {
    "no bytes of a transaction": (lambda: b"\xff\x00", "TRANSACTION_MALFORMED"),
    "more bytes than one may have": (lambda: bytes(200_000), "TRANSACTION_TOO_LARGE"),
    "another chain": (lambda: payment(chain_id=1).encoded, "WRONG_CHAIN"),
    "less gas than its own bytes cost": (lambda: payment(gas_limit=20_999).encoded, "INTRINSIC_GAS_TOO_LOW"),
    "more gas than a block has": (lambda: payment(gas_limit=1 << 40).encoded, "GAS_LIMIT_TOO_HIGH"),
    "a signature that recovers nobody": (unrecoverable, "SIGNATURE_INVALID"),
}


@pytest.mark.trio
@pytest.mark.parametrize("mistake", MISTAKES)
async def test_what_no_state_makes_right_is_its_bearers_fault(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever passes it on must have refused it: the peer is blamed for each, once."""
    make, reason = MISTAKES[mistake]
    encoded = make()
    async with open_entry(monkeypatch) as entry:
        assert refused_for(await entry.take(encoded)) == (reason, Blame.FORM)
        await entry.hear(encoded)
        assert entry.blamed == [(PEER, Blame.FORM, 1)]


@pytest.mark.trio
async def test_what_the_state_refuses_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another tip may have taken it: a nonce too far ahead, a balance too small."""
    far, dear = payment(1_000).encoded, payment(0, value=10**30).encoded
    async with open_entry(monkeypatch) as entry:
        assert refused_for(await entry.take(far)) == ("NONCE_GAP_TOO_LARGE", Blame.STATE)
        assert refused_for(await entry.take(dear)) == ("INSUFFICIENT_FUNDS", Blame.STATE)
        await entry.hear(far, dear)
        assert entry.blamed == []


@pytest.mark.trio
async def test_strangers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature made at random recovers somebody whom the state does not know: one proves nothing, many do."""
    stranger = signed(PAYEE, to=PAYER.address).encoded
    async with open_entry(monkeypatch) as entry:
        assert refused_for(await entry.take(stranger)) == ("INSUFFICIENT_FUNDS", Blame.STRANGER)
        await entry.hear(stranger)
        assert entry.blamed == [(PEER, Blame.STRANGER, 1)]


@pytest.mark.trio
async def test_only_what_passes_the_cheap_checks_costs_a_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Size, form, chain and gas come before the curve; bad bytes seen before cost one hash."""
    async with open_entry(monkeypatch) as entry:
        for mistake, (make, _) in MISTAKES.items():
            if mistake != "a signature that recovers nobody":
                await entry.take(make())
        assert entry.recovered == []
        for _ in range(3):
            assert refused_for(await entry.take(unrecoverable()))[0] == "SIGNATURE_INVALID"
        assert len(entry.recovered) == 1
        for _ in range(2):
            assert await entry.take(payment(0).encoded) is None
        assert len(entry.recovered) == 2


@pytest.mark.trio
async def test_a_flood_of_one_client_does_not_hold_up_anothers_payment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand bad signatures arrived first; the payment is answered after a few hundred of them at most."""
    async with open_entry(monkeypatch) as entry, trio.open_nursery() as nursery:
        nursery.start_soon(entry.admission.submit, badly_signed(2_000), "flood")
        await trio.testing.wait_all_tasks_blocked()
        before = len(entry.recovered)
        assert await entry.take(payment(0).encoded) is None
        assert len(entry.recovered) - before <= 600
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_a_client_with_too_much_waiting_is_told_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue is bounded; others' are not touched by it."""
    async with open_entry(monkeypatch, source_units=300) as entry, trio.open_nursery() as nursery:
        nursery.start_soon(entry.admission.submit, badly_signed(600), "flood")
        await trio.testing.wait_all_tasks_blocked()
        outcomes = await entry.admission.submit([payment(0).encoded] * 300, "flood")
        assert {refused_for(outcome) for outcome in outcomes} == {("SUBMISSION_QUEUE_FULL", Blame.NOBODY)}
        first = outcomes[0]
        assert isinstance(first, Refused)
        assert first.retry_after_s
        assert await entry.take(payment(0).encoded, "another") is None
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_nothing_offered_is_nothing_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty portion does not wait for ever."""
    async with open_entry(monkeypatch) as entry:
        with trio.fail_after(5):
            assert await entry.admission.submit([]) == []


NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (status_word(ParticipantKind.RESIDENT, tier=1), SenderClass.RESIDENT),
        (status_word(ParticipantKind.MERCHANT), SenderClass.MERCHANT),
        (status_word(ParticipantKind.MERCHANT, licences=Licence.PAYMENT_HUB), SenderClass.LICENSED),
        (status_word(ParticipantKind.INSTITUTION, licences=Licence.PLATFORM), SenderClass.LICENSED),
        (status_word(ParticipantKind.INSTITUTION), SenderClass.INSTITUTION),
        (status_word(ParticipantKind.INSTITUTION, deploys=True), SenderClass.DEVELOPER),
        (status_word(ParticipantKind.RESIDENT, deploys=True, licences=Licence.EXCHANGE), SenderClass.DEVELOPER),
    ],
)
def test_the_class_follows_from_the_registrys_word(word: int, expected: SenderClass) -> None:
    """The right to deploy first, then licences, then what the participant is."""
    assert sender_class_of(word, NOW) is expected


def test_what_has_expired_does_not_count() -> None:
    """A licence and the right to deploy end at their second; the participant is then what it is without."""
    word = status_word(ParticipantKind.MERCHANT, deploys=True, licences=Licence.PLATFORM, licences_expire=NOW)
    assert sender_class_of(word, NOW - 1) is SenderClass.DEVELOPER
    assert sender_class_of(word, NOW) is SenderClass.MERCHANT
