"""Channels, bonds and books of days are succeeded beside the old ones: what is open there ends there, in full."""

from dataclasses import astuple
from typing import Any

import boa

from alatau.channels.day_book import DayEntry, day_book
from alatau.channels.messages import Lock
from alatau.crypto.keccak import keccak256
from tests.contracts.city_channels.offline_evidence import NOTICE, evidence
from tests.contracts.city_channels.tills import (
    agreement,
    claim_of,
    let_window_pass,
    lock_arguments,
    open_till,
    own,
)
from tests.contracts.world import (
    DELAY,
    SETTLE_BLOCKS,
    SETTLE_SECONDS,
    World,
    deploy,
    guardian,
    hub,
    licensor,
    merchant,
    now,
    resident,
    stranger,
    wait,
)

CONTRACT = 4
SECRET = b"\x51" * 32


def successor_of(world: World) -> Any:
    """Channels of the same token, registered so that they may hold it."""
    pause = deploy("ChannelPause", world.fund_council.address, DELAY)
    arguments = (world.token.address, world.participants.address, pause.address)
    new = deploy("CityChannels", *arguments, SETTLE_BLOCKS, SETTLE_SECONDS)
    world.participants.admit_institution(new.address, CONTRACT, sender=licensor.address)
    return new


def test_open_channels_locks_and_credits_end_in_the_old_contract(world: World) -> None:
    """While it takes no new money: a channel with a revealed lock, a closing one, a credit, and an agreement."""
    old, new = world.channels, successor_of(world)
    with_lock, closing, agreed, credited = (
        open_till(world, salt=salt, amount=10_000, hub_amount=1_000) for salt in range(4)
    )
    old.close_cooperatively(*agreement(credited, 10_000, 1_000))
    old.close(closing.key, own(resident), claim_of(closing, hub, 1, 400), sender=resident.address)
    world.channel_pause.pause(sender=guardian.address)
    with boa.reverts("channels: paused"):
        old.open(hub.address, b"\x09" * 32, 1, sender=resident.address)

    # The secret was given away off the chain before; it is revealed and claimed while the contract is paused.
    locks = (Lock(keccak256(SECRET), 700, boa.env.evm.patch.block_number + 5),)
    old.reveal(SECRET, sender=stranger.address)
    old.close(with_lock.key, own(hub), claim_of(with_lock, resident, 3, 2_000, locks=locks), sender=hub.address)
    old.close_cooperatively(*agreement(agreed, 9_000, 2_000))
    let_window_pass()
    old.settle(with_lock.key, lock_arguments(locks), [], sender=stranger.address)
    old.settle(closing.key, [], [], sender=stranger.address)
    assert old.credit(resident.address) == (10_000 - 2_700) + 10_400 + 9_000 + 10_000
    assert old.credit(hub.address) == (1_000 + 2_700) + 600 + 2_000 + 1_000
    for one in (resident, hub):
        old.claim(one.address, sender=stranger.address)
    assert old.held() == world.token.balanceOf(old.address) == 0

    world.token.approve(new.address, 5_000, sender=resident.address)
    new.open(hub.address, bytes(32), 5_000, sender=resident.address)
    assert new.held() == world.token.balanceOf(new.address) == 5_000


def test_vouchers_of_the_old_contract_are_nothing_in_the_new_one(world: World) -> None:
    """The same parties and salt are another channel there."""
    till, new = open_till(world), successor_of(world)
    world.token.approve(new.address, 5_000, sender=resident.address)
    new.open(hub.address, till.parties.salt, 5_000, sender=resident.address)
    with boa.reverts("channels: bad signature"):
        new.close(till.key, own(hub), claim_of(till, resident, 1, 400), sender=hub.address)


def test_bonds_stand_and_come_back_beside_new_ones(world: World) -> None:
    """Evidence is paid by the old bond while its notice runs; the rest is the payer's, and bonds the new channels."""
    till, new = open_till(world), successor_of(world)
    bonds = deploy("OfflineBonds", new.address)
    world.participants.admit_institution(bonds.address, CONTRACT, sender=licensor.address)
    world.token.approve(world.bonds.address, 1_000, sender=resident.address)
    world.bonds.post_bond(till.key, 1_000, sender=resident.address)
    shown = evidence(till)
    world.channel_pause.pause(sender=guardian.address)
    world.bonds.request_release(till.key, sender=resident.address)
    world.bonds.pay_from_bond(*shown, sender=stranger.address)
    wait(NOTICE)
    world.bonds.release(till.key, sender=stranger.address)
    for one in (merchant, resident):
        world.bonds.claim(one.address, sender=stranger.address)
    assert world.bonds.held() == world.token.balanceOf(world.bonds.address) == 0

    world.token.approve(new.address, 100, sender=resident.address)
    new.open(hub.address, till.parties.salt, 100, sender=resident.address)
    world.token.approve(bonds.address, 800, sender=resident.address)
    bonds.post_bond(till.key, 800, sender=resident.address)
    assert (bonds.channels(), bonds.held()) == (new.address, 800)


def test_days_are_proved_where_they_were_posted(world: World) -> None:
    """From a day on hubs post in the new book; the old one goes on answering."""
    new = deploy("DayBook", world.participants.address)
    rows = [DayEntry(bytes((n,)) * 32, 100 + n, 90 + n) for n in range(5)]
    book, day = day_book(rows), now() // 86_400 - 1
    totals = astuple(book.totals)
    world.day_book.post_day_root(day, totals, sender=hub.address)
    wait(86_400)
    new.post_day_root(day + 1, totals, sender=hub.address)
    index, siblings = 2, [astuple(node) for node in book.proof(2)]
    arguments = (totals, astuple(rows[index]), index, siblings)
    assert world.day_book.in_day_book(hub.address, day, *arguments)
    assert new.in_day_book(hub.address, day + 1, *arguments)
    assert not new.in_day_book(hub.address, day, *arguments)
