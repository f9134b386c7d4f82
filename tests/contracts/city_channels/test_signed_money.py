"""Opening, paying in and posting bonds by a signature of the money (EIP-3009), which anyone carries."""

from typing import Any

import boa
import pytest

from alatau.channels.signed_money import deposit_nonce
from tests.contracts.actors import Party
from tests.contracts.city_channels.offline_evidence import NOTICE, release_request
from tests.contracts.city_channels.phone_parties import MONEY, SCHEMES, admitted, chip, device_of, passkey, signed_money
from tests.contracts.city_channels.tills import DEPOSIT, Till, agreement, open_till, till_of
from tests.contracts.settlement_token.authorizations import TRANSFER
from tests.contracts.world import World, guardian, hub, issuer, licensor, now, resident, stranger, wait

OWNERS = (resident, *SCHEMES)
NAMES = ["secp256k1", "chip", "passkey"]
BAD = "authorization: bad signature"
SALT = b"\x51" * 32


def ready(world: World, owner: Party) -> Party:
    """An owner with money and no allowance."""
    return owner if owner is resident else admitted(world, owner)


def opening(world: World, till: Till, owner: Party, amount: int = DEPOSIT, **changes: Any) -> tuple[Any, ...]:
    """Arguments of `open_for`."""
    money = signed_money(owner, amount, till.id, world.channels.address, **changes)
    return hub.address, till.parties.salt, money


def topping_up(world: World, till: Till, party: Party, amount: int, salt: bytes = SALT) -> tuple[Any, ...]:
    """Arguments of `deposit_for`."""
    return till.key, salt, signed_money(party, amount, deposit_nonce(till.id, salt), world.channels.address)


@pytest.mark.parametrize("owner", OWNERS, ids=NAMES)
@pytest.mark.parametrize("amount", [0, DEPOSIT])
def test_a_stranger_opens_for_the_owner(world: World, owner: Party, amount: int) -> None:
    """With money or without: the signature is the owner's consent."""
    till = till_of(7, ready(world, owner))
    before, held = world.token.balanceOf(owner.address), world.channels.held()
    assert world.channels.open_for(*opening(world, till, owner, amount), sender=stranger.address) == till.id
    view = world.channels.channel(till.id)
    assert (view.open, view.deposit_a, view.deposit_b) == (True, amount, 0)
    assert world.token.balanceOf(owner.address) == before - amount
    assert world.channels.held() == held + amount


@pytest.mark.parametrize("owner", OWNERS, ids=NAMES)
def test_what_was_signed_opens_nothing_else(world: World, owner: Party) -> None:
    """Another salt, hub, amount, contract or message; another's money; a second time."""
    till = till_of(7, ready(world, owner))
    good = opening(world, till, owner)
    hub_address, salt, money = good
    world.participants.license(issuer.address, 8, 0, False, 2**48 - 1, sender=licensor.address)
    for spoilt in (
        (hub_address, SALT, money),
        (issuer.address, salt, money),
        (hub_address, salt, (*money[:1], DEPOSIT - 1, *money[2:])),
        (hub_address, salt, (chip.address if owner is not chip else passkey.address, *money[1:])),
        opening(world, till, owner, to=world.bonds.address),
        opening(world, till, owner, kind=TRANSFER),
    ):
        with boa.reverts(BAD):
            world.channels.open_for(*spoilt)
    world.channels.open_for(*good)
    with boa.reverts("channels: id used"):
        world.channels.open_for(*good)


@pytest.mark.parametrize("party", OWNERS, ids=NAMES)
def test_a_stranger_pays_in_for_a_party(world: World, party: Party) -> None:
    """Each authorization once; another salt is another deposit."""
    till = open_till(world, a=ready(world, party))
    world.channels.deposit_for(*topping_up(world, till, party, 500), sender=stranger.address)
    with boa.reverts("authorization: used or cancelled"):
        world.channels.deposit_for(*topping_up(world, till, party, 500), sender=stranger.address)
    world.channels.deposit_for(*topping_up(world, till, party, 30, bytes(32)), sender=stranger.address)
    assert world.channels.channel(till.id).deposit_a == DEPOSIT + 530
    world.channels.deposit_for(*topping_up(world, till, hub, 7), sender=stranger.address)
    assert world.channels.channel(till.id).deposit_b == 7
    assert world.channels.held() == world.token.balanceOf(world.channels.address)


def test_a_deposit_goes_where_it_was_signed_for(world: World) -> None:
    """Not to another channel, nor for an outsider, nor by a device, nor into a closed channel or a pause."""
    first, second = open_till(world, a=admitted(world, chip)), open_till(world, salt=1, a=chip)
    _, salt, money = topping_up(world, first, chip, 500)
    with boa.reverts(BAD):
        world.channels.deposit_for(second.key, salt, money)
    with boa.reverts("channels: not a party"):
        world.channels.deposit_for(*topping_up(world, first, resident, 500))
    device = device_of(chip, first, 2**112)
    lent_money = (chip.address, *topping_up(world, first, device, 500)[2][1:])
    with boa.reverts(BAD):
        world.channels.deposit_for(first.key, salt, lent_money)
    with boa.env.anchor():
        world.channels.close_cooperatively(*agreement(first, DEPOSIT, 0, signers=(chip, hub)))
        with boa.reverts("channels: not open"):
            world.channels.deposit_for(first.key, salt, money)
    world.channel_pause.pause(sender=guardian.address)
    for call in (
        lambda: world.channels.deposit_for(first.key, salt, money),
        lambda: world.channels.open_for(*opening(world, till_of(9, chip), chip)),
    ):
        with boa.reverts("channels: paused"):
            call()


@pytest.mark.parametrize("owner", OWNERS, ids=NAMES)
def test_a_bond_without_a_transaction(world: World, owner: Party) -> None:
    """Posted, asked back, released and claimed: strangers carry all of it."""
    till = till_of(7, ready(world, owner))
    world.channels.open_for(*opening(world, till, owner, 0), sender=stranger.address)
    before = world.token.balanceOf(owner.address)
    money = signed_money(owner, 400, deposit_nonce(till.id, SALT), world.bonds.address)
    world.bonds.post_bond_for(till.key, SALT, money, sender=stranger.address)
    assert world.bonds.bond(till.id).amount == 400
    with boa.reverts("authorization: used or cancelled"):
        world.bonds.post_bond_for(till.key, SALT, money)
    for bad in (release_request(till, hub), release_request(till, owner, named=hub)):
        with boa.reverts("channels: bad signature"):
            world.bonds.request_release_for(till.key, *bad)
    asked = release_request(till, owner)
    with boa.env.anchor():
        wait(60)
        world.bonds.request_release_for(till.key, *asked, sender=stranger.address)
    with boa.env.anchor():
        wait(61)
        with boa.reverts("bond: too late"):
            world.bonds.request_release_for(till.key, *asked)
    world.bonds.request_release_for(till.key, *asked, sender=stranger.address)
    assert world.bonds.bond(till.id).release_at == now() + NOTICE
    with boa.reverts("bond: asked already"):
        world.bonds.request_release_for(till.key, *asked)
    wait(NOTICE)
    world.bonds.release(till.key, sender=stranger.address)
    world.bonds.claim(owner.address, sender=stranger.address)
    assert world.token.balanceOf(owner.address) == before


def test_a_bond_is_the_payers(world: World) -> None:
    """Nobody posts another's money for his own channel, or his own for another's."""
    till = open_till(world, a=admitted(world, chip))
    other = signed_money(resident, 400, deposit_nonce(till.id, SALT), world.bonds.address)
    with boa.reverts("bond: not the payer"):
        world.bonds.post_bond_for(till.key, SALT, other)
    device = device_of(chip, till, 2**112)
    with boa.reverts("channels: bad signature"):
        world.bonds.request_release_for(till.key, *release_request(till, device, named=chip))
    assert world.token.balanceOf(chip.address) == MONEY - DEPOSIT
