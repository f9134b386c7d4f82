"""Money moves to another token one for one: by its holders, by permit, and out of channels; what is frozen waits."""

from typing import Any

import boa
import pytest
from eth.exceptions import Revert
from eth_account import Account

from alatau.artifacts.genesis import NO_THRESHOLD
from tests.contracts.actors import Actor
from tests.contracts.city_channels.tills import agreement, open_till
from tests.contracts.settlement_token.changes import Action, approved
from tests.contracts.upgrades.token_exchange import CONTRACT, replaced_token
from tests.contracts.world import (
    DELAY,
    SETTLE_BLOCKS,
    SETTLE_SECONDS,
    ZERO,
    World,
    court,
    deploy,
    guardian,
    hub,
    issuer,
    licensor,
    neighbour,
    now,
    resident,
    stranger,
)

FOREVER = 2**64 - 1


def permit(world: World, spender: str, amount: int, owner: Actor = resident) -> tuple[Any, ...]:
    """A permit as a wallet signs it: deadline, v, r, s."""
    message = {
        "owner": owner.address,
        "spender": spender,
        "value": amount,
        "nonce": world.token.nonces(owner.address),
        "deadline": now() + 100,
    }
    types = {"Permit": [{"name": n, "type": "address" if n in ("owner", "spender") else "uint256"} for n in message]}
    domain = {
        "name": "Digital Tenge",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": world.token.address,
    }
    signed = Account.sign_typed_data(owner.key.secret, domain, types, message)
    return (message["deadline"], signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))


def test_holders_exchange_one_for_one(world: World) -> None:
    """At every moment both tokens owe together what the old one owed, and the exchange holds nothing."""
    new, exchange = replaced_token(world)
    world.token.execute_change(approved(world, Action.SET_ALLOWANCE, issuer.address, 0, delay=0))
    supply, before = world.token.totalSupply(), world.token.balanceOf(resident.address)
    world.token.approve(exchange.address, 600, sender=resident.address)
    exchange.exchange(600, sender=resident.address)
    assert (new.balanceOf(resident.address), world.token.balanceOf(resident.address)) == (600, before - 600)
    assert world.token.totalSupply() + new.totalSupply() == supply
    assert world.token.balanceOf(exchange.address) == new.balanceOf(exchange.address) == 0
    with boa.reverts("token: allowance"):
        exchange.exchange(1, sender=resident.address)
    with boa.reverts("token: issuer allowance"):
        world.token.mint(resident.address, 1, sender=issuer.address)
    new.transfer(neighbour.address, 600, sender=resident.address)


def test_a_permit_is_carried_by_anybody_and_pays_the_owner(world: World) -> None:
    """Also where somebody has shown it to the token before; without one nothing is taken."""
    new, exchange = replaced_token(world)
    with boa.reverts("token: allowance"):
        exchange.exchange_for(resident.address, 50, now() + 5, 27, bytes(32), bytes(32), sender=stranger.address)
    exchange.exchange_for(resident.address, 50, *permit(world, exchange.address, 50), sender=stranger.address)
    signed = permit(world, exchange.address, 30)
    world.token.permit(resident.address, exchange.address, 30, *signed, sender=stranger.address)
    exchange.exchange_for(resident.address, 30, *signed, sender=stranger.address)
    assert new.balanceOf(resident.address) == 80
    assert new.balanceOf(stranger.address) == 0


def test_what_a_court_froze_stays_until_it_is_released(world: World) -> None:
    """The rest goes over; an exchange is no way out of a freeze."""
    new, exchange = replaced_token(world)
    held = world.token.balanceOf(resident.address)
    world.participants.freeze(resident.address, b"\x0d" * 32, 700, FOREVER, sender=court.address)
    world.token.approve(exchange.address, held, sender=resident.address)
    with boa.reverts("token: frozen"):
        exchange.exchange(held - 699, sender=resident.address)
    exchange.exchange(held - 700, sender=resident.address)
    with boa.reverts("token: frozen"):
        exchange.exchange(1, sender=resident.address)
    world.participants.release(resident.address, b"\x0d" * 32, sender=court.address)
    exchange.exchange(700, sender=resident.address)
    assert (new.balanceOf(resident.address), world.token.balanceOf(resident.address)) == (held, 0)


def test_a_pause_of_either_stops_it(world: World) -> None:
    """Nothing is burnt that is not issued."""
    new, exchange = replaced_token(world)
    world.token.approve(exchange.address, 10, sender=resident.address)
    for paused in (world.token, new):
        with boa.env.anchor():
            paused.pause(sender=guardian.address)
            with boa.reverts("token: paused"):
                exchange.exchange(10, sender=resident.address)
    exchange.exchange(10, sender=resident.address)


def test_money_in_channels_comes_out_and_goes_over(world: World) -> None:
    """A channel of the old token is closed, claimed, exchanged, and opened anew in a contract of the new one."""
    new, exchange = replaced_token(world)
    till = open_till(world, amount=5_000, hub_amount=1_000)
    world.channels.close_cooperatively(*agreement(till, 4_000, 2_000))
    arguments = (new.address, world.participants.address, world.channel_pause.address)
    channels = deploy("CityChannels", *arguments, SETTLE_BLOCKS, SETTLE_SECONDS)
    world.participants.admit_institution(channels.address, CONTRACT, sender=licensor.address)
    for one, amount in ((resident, 4_000), (hub, 2_000)):
        world.channels.claim(one.address)
        world.token.approve(exchange.address, amount, sender=one.address)
        exchange.exchange(amount, sender=one.address)
        new.approve(channels.address, amount, sender=one.address)
    channels.open(hub.address, bytes(32), 4_000, sender=resident.address)
    channels.deposit((resident.address, hub.address, bytes(32)), 2_000, sender=hub.address)
    assert (world.channels.held(), channels.held()) == (0, 6_000)
    assert world.token.balanceOf(world.channels.address) == 0


def test_tokens_of_other_units_are_refused(world: World) -> None:
    """One for one of hundredths and of thousandths would be a gift."""
    arguments = (world.fund_council.address, DELAY, world.participants.address, [], [], ZERO, [], NO_THRESHOLD, ZERO)
    other = deploy("SettlementToken", "Digital Tenge 2", "KZTD", 3, *arguments)
    for new, reason in ((other, "exchange: other units"), (world.token, "exchange: one token")):
        with pytest.raises(Revert, match=reason):
            deploy("TokenExchange", world.token.address, new.address)
