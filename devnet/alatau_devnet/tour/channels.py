"""Payment channels of residents with the hub: one closed in agreement, one with a stale voucher that is corrected."""

import time
from dataclasses import dataclass
from typing import Final

from alatau.artifacts import addresses
from alatau.channels.calls import claim_argument, compact_signature, own_request, parties_argument
from alatau.channels.messages import (
    CooperativeClose,
    Parties,
    SignedVoucher,
    channels_domain,
    cooperative_close_digest,
    receipt_digest,
    sign_voucher,
)
from alatau.channels.state import ChannelState, Window, opened, payouts
from alatau.channels.transition import (
    ChangeAgreement,
    ChangeClosing,
    ChangeReceipt,
    ChangeVoucher,
    DoCloseCooperatively,
    DoSubmit,
    Effect,
    next_voucher,
    transition,
)
from alatau.crypto.eip712 import word
from alatau.crypto.secp256k1 import PrivateKey
from alatau_devnet import accounts
from alatau_devnet.tour.guide import Guide, expect, money

_DEPOSIT: Final = 2_000_00
_VOUCHERS: Final = 1_000
_PAYMENT: Final = 1_50
_STALE_AFTER: Final = 3
"""The second channel: the resident closes with the voucher of this many payments ..."""
_PAYMENTS: Final = 10
"""... of this many."""


@dataclass(frozen=True, slots=True)
class Till:
    """A resident and the hub, with their keys, and the channel's parties."""

    resident: str
    resident_key: PrivateKey
    hub_key: PrivateKey
    parties: Parties


def show_cooperative_close(guide: Guide) -> None:
    """A thousand payments off the chain, and one transaction that settles them as both agree."""
    till, state = _open(guide, accounts.resident(1))
    started = time.perf_counter()
    for _ in range(_VOUCHERS):
        state, _ = _pay(till, state, _PAYMENT)
    seconds = time.perf_counter() - started
    expect("the newest nonce", state.a.nonce, _VOUCHERS)
    guide.say(
        f"{_VOUCHERS:,} vouchers exchanged off the chain, each verified and receipted",
        f"{money(state.a.transferred)} in {seconds:.2f} s",
    )
    payout_a, payout_b = payouts(state)
    note = _note(guide.contract("CityChannels").read("credit", till.parties.b) == 0, "the hub's first credit")
    deadline = guide.client.status().timestamp + 600
    agreement = CooperativeClose(state.id, payout_a, payout_b, deadline)
    effects: tuple[Effect, ...] = ()
    for key in (till.resident_key, till.hub_key):
        signature = key.sign(cooperative_close_digest(state.domain, agreement))
        change = ChangeAgreement(agreement, key.address, signature, guide.client.status().timestamp)
        state, effects = transition(state, change)
    (agreed,) = [effect for effect in effects if isinstance(effect, DoCloseCooperatively)]
    receipt = guide.send(
        accounts.HUB,
        "CityChannels",
        "close_cooperatively",
        parties_argument(till.parties),
        payout_a,
        payout_b,
        deadline,
        compact_signature(agreed.signature_a),
        compact_signature(agreed.signature_b),
    )
    settled = guide.event("CityChannels", receipt, "Settled")
    expect("what was settled", (settled["payout_a"], settled["payout_b"]), (payout_a, payout_b))
    guide.say("closed in agreement, one transaction for all of them", f"{receipt.gas_used:,} gas{note}")
    _claim(guide, till, payout_a)


def show_disputed_close(guide: Guide) -> None:
    """The resident closes with an old voucher; the hub submits the newer one within the window."""
    till, state = _open(guide, accounts.resident(2))
    stale: tuple[SignedVoucher, bytes] | None = None
    for number in range(1, _PAYMENTS + 1):
        state, receipt = _pay(till, state, _PAYMENT)
        if number == _STALE_AFTER:
            assert state.a.latest is not None
            stale = (state.a.latest, receipt)
    assert stale is not None
    closing = guide.send(
        till.resident,
        "CityChannels",
        "close",
        parties_argument(till.parties),
        own_request(till.parties.a),
        claim_argument(stale[0], stale[1]),
    )
    event = guide.event("CityChannels", closing, "Closing")
    claimed = stale[0].voucher.transferred
    guide.say(f"the resident closed with an old voucher over {money(claimed)}", f"{closing.gas_used:,} gas")
    state, effects = transition(state, ChangeClosing(Window(event["settle_block"], event["settle_time"])))
    (due,) = [effect for effect in effects if isinstance(effect, DoSubmit)]
    submitted = guide.send(
        accounts.HUB, "CityChannels", "submit", parties_argument(till.parties), claim_argument(due.signed)
    )
    newest = due.signed.voucher
    guide.say(
        f"the hub submitted the newer one, no. {newest.nonce} over {money(newest.transferred)}",
        f"{submitted.gas_used:,} gas",
    )
    reason = guide.refused(accounts.HUB, "CityChannels", "settle", parties_argument(till.parties), [], [])
    guide.say("settling before the window has passed is refused", reason)
    _let_blocks_pass(guide, event["settle_block"])
    settling = guide.send_when_ripe(accounts.HUB, "CityChannels", "settle", parties_argument(till.parties), [], [])
    settled = guide.event("CityChannels", settling, "Settled")
    payout_a, payout_b = payouts(state)
    expect("what was settled", (settled["payout_a"], settled["payout_b"]), (payout_a, payout_b))
    total = closing.gas_used + submitted.gas_used + settling.gas_used
    guide.say(f"settled by the newer voucher: {money(payout_b)} to the hub", f"{total:,} gas for the whole dispute")
    _claim(guide, till, payout_a)


def _open(guide: Guide, resident: str) -> tuple[Till, ChannelState]:
    domain = channels_domain(guide.network.chain_id, addresses.CITY_CHANNELS)
    keys = accounts.key_of(resident), accounts.key_of(accounts.HUB)
    # The height as salt: each tour opens channels of its own.
    salt = word(guide.client.status().height)
    till = Till(resident, *keys, Parties(keys[0].address, keys[1].address, salt))
    guide.send(resident, "SettlementToken", "approve", addresses.CITY_CHANNELS, _DEPOSIT)
    note = _note(guide.contract("CityChannels").read("held") == 0, "the first money in the contract")
    receipt = guide.send(resident, "CityChannels", "open", till.parties.b, salt, _DEPOSIT)
    settle_blocks = guide.contract("CityChannels").read("settle_blocks")
    state = opened(domain, till.parties, _DEPOSIT, settle_blocks=settle_blocks)
    expect("the channel's id", guide.event("CityChannels", receipt, "Opened")["id"], state.id)
    guide.say(f"{resident} opened a channel of {money(_DEPOSIT)} with the hub", f"{receipt.gas_used:,} gas{note}")
    return till, state


def _note(first: bool, what: str) -> str:
    """Why a figure is above the usual: a slot that is written for the first time costs 17,100 more (EIP-2929)."""
    return f" ({what}: new slots, paid once)" if first else ""


def _pay(till: Till, state: ChannelState, amount: int) -> tuple[ChannelState, bytes]:
    """A payment off the chain: voucher signed and checked, receipt signed and checked."""
    signed = sign_voucher(state.domain, next_voucher(state, till.parties.a, amount), till.resident_key.sign)
    state, _ = transition(state, ChangeVoucher(signed, block=0, time=0))
    receipt = till.hub_key.sign(receipt_digest(state.domain, signed.voucher))
    state, _ = transition(state, ChangeReceipt(till.parties.a, receipt))
    return state, receipt


def _let_blocks_pass(guide: Guide, height: int) -> None:
    """Blocks come with transactions: others go on paying meanwhile."""
    payer, payee = accounts.resident(3), accounts.address_of(accounts.resident(4))
    while guide.client.status().height < height:
        guide.send(payer, "SettlementToken", "transfer", payee, 1)


def _claim(guide: Guide, till: Till, amount: int) -> None:
    token = guide.contract("SettlementToken")
    before = token.read("balanceOf", till.parties.a)
    guide.send(till.resident, "CityChannels", "claim", till.parties.a)
    expect("what the resident got back", token.read("balanceOf", till.parties.a) - before, amount)
    guide.say(f"{till.resident} claimed the rest", money(amount))
