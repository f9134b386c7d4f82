"""CityChannels.submit: newer vouchers while closing, from the payee or with its receipt."""

from dataclasses import replace
from typing import Any

import boa
import pytest

from alatau.channels.calls import NO_SIGNATURE
from alatau.channels.messages import channels_domain
from alatau.crypto.secp256k1 import ORDER
from tests.contracts.city_channels.tills import (
    DEPOSIT,
    HUB_DEPOSIT,
    Till,
    claim_of,
    credited,
    let_window_pass,
    open_till,
    own,
    start_closing,
)
from tests.contracts.world import (
    SETTLE_BLOCKS,
    SETTLE_SECONDS,
    World,
    hub,
    neighbour,
    resident,
    stranger,
    wait,
)


@pytest.fixture
def till(world: World) -> Till:
    """A closing channel with money on both sides."""
    opened = open_till(world, hub_amount=HUB_DEPOSIT)
    start_closing(world, opened)
    return opened


def test_newer_voucher_corrects_a_stale_one(world: World) -> None:
    """The resident closes with an old one; the hub's newer one decides."""
    till = open_till(world)
    world.channels.close(
        till.key, own(resident), claim_of(till, resident, 3, 300, receipt_by=hub), sender=resident.address
    )
    world.channels.submit(till.key, claim_of(till, resident, 10, 1_000), sender=hub.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 1_000, 1_000)


def test_both_directions_are_netted(world: World, till: Till) -> None:
    """Each payee brings what it was paid."""
    world.channels.submit(till.key, claim_of(till, resident, 4, 3_000), sender=hub.address)
    world.channels.submit(till.key, claim_of(till, hub, 2, 500), sender=resident.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 3_000 + 500, HUB_DEPOSIT + 3_000 - 500)


def test_watchtower_submits_with_the_receipt(world: World, till: Till) -> None:
    """Nobody has to trust it: without the payee's receipt it can do nothing."""
    with boa.reverts("channels: bad receipt"):
        world.channels.submit(till.key, claim_of(till, resident, 4, 3_000), sender=stranger.address)
    world.channels.submit(till.key, claim_of(till, resident, 4, 3_000, receipt_by=hub), sender=stranger.address)


@pytest.mark.parametrize("nonce", [0, 3, 4])
def test_only_a_higher_nonce_wins(world: World, till: Till, nonce: int) -> None:
    """The same voucher again, an older one, or none at all are refused."""
    world.channels.submit(till.key, claim_of(till, resident, 4, 3_000), sender=hub.address)
    with boa.reverts("channels: not newer"):
        world.channels.submit(till.key, claim_of(till, resident, nonce, 9_000), sender=hub.address)


def test_nonces_of_directions_are_apart(world: World, till: Till) -> None:
    """Each direction counts for itself, up to 64 bits."""
    world.channels.submit(till.key, claim_of(till, resident, 2**64 - 1, 1), sender=hub.address)
    world.channels.submit(till.key, claim_of(till, hub, 1, 1), sender=resident.address)
    with boa.reverts("channels: nonce out of range"):
        world.channels.submit(till.key, claim_of(till, hub, 2**64, 1), sender=resident.address)


def test_absurd_amounts_are_refused(world: World, till: Till) -> None:
    """A voucher over more than 112 bits cannot be settled, so it is not taken."""
    with boa.reverts("channels: amount out of range"):
        world.channels.submit(till.key, claim_of(till, resident, 4, 2**112), sender=hub.address)


def test_overdrawn_voucher_pays_what_there_is(world: World, till: Till) -> None:
    """A payer that signed more than it had loses all it had; nothing is made of it."""
    world.channels.submit(till.key, claim_of(till, resident, 4, 2**112 - 1), sender=hub.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (0, DEPOSIT + HUB_DEPOSIT)


def test_payer_cannot_overwrite_the_payees_claim(world: World, till: Till) -> None:
    """A lower amount under a higher nonce needs the payee's receipt."""
    world.channels.submit(till.key, claim_of(till, resident, 4, 3_000), sender=hub.address)
    for receipt_by in (None, resident, stranger):
        with boa.reverts("channels: bad receipt"):
            world.channels.submit(
                till.key, claim_of(till, resident, 5, 0, receipt_by=receipt_by), sender=resident.address
            )


def test_voucher_is_signed_by_its_payer(world: World, till: Till) -> None:
    """Nobody pays in another's name; strangers pay nothing at all."""
    for signer in (hub, stranger):
        with boa.reverts("channels: bad signature"):
            world.channels.submit(till.key, claim_of(till, resident, 1, 5, signed_by=signer), sender=hub.address)
    with boa.reverts("channels: not a party"):
        world.channels.submit(till.key, claim_of(till, neighbour, 1, 5), sender=hub.address)


def test_signatures_do_not_travel(world: World, till: Till) -> None:
    """A voucher of another chain, contract, channel or direction, or a receipt in its place, is void."""
    other = open_till(world, salt=1)
    far = replace(till, domain=channels_domain(5, till.domain.contract))
    elsewhere = replace(till, domain=channels_domain(till.domain.chain_id, b"\x09" * 20))
    good = claim_of(till, resident, 1, 5, receipt_by=hub)
    lock = (b"\x01" * 32, 1, boa.env.evm.patch.block_number + 1)
    cases: list[tuple[Any, ...]] = [
        (*good[:4], claim_of(far, resident, 1, 5)[4], NO_SIGNATURE),
        (*good[:4], claim_of(elsewhere, resident, 1, 5)[4], NO_SIGNATURE),
        (*good[:4], claim_of(other, resident, 1, 5)[4], NO_SIGNATURE),
        (hub.address, *good[1:]),
        (good[0], 2, *good[2:]),
        (*good[:2], 6, *good[3:]),
        (*good[:3], [lock], *good[4:]),
        (*good[:4], good[5], NO_SIGNATURE),
    ]
    for claim in cases:
        sender = resident if claim[0] == hub.address else hub
        with boa.reverts("channels: bad signature"):
            world.channels.submit(till.key, claim, sender=sender.address)


def test_malformed_signatures_are_refused(world: World, till: Till) -> None:
    """Zero, malleated, overflowing, short and missing signatures recover nobody."""
    claim = claim_of(till, resident, 1, 5)
    r, vs = (int.from_bytes(claim[4][i : i + 32], "big") for i in (0, 32))
    s, parity = vs % 2**255, vs >> 255
    high_s = (ORDER - s) | (1 - parity) << 255
    for bad in ((0, 0), (r, high_s), (ORDER, vs), (r, parity << 255)):
        given = b"".join(part.to_bytes(32, "big") for part in bad)
        with boa.reverts("channels: bad signature"):
            world.channels.submit(till.key, (*claim[:4], given, NO_SIGNATURE), sender=hub.address)
    for given in (b"", claim[4][:63]):
        with boa.reverts("channels: bad signature"):
            world.channels.submit(till.key, (*claim[:4], given, NO_SIGNATURE), sender=hub.address)
    with boa.reverts():
        world.channels.submit(till.key, (*claim[:4], claim[4] + b"\x00", NO_SIGNATURE), sender=hub.address)


def test_open_channel_takes_no_vouchers(world: World) -> None:
    """There is nothing to settle yet; nor any more after the end."""
    till = open_till(world)
    with boa.reverts("channels: not closing"):
        world.channels.submit(till.key, claim_of(till, resident, 1, 5), sender=hub.address)
    start_closing(world, till)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    with boa.reverts("channels: not closing"):
        world.channels.submit(till.key, claim_of(till, resident, 1, 5), sender=hub.address)


def test_last_block_of_the_window_still_counts(world: World, till: Till) -> None:
    """Up to the settlement itself the truth may be told."""
    wait(SETTLE_SECONDS - 1, SETTLE_BLOCKS - 1)
    world.channels.submit(till.key, claim_of(till, resident, 4, 3_000), sender=hub.address)
    wait(1, 1)
    world.channels.submit(till.key, claim_of(till, resident, 5, 3_500), sender=hub.address)
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 3_500, HUB_DEPOSIT + 3_500)
