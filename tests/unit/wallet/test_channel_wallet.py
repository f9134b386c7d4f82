"""A wallet from its folder: a real hub, a real chain of one validator, real connections."""

from pathlib import Path

import pytest
import trio

from alatau.artifacts import addresses
from alatau.channels.calls import NO_CLAIM, own_request, parties_argument
from alatau.channels.errors import InvalidInvoiceError, InvalidVoucherError
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.party.records import IncomingPhase, OutgoingPhase, Receipt
from alatau.channels.state import Phase
from alatau.wallet.channel_wallet import open_wallet
from alatau.wallet.errors import NoAnswerError, OutcomeUnknownError, WalletError
from alatau.wallet.link import PaymentFailedError
from alatau.wallet.receipt import check_receipt, read_receipt_text, receipt_text
from alatau.wallet.statement import LineKind
from tests.support.hub_city import DOMAIN, HUB, REGISTRAR, RESIDENTS, SETTLE_BLOCKS
from tests.support.waiting import eventually
from tests.unit.wallet.shop import DEPOSIT, Shop, in_shop


def test_a_payment_a_refund_and_what_is_kept_of_them(tmp_path: Path) -> None:
    """Quote, pay, receive, pay back; histories, statement and receipt say the same."""

    async def story(shop: Shop) -> None:
        signed = shop.bill(300)
        quote = await shop.resident.quote(signed)
        assert (quote.amount, quote.fee, quote.available, quote.known) == (300, 0, DEPOSIT, None)
        paid = await shop.resident.pay(signed)
        secret_hash = signed.invoice.secret_hash
        assert (await shop.till.paid(secret_hash)).phase is IncomingPhase.PAID
        assert (await shop.resident.pay(signed)) == paid, "asked again it is the same payment"
        assert paid.secret is not None
        receipt = read_receipt_text(receipt_text(Receipt(signed, paid.secret)))
        check_receipt(DOMAIN, receipt)
        with pytest.raises(InvalidInvoiceError, match="no proof of a payment"):
            check_receipt(DOMAIN, Receipt(signed, bytes(32)))
        back = await shop.till.refund(secret_hash, 120)
        assert [amount for _, amount in back.refunds] == [120]
        await eventually(lambda: shop.resident.spendable == DEPOSIT - 180)
        await eventually(lambda: shop.resident.outgoing[-1].refunded == 120)
        day = int(shop.resident.setup.clock()) // 86_400
        lines = [line async for line in shop.resident.statement(day - 1, day + 1)]
        assert [(line.kind, line.amount) for line in lines] == [
            (LineKind.PAID, 300),
            (LineKind.REFUND_RECEIVED, 120),
        ]

    in_shop(tmp_path, story)


def test_money_goes_in_and_out_and_both_divide_the_rest(tmp_path: Path) -> None:
    """Deposit, withdrawal with the hub's consent, a close that both sign; the account has all that it is due."""

    async def story(shop: Shop) -> None:
        wallet = shop.resident
        before = await wallet.account.balance()
        await wallet.deposit(700)
        await shop.pay(300)
        await eventually(lambda: wallet.spendable == DEPOSIT + 700 - 300)
        assert await wallet.withdraw(1_000) == 1_000
        assert wallet.spendable == DEPOSIT + 700 - 300 - 1_000
        with pytest.raises(InvalidVoucherError, match="cannot take out 9999"):
            await wallet.withdraw(9_999)
        assert await wallet.close() == DEPOSIT + 700 - 300 - 1_000
        assert await wallet.account.balance() == before + DEPOSIT - 300
        with pytest.raises(WalletError, match="the channel is over; open another"):
            await wallet.pay(shop.bill(10))
        again = await wallet.open(50)
        assert (again.parties.salt, wallet.spendable) == ((1).to_bytes(32, "big"), 50)
        assert [one.phase for one in wallet.outgoing][-1] is OutgoingPhase.PAID, "what was paid is still known"

    in_shop(tmp_path, story)


def test_a_channel_is_left_without_the_hub(tmp_path: Path) -> None:
    """Close by the newest voucher, wait for the window, settle, claim: the till has what it was paid."""

    async def story(shop: Shop) -> None:
        await shop.pay(300)
        before = await shop.till.account.balance()
        await shop.city.stop_hub()
        with pytest.raises(WalletError, match="the channel is open; close it first"):
            await shop.till.settle()
        assert (await shop.till.close_alone()).phase is Phase.CLOSING
        with pytest.raises(WalletError, match="can be settled from block"):
            await shop.till.settle()
        for _ in range(SETTLE_BLOCKS):
            shop.city.node.commit_block()
            await trio.lowlevel.checkpoint()
        assert await shop.till.settle() == 300
        assert await shop.till.account.balance() == before + 300

    in_shop(tmp_path, story)


def test_without_the_hub_nothing_is_signed(tmp_path: Path) -> None:
    """A payment says so, and the same invoice is paid when the hub is back."""

    async def story(shop: Shop) -> None:
        signed = shop.bill(40)
        await shop.city.stop_hub()
        await eventually(lambda: not shop.resident.connected)
        with pytest.raises(NoAnswerError, match="nothing was signed"):
            await shop.resident.pay(signed, timeout_s=0.3)
        assert shop.resident.spendable == DEPOSIT

    in_shop(tmp_path, story)


def test_a_limit_is_said_with_its_numbers(tmp_path: Path) -> None:
    """Which limit, and what it is, for whoever shows it."""

    async def story(shop: Shop) -> None:
        with pytest.raises(PaymentFailedError) as caught:
            await shop.resident.pay(shop.bill(601))
        assert caught.value.reason is Reason.LIMIT_EXCEEDED
        assert caught.value.details == {"period": "payment", "limit": "600", "used": "0"}

    in_shop(tmp_path, story)


def test_what_a_lost_account_is_owed_goes_to_its_successor(tmp_path: Path) -> None:
    """The registrar names it, the hub closes the channel, and the new device has the money."""

    async def story(shop: Shop) -> None:
        await shop.pay(300)
        lost = shop.resident.setup.address
        assert shop.resident.state is not None
        parties, node = shop.resident.state.parties, shop.city.node
        async with open_wallet(shop.city.setup(RESIDENTS[1], tmp_path / "new")) as new:
            with pytest.raises(WalletError, match=r"successor of .* is nobody, not this account"):
                await new.account.claim_for_successor(lost)
            registry = addresses.PARTICIPANT_REGISTRY
            shop.city.send(REGISTRAR, "ParticipantRegistry", registry, "name_successor", lost, new.setup.address)
            for _ in range(4):
                node.commit_block()
            with pytest.raises(WalletError, match="nothing is owed"):
                await new.account.claim_for_successor(lost)
            close = (parties_argument(parties), own_request(HUB.address), NO_CLAIM)
            shop.city.send(HUB, "CityChannels", DOMAIN.contract, "close", *close)
            node.commit_block()
            await eventually(lambda: shop.resident.state is not None and shop.resident.state.a.submitted_nonce > 0)
            for _ in range(SETTLE_BLOCKS):
                node.commit_block()
            shop.city.send(HUB, "CityChannels", DOMAIN.contract, "settle", parties_argument(parties), [], [])
            node.commit_block()
            before = await new.account.balance()
            assert await new.account.claim_for_successor(lost) == DEPOSIT - 300
            assert await new.account.balance() == before + DEPOSIT - 300

    in_shop(tmp_path, story)


def test_an_outcome_that_is_not_known_is_no_failure(tmp_path: Path) -> None:
    """The till's answer is lost: asked again, the same payment ends, and nobody pays twice."""

    async def story(shop: Shop) -> None:
        signed = shop.bill(40)
        link = shop.till._link
        assert link is not None
        stream, link._stream = link._stream, None
        with pytest.raises(OutcomeUnknownError, match="Do not pay by another one"):
            await shop.resident.pay(signed, timeout_s=1)
        known = (await shop.resident.quote(signed)).known
        assert known is not None
        assert known.phase is OutgoingPhase.TAKEN
        link._stream = stream
        link.do(link.core.hello())
        assert (await shop.resident.pay(signed)).phase is OutgoingPhase.PAID
        await eventually(lambda: shop.resident.spendable == DEPOSIT - 40)

    in_shop(tmp_path, story)
