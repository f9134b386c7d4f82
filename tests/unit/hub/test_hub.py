"""A hub with a disk, a chain and parties that connect to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from alatau.channels.forwarding.refusal import Reason
from alatau.channels.invoice import SignedInvoice
from alatau.channels.party.effects import TellFailed, TellRefunded
from alatau.channels.party.records import OutgoingPhase
from alatau.channels.party.sessions import attach_digest, statement_digest
from alatau.channels.state import payouts, side_of
from alatau.client.hub_plans import METHODS
from alatau.crypto.secp256k1 import PrivateKey
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.channel import Channel
from alatau.transport.errors import Code, RpcError
from alatau.wallet.link import Link, PaymentFailedError
from alatau.wire.amount import read_amount
from tests.support.field_behavior import required
from tests.support.guest import as_guest
from tests.support.hub_city import DEPOSIT, HUB, RESIDENTS, TILL, HubCity, hub_city
from tests.support.waiting import eventually

_pb = channel_service_pb2


def bill(till: Link, amount: int, number: int = 1) -> SignedInvoice:
    """An invoice."""
    return till.invoice(amount, number.to_bytes(32, "big"), seconds=600).signed


@asynccontextmanager
async def open_city(folder: Path) -> AsyncIterator[tuple[HubCity, Channel, Link, Link, trio.Nursery]]:
    """A resident and a till are connected, and the hub has money in the till's channel."""
    async with hub_city(folder) as city, city.dial() as dialled, trio.open_nursery() as nursery:
        resident, till = await city.joined(RESIDENTS[0], DEPOSIT), await city.joined(TILL, 0)
        for link in (resident, till):
            nursery.start_soon(link.run, dialled)
            await link.connected.wait()
        with pytest.raises(PaymentFailedError, match="300 too little"):
            await resident.pay(bill(till, 300, 99))
        await eventually(lambda: side_of(till.core.state, HUB.address).deposited > 0)
        assert city.hub is not None
        members = city.hub.owner.core.book.members
        await eventually(lambda: side_of(members[till.core.state.id].state, HUB.address).deposited > 0)
        yield city, dialled, resident, till, nursery
        nursery.cancel_scope.cancel()


def test_a_payment_passes_and_is_paid_back(tmp_path: Path) -> None:
    """A refusal for lack of liquidity makes the hub put money in; then the payment passes, and a part comes back."""

    async def main() -> None:
        async with open_city(tmp_path) as (city, _, resident, till, _):
            paid = await resident.pay(bill(till, 300))
            assert paid.secret == (1).to_bytes(32, "big")
            received = await till.paid(paid.signed.invoice.secret_hash)
            assert received.paid_time > 0
            await till.refund(received.signed.invoice.secret_hash, 120)
            await eventually(lambda: side_of(resident.core.state, HUB.address).transferred == 120)
            assert payouts(resident.core.state)[0] == DEPOSIT - 300 + 120
            assert [told.amount for told in city.told if isinstance(told, TellRefunded)] == [120, 120]

    as_guest(main)


def test_a_hundred_that_ask_at_once_pay_once(tmp_path: Path) -> None:
    """All get the same receipt."""

    async def main() -> None:
        async with open_city(tmp_path) as (_, _, resident, till, _):
            signed, secrets = bill(till, 50), set()

            async def once() -> None:
                secrets.add((await resident.pay(signed)).secret)

            async with trio.open_nursery() as nursery:
                for _ in range(100):
                    nursery.start_soon(once)
            assert secrets == {(1).to_bytes(32, "big")}
            await eventually(lambda: side_of(resident.core.state, resident.core.me).transferred == 50)

    as_guest(main)


def test_a_hub_that_ends_goes_on_from_its_disk(tmp_path: Path) -> None:
    """Wallets that are told nothing connect to the new process, and what was paid is paid."""

    async def main() -> None:
        async with open_city(tmp_path) as (city, _, resident, till, nursery):
            await resident.pay(bill(till, 300))
            await city.stop_hub()
            await city.start_hub()
            async with city.dial() as dialled:
                for link in (resident, till):
                    nursery.start_soon(link.run, dialled)
                    await link.connected.wait()
                await resident.pay(bill(till, 40, 2))
                assert city.hub is not None
                member = city.hub.owner.core.book.members[resident.core.state.id]
                await eventually(lambda: side_of(member.state, resident.core.me).transferred == 340)
                nursery.cancel_scope.cancel()

    as_guest(main)


def test_limits_are_named_in_a_refusal(tmp_path: Path) -> None:
    """Which one, how much is used, when it frees; a single payment's never does."""

    async def main() -> None:
        async with open_city(tmp_path) as (city, _, resident, till, _):
            with pytest.raises(PaymentFailedError, match="a payment may be 600 at most"):
                await resident.pay(bill(till, 601))
            failed = [told.outgoing for told in city.told if isinstance(told, TellFailed)]
            assert {outgoing.phase for outgoing in failed} == {OutgoingPhase.REFUSED}
            assert resident.core.spendable == DEPOSIT

    as_guest(main)


def test_an_agreed_close_is_carried_to_the_chain(tmp_path: Path) -> None:
    """Both sign, the hub sends it, and the channel is settled as the vouchers say."""

    async def main() -> None:
        async with open_city(tmp_path) as (city, _, resident, till, _):
            await resident.pay(bill(till, 300))
            await eventually(lambda: side_of(resident.core.state, resident.core.me).locks == ())
            await resident.close(int(resident.clock()) + 600)
            assert city.hub is not None
            await eventually(lambda: resident.core.state.id not in city.hub.owner.core.book.members)

    as_guest(main)


def test_a_statement_comes_in_pages_and_only_to_its_party(tmp_path: Path) -> None:
    """Each line once, in order; a stranger's signature is refused."""

    async def main() -> None:
        async with open_city(tmp_path) as (_, dialled, resident, till, _):
            for number in (1, 2, 3):
                await resident.pay(bill(till, 10 * number, number))
            now = int(resident.clock())
            digest = statement_digest(resident.core.state.domain, resident.core.state.id, now)
            day = now // 86_400

            def ask(token: str, key: PrivateKey = RESIDENTS[0]) -> _pb.ListPaymentsRequest:
                return _pb.ListPaymentsRequest(
                    channel_id=resident.core.state.id,
                    from_day=day,
                    to_day=day,
                    time=now,
                    signature=key.sign(digest),
                    page_size=2,
                    page_token=token,
                )

            first = await dialled.unary(METHODS["ListPayments"], ask(""))
            second = await dialled.unary(METHODS["ListPayments"], ask(first.next_page_token))
            amounts = [read_amount(line.amount) for page in (first, second) for line in page.lines]
            assert sorted(amounts) == [10, 20, 30]
            assert second.next_page_token == ""
            with pytest.raises(RpcError) as caught:
                await dialled.unary(METHODS["ListPayments"], ask("", TILL))
            assert caught.value.code is Code.PERMISSION_DENIED
            for name in required(_pb.ListPaymentsRequest.DESCRIPTOR):
                without = ask("")
                without.ClearField(name)
                with pytest.raises(RpcError):
                    await dialled.unary(METHODS["ListPayments"], without)

    as_guest(main)


def test_nobody_speaks_for_another_channel(tmp_path: Path) -> None:
    """Without Attach, or with one that is signed over another challenge, nothing is taken."""

    async def main() -> None:
        async with open_city(tmp_path) as (_, dialled, resident, _, _):
            identity = resident.core.state.id
            domain = resident.core.state.domain
            stale = RESIDENTS[0].sign(attach_digest(domain, identity, bytes(32)))
            async with dialled.stream(METHODS["Connect"]) as stream:
                answers = aiter(stream)
                assert len((await anext(answers)).challenge) == 32
                for message in (
                    _pb.PartyMessage(channel_id=identity, secret=_pb.Secret(secret=bytes(32))),
                    _pb.PartyMessage(channel_id=identity, attach=_pb.Attach(signature=stale)),
                    _pb.PartyMessage(channel_id=bytes(32), attach=_pb.Attach(signature=stale)),
                ):
                    await stream.send(_pb.ConnectRequest(messages=[message]))
                reasons: list[int] = []
                while len(reasons) < 3:
                    reasons += [message.refused.reason for message in (await anext(answers)).messages]
                expected = (Reason.NOT_AGREED, Reason.SIGNATURE_INVALID, Reason.CHANNEL_UNKNOWN)
                assert reasons == [reason.value for reason in expected]
            assert resident.core.agreed, "the rightful party stays connected"

    as_guest(main)
