"""Channels of the tests: opened by a resident, with vouchers made by the package that wallets use."""

from dataclasses import dataclass
from typing import Any

import boa

from alatau.artifacts import addresses
from alatau.channels.calls import claim_argument, contract_signature, locks_argument
from alatau.channels.messages import (
    CloseRequest,
    CooperativeClose,
    Domain,
    Lock,
    Parties,
    SignedVoucher,
    Voucher,
    Withdraw,
    channel_id,
    channels_domain,
    close_request_digest,
    cooperative_close_digest,
    receipt_digest,
    voucher_digest,
    withdraw_digest,
)
from tests.contracts.actors import Party
from tests.contracts.world import RELYING_PARTY, SETTLE_BLOCKS, SETTLE_SECONDS, World, hub, now, resident, wait

DEPOSIT = 10_000
HUB_DEPOSIT = 4_000
NO_CLAIM = (resident.address, 0, 0, [], b"", b"")


@dataclass(frozen=True, slots=True)
class Till:
    """An open channel."""

    domain: Domain
    parties: Parties
    id: bytes

    @property
    def key(self) -> tuple[str, str, bytes]:
        """The parties as the contract takes them."""
        return ("0x" + self.parties.a.hex(), "0x" + self.parties.b.hex(), self.parties.salt)


def domain_here() -> Domain:
    """The contract's domain on the test chain."""
    return channels_domain(boa.env.evm.patch.chain_id, addresses.CITY_CHANNELS, RELYING_PARTY)


def till_of(salt: int = 0, a: Party = resident, b: Party = hub) -> Till:
    """A channel by its parties, open or not."""
    domain = domain_here()
    parties = Parties(a.raw, b.raw, salt.to_bytes(32, "big"))
    return Till(domain, parties, channel_id(domain, parties))


def open_till(world: World, salt: int = 0, amount: int = DEPOSIT, hub_amount: int = 0, a: Party = resident) -> Till:
    """A channel between the resident, or another, and the hub, with money in it."""
    till = till_of(salt, a)
    world.token.approve(world.channels.address, amount, sender=a.address)
    world.channels.open(hub.address, till.parties.salt, amount, sender=a.address)
    if hub_amount:
        world.token.approve(world.channels.address, hub_amount, sender=hub.address)
        world.channels.deposit(till.key, hub_amount, sender=hub.address)
    return till


def voucher(till: Till, payer: Party, nonce: int, transferred: int, locks: tuple[Lock, ...] = ()) -> Voucher:
    """A voucher, not signed."""
    return Voucher(till.id, payer.raw, nonce, transferred, locks)


def claim_of(
    till: Till,
    payer: Party,
    nonce: int,
    transferred: int,
    *,
    locks: tuple[Lock, ...] = (),
    receipt_by: Party | None = None,
    signed_by: Party | None = None,
) -> tuple[Any, ...]:
    """A voucher with signature and receipt as the contract takes it."""
    made = voucher(till, payer, nonce, transferred, locks)
    signature = (signed_by or payer).key.sign(voucher_digest(till.domain, made))
    receipt = None
    if receipt_by is not None:
        receipt = receipt_by.key.sign(receipt_digest(till.domain, made))
    return (payer.address, *claim_argument(SignedVoucher(made, signature), receipt)[1:])


def own(by: Party) -> tuple[Any, ...]:
    """A party that calls `close` itself."""
    return (by.address, 0, b"")


def request(till: Till, party: Party, deadline: int | None = None, signed_by: Party | None = None) -> tuple[Any, ...]:
    """A party's signed request to close."""
    end = now() + 60 if deadline is None else deadline
    digest = close_request_digest(till.domain, CloseRequest(till.id, party.raw, end))
    return (party.address, end, contract_signature((signed_by or party).key.sign(digest)))


def agreement(
    till: Till,
    payout_a: int,
    payout_b: int,
    *,
    deadline: int | None = None,
    signers: tuple[Party, Party] = (resident, hub),
) -> tuple[Any, ...]:
    """Arguments of a cooperative close."""
    end = now() + 60 if deadline is None else deadline
    digest = cooperative_close_digest(till.domain, CooperativeClose(till.id, payout_a, payout_b, end))
    first, second = (contract_signature(signer.key.sign(digest)) for signer in signers)
    return (till.key, payout_a, payout_b, end, first, second)


def consent(till: Till, participant: Party, total: int, by: Party, deadline: int | None = None) -> tuple[Any, ...]:
    """Arguments of a withdrawal."""
    end = now() + 60 if deadline is None else deadline
    digest = withdraw_digest(till.domain, Withdraw(till.id, participant.raw, total, end))
    return (till.key, total, end, contract_signature(by.key.sign(digest)))


def start_closing(world: World, till: Till, by: Party = resident) -> None:
    """Close without a voucher."""
    world.channels.close(till.key, own(by), NO_CLAIM, sender=by.address)


def let_window_pass() -> None:
    """Blocks and seconds, just enough."""
    wait(SETTLE_SECONDS, SETTLE_BLOCKS)


def credited(world: World) -> tuple[int, int]:
    """What resident and hub may claim."""
    return world.channels.credit(resident.address), world.channels.credit(hub.address)


def lock_arguments(locks: tuple[Lock, ...]) -> list[tuple[bytes, int, int]]:
    """A lock list as the contract takes it."""
    return locks_argument(locks)
