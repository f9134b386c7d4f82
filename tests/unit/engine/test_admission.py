"""The way into the pool: whose turn it is, what is checked first, and whose fault a refusal is."""

from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
import trio.testing

from alatau.chain.execution import block_environment
from alatau.chain.permission import Licence, ParticipantKind, slot_of, status_word
from alatau.crypto.keccak import keccak256
from alatau.engine import admission as admission_module
from alatau.engine.admission import Admission, AdmissionView, next_nonce, sender_class_of
from alatau.engine.verdict import Blame, Outcome, Refused
from alatau.mempool.fair_queue import QueueLimits
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.pool import Mempool
from alatau.mempool.shares import SenderClass
from alatau.state.diff import BlockDiff, OverlayState
from alatau.types.account import Account
from alatau.types.chain_config import SystemContracts
from alatau.types.genesis import GenesisContract
from alatau.types.transaction import (
    Transaction,
    TransactionError,
    TransactionSignatureError,
    TransactionType,
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


# ---------------------------------------------------------------- to the last detail


def keeping(entry: Entry, written: trio.Event | None = None) -> list[tuple[list[bytes], list[bytes]]]:
    """Note what is written down before anybody is answered; it is on the disk once ``written`` is set."""
    kept: list[tuple[list[bytes], list[bytes]]] = []

    def keep(new: Sequence[bytes], replaced: Sequence[bytes]) -> trio.Event | None:
        kept.append((list(new), list(replaced)))
        return written

    entry.admission._keep = keep
    return kept


def noted(entry: Entry) -> list[tuple[Hashable, int, int]]:
    """What is said of sources: how much of theirs was good, how much bad."""
    history, notes = entry.admission._history, list[tuple[Hashable, int, int]]()

    class Noting:
        """In the history's place: the compiled one lets nobody replace its methods."""

        def note(self, source: Hashable, good: int, bad: int) -> None:
            notes.append((source, good, bad))
            history.note(source, good, bad)

        def __getattr__(self, name: str) -> object:
            return getattr(history, name)

    entry.admission._history = Noting()  # type: ignore[assignment]
    return notes


@pytest.mark.trio
async def test_a_portion_is_answered_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it takes more than one batch; the same twice in one is in the pool once, and nobody is refused."""
    async with open_entry(monkeypatch) as entry:
        outcomes = await entry.admission.submit(badly_signed(301)[1:], "client")
        assert {refused_for(outcome)[0] for outcome in outcomes} == {"INSUFFICIENT_FUNDS"}
        tx = payment(0).encoded
        assert await entry.admission.submit([tx, tx], "client") == [None, None]
        assert len(entry.mempool) == 1


@pytest.mark.trio
async def test_what_finds_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not fit any more, and the half of the longest queue that had to go for others'."""
    tx = payment(0).encoded
    async with open_entry(monkeypatch, source_units=6, units=7) as entry:
        entry.admission.offer([tx] * 6, PEER)
        assert entry.admission.refused_total == {}
        entry.admission.offer([tx] * 2, PEER)
        assert entry.admission.refused_total == {"OVERLOADED": 2}
        entry.admission.offer([tx] * 2, b"\x78" * 20)
        assert entry.admission.refused_total == {"OVERLOADED": 2, "SUBMISSION_QUEUE_FULL": 3}


@pytest.mark.trio
async def test_a_sender_that_is_known_is_not_recovered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where the block came first, nor where it is in the pool; as many are known as were wanted."""
    first, second, third = (payment(n) for n in range(3))
    async with open_entry(monkeypatch) as entry:
        await entry.admission.recover_ahead([first])
        assert await entry.take(first.encoded) is None
        assert entry.recovered == []
        monkeypatch.setattr(entry.admission, "_senders_max", 2)
        await entry.admission.recover_ahead([second])
        await entry.admission.recover_ahead([third])
        await entry.admission.senders_of([second, third])
        assert entry.recovered == []
        await entry.admission.senders_of([first])
        assert entry.recovered == [first], "the oldest was forgotten"


@pytest.mark.trio
async def test_what_waits_in_the_pool_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hash says it all."""
    decoded: list[bytes] = []

    def decode(encoded: bytes) -> Transaction:
        decoded.append(encoded)
        return decode_transaction(encoded)

    monkeypatch.setattr(admission_module, "decode_transaction", decode)
    async with open_entry(monkeypatch) as entry:
        for _ in range(2):
            assert await entry.take(payment(0).encoded) is None
    assert decoded == [payment(0).encoded]


@pytest.mark.trio
async def test_only_as_many_bad_hashes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes."""
    monkeypatch.setattr(admission_module, "_BAD_MAX", 2)
    bad = [b"\xff\x00", b"\xff\x01", b"\xff\x02"]
    async with open_entry(monkeypatch) as entry:
        for encoded in bad:
            await entry.take(encoded)
        assert list(entry.admission._bad) == [keccak256(encoded) for encoded in bad[1:]]


@pytest.mark.trio
async def test_the_time_of_an_admission_is_measured(
    monkeypatch: pytest.MonkeyPatch, mock_clock: trio.testing.MockClock
) -> None:
    """By the clock that stands still it takes none, and what was assumed goes down by a tenth at a time."""
    async with open_entry(monkeypatch) as entry:
        mock_clock.jump(1_000.0)
        assumed_s = entry.admission._admission_s
        assert await entry.take(payment(0).encoded) is None
        assert await entry.take(payment(1).encoded) is None
        await trio.testing.wait_all_tasks_blocked()
        assert entry.admission._admission_s == pytest.approx(0.81 * assumed_s)


@pytest.mark.trio
async def test_sources_are_known_by_what_is_new_and_what_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is noted once for a batch, with how many; what another brought before gains nothing."""
    async with open_entry(monkeypatch) as entry:
        notes = noted(entry)
        mine = [payment(n).encoded for n in range(3)]
        await entry.admission.submit(mine, "client")
        await entry.admission.submit(mine, "parrot")
        assert notes == [(("client", "client"), 3, 0)]
        notes.clear()
        await entry.admission.submit([b"\xff\x00", b"\xff\x01", payment(1_000).encoded], "client")
        assert notes == [(("client", "client"), 0, 2)]


@pytest.mark.trio
async def test_only_clients_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What peers passed on is told to nobody; a client hears of its own once it is written."""
    written = trio.Event()
    async with open_entry(monkeypatch) as entry, trio.open_nursery() as nursery:
        kept = keeping(entry, written)
        for nonce in range(2):
            entry.admission.offer([payment(nonce).encoded], PEER)
            await trio.testing.wait_all_tasks_blocked()
        assert len(entry.mempool) == len(kept) == 2
        answered: list[Outcome] = []

        async def client() -> None:
            answered.append(await entry.take(payment(2).encoded))

        nursery.start_soon(client)
        await trio.testing.wait_all_tasks_blocked()
        assert len(entry.mempool) == 3
        assert answered == []
        written.set()
        await trio.testing.wait_all_tasks_blocked()
        assert answered == [None]


@pytest.mark.trio
async def test_what_is_replaced_is_written_down_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash of the one that went; nothing for the first."""
    cheap = payment(0, max_priority_fee_per_gas=10**9, max_fee_per_gas=10**9)
    dear = payment(0, max_priority_fee_per_gas=2 * 10**9, max_fee_per_gas=2 * 10**9)
    async with open_entry(monkeypatch) as entry:
        kept = keeping(entry)
        assert await entry.take(cheap.encoded) is None
        assert await entry.take(dear.encoded) is None
    assert kept == [([cheap.encoded], []), ([dear.encoded], [cheap.hash])]


@pytest.mark.trio
async def test_the_largest_transaction_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the byte."""
    most = MempoolLimits().transaction_size_bytes_max
    async with open_entry(monkeypatch) as entry:
        assert refused_for(await entry.take(bytes(most)))[0] == "TRANSACTION_MALFORMED"
        assert refused_for(await entry.take(bytes(most + 1)))[0] == "TRANSACTION_TOO_LARGE"


@pytest.mark.trio
async def test_a_signature_for_no_chain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before EIP-155 a transaction was for every chain."""
    async with open_entry(monkeypatch) as entry:
        outcome = await entry.take(payment(type=TransactionType.LEGACY, chain_id=None).encoded)
        assert refused_for(outcome) == ("WRONG_CHAIN", Blame.FORM)
        assert isinstance(outcome, Refused)
        assert "signed for no chain" in outcome.message


@pytest.mark.trio
async def test_only_a_stranger_without_means_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not who is known to the pool, and not who asks for another reason in vain."""
    far = signed(PAYEE, to=PAYER.address, nonce=1_000, value=0, max_fee_per_gas=0, max_priority_fee_per_gas=0).encoded
    async with open_entry(monkeypatch) as entry:
        assert refused_for(await entry.take(far)) == ("NONCE_GAP_TOO_LARGE", Blame.STATE)
        assert await entry.take(payment(0).encoded) is None
        assert refused_for(await entry.take(payment(1, value=10**30).encoded)) == ("INSUFFICIENT_FUNDS", Blame.STATE)


REGISTRY = b"\x99" * 20


def registered(*words: tuple[bytes, int]) -> SmallNetwork:
    """A network whose registry holds these status words of accounts."""
    stored = b"".join(
        b"\x7f" + word.to_bytes(32, "big") + b"\x7f" + slot_of(address).to_bytes(32, "big") + b"\x55"
        for address, word in words
    )
    contract = GenesisContract("Registry", REGISTRY, stored + bytes.fromhex("60016000f3"))
    return small_network(contract, system=SystemContracts(participant_registry=REGISTRY))


@pytest.mark.trio
@pytest.mark.parametrize(
    ("word", "expected", "advised"),
    [
        (0, ("SENDER_NOT_PERMITTED", Blame.STRANGER), True),
        (status_word(ParticipantKind.RESIDENT, expires=1), ("SENDER_NOT_PERMITTED", Blame.STATE), False),
        (status_word(ParticipantKind.RESIDENT), None, False),
    ],
    ids=["unknown", "expired", "resident"],
)
async def test_the_registry_says_who_may_send(
    monkeypatch: pytest.MonkeyPatch, word: int, expected: tuple[str, Blame] | None, advised: bool
) -> None:
    """Who is not in it is a stranger, and may have signed something else; who was is not."""
    async with open_entry(monkeypatch, registered((PAYER.address, word))) as entry:
        outcome = await entry.take(payment(0).encoded)
        assert (None if outcome is None else refused_for(outcome)) == expected
        assert ("another digest" in (outcome.message if outcome else "")) is advised


def test_the_next_nonce_is_that_of_the_pool_then_of_the_state() -> None:
    """Behind what waits without a gap; of nobody it is 0."""
    state, pool = small_network().tip.state, Mempool(MempoolLimits(), 0)
    assert next_nonce(pool, state, PAYEE.address) == 0
    later = OverlayState(state, BlockDiff({PAYER.address: Account(nonce=7, balance=10**18)}, {}, {}))
    assert next_nonce(pool, later, PAYER.address) == 7
    pool.admit(payment(7), PAYER.address, later.account(PAYER.address), 0)
    assert next_nonce(pool, later, PAYER.address) == 8
