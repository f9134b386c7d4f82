"""SettlementToken's transfers by signature (EIP-3009), and permits in every scheme."""

from dataclasses import astuple, replace
from typing import Any

import boa
import pytest

from tests.contracts.actors import Party
from tests.contracts.city_channels.phone_parties import MONEY, SCHEMES, admitted, chip, passkey
from tests.contracts.settlement_token.authorizations import (
    RECEIVE,
    TRANSFER,
    cancelling,
    cancelling_in_parts,
    in_parts,
    parts,
    paying,
    permitting,
    signed,
    token_digest,
)
from tests.contracts.world import (
    ZERO,
    World,
    compliance,
    guardian,
    hub,
    neighbour,
    now,
    resident,
    stranger,
    wait,
)

PAYERS = (resident, *SCHEMES)
NAMES = ["secp256k1", "chip", "passkey"]
BAD = "authorization: bad signature"


def rich(world: World, payer: Party) -> Party:
    """A payer with money."""
    return payer if payer is resident else admitted(world, payer)


@pytest.mark.parametrize("payer", PAYERS, ids=NAMES)
def test_anyone_carries_a_transfer_once(world: World, payer: Party) -> None:
    """In every scheme; the nonce is used, and the nonces of permits are not."""
    before = world.token.balanceOf(rich(world, payer).address)
    given = paying(payer)
    world.token.transfer_signed(*signed(given, payer), sender=stranger.address)
    assert world.token.balanceOf(payer.address) == before - 70
    assert world.token.balanceOf(neighbour.address) == 70
    assert world.token.authorizationState(payer.address, given.nonce)
    assert world.token.nonces(payer.address) == 0
    with boa.reverts("authorization: used or cancelled"):
        world.token.transfer_signed(*signed(given, payer), sender=stranger.address)


@pytest.mark.parametrize("payer", PAYERS, ids=NAMES)
def test_only_the_receiver_takes(world: World, payer: Party) -> None:
    """`receive_signed` is the receiver's; neither kind of message serves for the other."""
    given = paying(rich(world, payer))
    with boa.reverts("authorization: caller is not the receiver"):
        world.token.receive_signed(*signed(given, payer, RECEIVE), sender=stranger.address)
    with boa.reverts(BAD):
        world.token.receive_signed(*signed(given, payer, TRANSFER), sender=neighbour.address)
    with boa.reverts(BAD):
        world.token.transfer_signed(*signed(given, payer, RECEIVE), sender=neighbour.address)
    world.token.receive_signed(*signed(given, payer, RECEIVE), sender=neighbour.address)
    assert world.token.balanceOf(neighbour.address) == 70


def test_the_standard_form(world: World) -> None:
    """v, r, s of secp256k1, as EIP-3009 has them."""
    world.token.transferWithAuthorization(*in_parts(TRANSFER, paying()), sender=stranger.address)
    taken = in_parts(RECEIVE, paying(nonce=b"\x32" * 32))
    with boa.reverts("authorization: caller is not the receiver"):
        world.token.receiveWithAuthorization(*taken, sender=stranger.address)
    world.token.receiveWithAuthorization(*taken, sender=neighbour.address)
    assert world.token.balanceOf(neighbour.address) == 140
    nonce = b"\x33" * 32
    world.token.cancelAuthorization(*cancelling_in_parts(resident, nonce), sender=stranger.address)
    assert world.token.authorizationState(resident.address, nonce)


def test_broken_parts_move_nothing(world: World) -> None:
    """Nor does rubbish move the money of the zero address, which recovery of rubbish gives."""
    fields = astuple(paying())
    v, r, s = parts(token_digest(TRANSFER, fields), resident)
    for broken in ((0, r, s), (29, r, s), (55 - v, r, s), (v, bytes(32), s), (v, r, bytes(32)), (v, r, b"\xff" * 32)):
        with boa.reverts(BAD):
            world.token.transferWithAuthorization(*fields, *broken)
    with boa.reverts(BAD):
        world.token.transferWithAuthorization(*astuple(paying(sender=ZERO)), 29, r, s)


@pytest.mark.parametrize("payer", PAYERS, ids=NAMES)
def test_it_counts_between_two_seconds(world: World, payer: Party) -> None:
    """After the first and before the last, both excluded."""
    rich(world, payer)
    early = paying(payer, valid_after=now(), valid_before=now() + 2)
    with boa.reverts("authorization: too early"):
        world.token.transfer_signed(*signed(early, payer))
    wait(1)
    with boa.env.anchor():
        world.token.transfer_signed(*signed(early, payer))
    wait(1)
    with boa.reverts("authorization: too late"):
        world.token.transfer_signed(*signed(early, payer))


@pytest.mark.parametrize("payer", PAYERS, ids=NAMES)
def test_what_is_signed_cannot_change(world: World, payer: Party) -> None:
    """Any field, the chain, the contract, the signer."""
    given = paying(rich(world, payer))
    fields, signature = signed(given, payer)
    changes: dict[str, Any] = {
        "sender": hub.address,
        "receiver": hub.address,
        "amount": 71,
        "valid_after": given.valid_after - 1,
        "valid_before": given.valid_before + 1,
        "nonce": b"\x34" * 32,
    }
    for name, value in changes.items():
        with boa.reverts(BAD):
            world.token.transfer_signed(astuple(replace(given, **{name: value})), signature)
    for bad in (signed(given, payer, chain_id=5), signed(given, payer, contract=b"\x07" * 20), signed(given, hub)):
        with boa.reverts(BAD):
            world.token.transfer_signed(*bad)
    world.token.transfer_signed(fields, signature)


@pytest.mark.parametrize("payer", PAYERS, ids=NAMES)
def test_a_cancelled_one_is_void(world: World, payer: Party) -> None:
    """By its signer alone, in every scheme; cancelled once, and not after it was used."""
    given = paying(rich(world, payer))
    with boa.reverts(BAD):
        world.token.cancel_signed(*cancelling(payer, given.nonce, by=hub))
    world.token.cancel_signed(*cancelling(payer, given.nonce, by=payer), sender=stranger.address)
    with boa.reverts("authorization: used or cancelled"):
        world.token.transfer_signed(*signed(given, payer))
    with boa.reverts("authorization: used or cancelled"):
        world.token.cancel_signed(*cancelling(payer, given.nonce, by=payer))
    assert not world.token.authorizationState(hub.address, given.nonce)


@pytest.mark.parametrize("payer", PAYERS, ids=NAMES)
def test_permits_in_every_scheme(world: World, payer: Party) -> None:
    """Anyone carries it, once; authorizations keep their nonces."""
    permit = permitting(world, rich(world, payer), hub, by=payer)
    for other in (hub, passkey if payer is chip else chip):
        with boa.reverts("permit: bad signature"):
            world.token.permit_signed(*permitting(world, payer, hub, by=other))
    world.token.permit_signed(*permit, sender=stranger.address)
    assert world.token.allowance(payer.address, hub.address) == 70
    with boa.reverts("permit: bad signature"):
        world.token.permit_signed(*permit)
    late = permitting(world, payer, hub, by=payer)
    wait(60)
    with boa.env.anchor():
        world.token.permit_signed(*late)
    wait(1)
    with boa.reverts("permit: expired"):
        world.token.permit_signed(*late)


def test_rules_of_transfers_hold(world: World) -> None:
    """More than there is, a suspended payer, a pause: refused, and the nonce stays."""
    admitted(world, chip)
    given = paying(chip, amount=MONEY + 1)
    with boa.reverts("token: balance"):
        world.token.transfer_signed(*signed(given, chip))
    assert not world.token.authorizationState(chip.address, given.nonce)
    with boa.env.anchor():
        world.participants.suspend(chip.address, sender=compliance.address)
        with boa.reverts("token: sender not admitted"):
            world.token.transfer_signed(*signed(paying(chip), chip))
    world.token.pause(sender=guardian.address)
    with boa.reverts("token: paused"):
        world.token.transfer_signed(*signed(paying(chip), chip))
