"""How CityChannels, ChannelPause, OfflineBonds and DayBook are called when all else is right."""

from dataclasses import astuple
from typing import Any, Final

from alatau.channels.calls import compact_signature
from alatau.channels.day_book import DayEntry, day_book
from alatau.channels.messages import ClaimOrder, claim_order_digest
from alatau.crypto.keccak import keccak256
from tests.contracts.city_channels.claim_orders import order
from tests.contracts.city_channels.offline_evidence import NOTICE, release_request
from tests.contracts.city_channels.offline_evidence import domain as bonds_domain_here
from tests.contracts.city_channels.offline_evidence import evidence as conflicting
from tests.contracts.city_channels.phone_parties import signed_money
from tests.contracts.city_channels.tills import (
    DEPOSIT,
    NO_CLAIM,
    Till,
    agreement,
    claim_of,
    consent,
    let_window_pass,
    open_till,
    request,
    start_closing,
    till_of,
)
from tests.contracts.roles.calls import Call, after, body_calls, name_successor
from tests.contracts.world import (
    DELAY,
    World,
    banker,
    chair,
    decide,
    guardian,
    hub,
    neighbour,
    now,
    resident,
    terms,
    wait,
)


def _paused(world: World) -> tuple[Any, ...]:
    world.channel_pause.pause(sender=guardian.address)
    arguments = (terms(world.fund_council),)
    decide(world.channel_pause, world.channel_pause.propose_unpause(*arguments, sender=chair.address), chair, banker)
    return arguments


def _owed(world: World) -> Till:
    till = open_till(world)
    world.channels.close_cooperatively(*agreement(till, 9_000, DEPOSIT - 9_000))
    return till


def _owed_by_bonds(world: World) -> None:
    till = _bond(world)
    world.bonds.request_release(till.key, sender=resident.address)
    wait(NOTICE)
    world.bonds.release(till.key)


def _succeeded(world: World) -> None:
    name_successor(world)
    wait(DELAY)


def _succeeded_to_credit(world: World) -> None:
    _owed(world)
    _succeeded(world)


def _succeeded_to_bond(world: World) -> None:
    _owed_by_bonds(world)
    _succeeded(world)


def _opening(world: World) -> tuple[Any, ...]:
    return hub.address, b"\x01" * 32, 0


def _opening_for(world: World) -> tuple[Any, ...]:
    till = till_of(1)
    return hub.address, till.parties.salt, signed_money(resident, 5, till.id, world.channels.address)


def _deposit_for(world: World) -> tuple[Any, ...]:
    till = open_till(world)
    nonce = keccak256(till.id + bytes(32))
    return till.key, bytes(32), signed_money(resident, 5, nonce, world.channels.address)


def _posting_for(world: World) -> tuple[Any, ...]:
    till = open_till(world)
    nonce = keccak256(till.id + bytes(32))
    return till.key, bytes(32), signed_money(resident, 5, nonce, world.bonds.address)


def _funded(world: World) -> tuple[Any, ...]:
    _owed(world)
    return open_till(world, salt=1).key, 500


def _consent(world: World) -> tuple[Any, ...]:
    till = open_till(world, hub_amount=3_000)
    return consent(till, hub, 2_000, by=resident)


def _withdrawal(world: World) -> tuple[Any, ...]:
    till = open_till(world, hub_amount=3_000)
    key, total, end, consented = consent(till, hub, 2_000, by=resident)
    return key, hub.address, total, end, consent(till, hub, 2_000, by=hub)[3], consented


def _rebalance(world: World) -> tuple[Any, ...]:
    return *_consent(world), open_till(world, salt=1).key


def _exit(world: World) -> tuple[Any, ...]:
    till = open_till(world)
    return till.key, request(till, resident), NO_CLAIM


def _submission(world: World) -> tuple[Any, ...]:
    till = open_till(world)
    start_closing(world, till)
    return till.key, claim_of(till, resident, 1, 5, receipt_by=hub)


def _ripe(world: World) -> Till:
    till = open_till(world)
    start_closing(world, till)
    let_window_pass()
    return till


CHANNELS: Final[dict[str, Call]] = {
    "reveal": lambda world: (b"\x5e" * 32,),
    "claim(address)": after(_owed, resident.address),
    "claim(address,uint256)": after(_owed, resident.address, 5),
    "claim_to": lambda world: (_owed(world), *order(5))[1:],
    "claim_for_successor(address)": after(_succeeded_to_credit, resident.address),
    "claim_for_successor(address,uint256)": after(_succeeded_to_credit, resident.address, 5),
    "open": _opening,
    "open_for": _opening_for,
    "deposit": lambda world: (open_till(world).key, 0),
    "deposit_for": _deposit_for,
    "fund": _funded,
    "withdraw": _consent,
    "withdraw_for": _withdrawal,
    "rebalance": _rebalance,
    "close_cooperatively": lambda world: agreement(open_till(world), 9_000, 1_000),
    "close": _exit,
    "close_many": lambda world: ([_exit(world)],),
    "submit": _submission,
    "submit_many": lambda world: ([_submission(world)],),
    "settle": lambda world: (_ripe(world).key, [], []),
    "settle_many": lambda world: ([_ripe(world).key],),
}


PAUSE: Final[dict[str, Call]] = {
    **body_calls("channel_pause"),
    "pause": lambda world: (),
    "propose_unpause": lambda world: (terms(world.fund_council),),
    "unpause": _paused,
}


def _bond(world: World) -> Till:
    till = open_till(world)
    world.token.approve(world.bonds.address, 1_000, sender=resident.address)
    world.bonds.post_bond(till.key, 1_000, sender=resident.address)
    return till


def _posting(world: World) -> tuple[Any, ...]:
    till = open_till(world)
    world.token.approve(world.bonds.address, 5, sender=resident.address)
    return till.key, 5


def _order_to_bonds(world: World) -> tuple[Any, ...]:
    _owed_by_bonds(world)
    message = ClaimOrder(resident.raw, neighbour.raw, 5, 0, now() + 60)
    signature = resident.key.sign(claim_order_digest(bonds_domain_here(), message))
    fields = (resident.address, neighbour.address, 5, 0, message.deadline)
    return fields, compact_signature(signature)


def _noticed(world: World) -> tuple[Any, ...]:
    till = _bond(world)
    world.bonds.request_release(till.key, sender=resident.address)
    wait(NOTICE)
    return (till.key,)


BONDS: Final[dict[str, Call]] = {
    "post_bond": _posting,
    "post_bond_for": _posting_for,
    "request_release": lambda world: (_bond(world).key,),
    "request_release_for": lambda world: (_bond(world).key, *release_request(till_of(), resident)),
    "release": _noticed,
    "pay_from_bond": lambda world: conflicting(_bond(world)),
    "claim(address)": after(_owed_by_bonds, resident.address),
    "claim(address,uint256)": after(_owed_by_bonds, resident.address, 5),
    "claim_to": _order_to_bonds,
    "claim_for_successor(address)": after(_succeeded_to_bond, resident.address),
    "claim_for_successor(address,uint256)": after(_succeeded_to_bond, resident.address, 5),
}


DAY_BOOK: Final[dict[str, Call]] = {"post_day_root": lambda world: (now() // 86_400 - 1, astuple(TOTALS))}

TOTALS: Final = day_book([DayEntry(b"\x01" * 32, 100, 90)]).totals
