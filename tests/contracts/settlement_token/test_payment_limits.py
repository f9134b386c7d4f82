"""SettlementToken: what members of a tier may pay at once, in a day and in a month, whoever they pay."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boa
import pytest
from eth.exceptions import Revert

from alatau.artifacts.genesis import NO_THRESHOLD
from alatau.channels.signed_money import deposit_nonce
from tests.contracts.actors import actor
from tests.contracts.city_channels.phone_parties import signed_money
from tests.contracts.city_channels.tills import agreement, open_till, till_of
from tests.contracts.participant_registry.changes import Cap, approved_cap
from tests.contracts.settlement_token.authorizations import paying, recorded, signed
from tests.contracts.settlement_token.changes import (
    NO_LIMITS,
    Action,
    Limits,
    approved,
    approved_limits,
    change,
    set_limits,
)
from tests.contracts.settlement_token.recoveries import approved as approved_recovery
from tests.contracts.settlement_token.recoveries import freeze
from tests.contracts.upgrades.token_exchange import replaced_token
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    ZERO,
    World,
    chair,
    custodian,
    deploy,
    hub,
    issuer,
    licensor,
    merchant,
    neighbour,
    now,
    registrar,
    resident,
    wait,
)

ASTANA = timezone(timedelta(hours=5))
NONE = 2**256 - 1
LARGEST = 2**80 - 2
"""The largest limit that is one."""
AT_ONCE, TODAY, THIS_MONTH = (f"token: above the {what} limit" for what in ("payment", "day's", "month's"))


def used(world: World, account: Any = resident) -> tuple[int, int]:
    """What counts against the limits of a day and of a month."""
    seen = world.token.payments_of(account.address)
    return seen.used_today, seen.used_this_month


def at(moment: datetime) -> None:
    """Let the test chain's clock stand at a moment."""
    boa.env.timestamp = int(moment.timestamp())


def here() -> datetime:
    """What the country's clocks show."""
    return datetime.fromtimestamp(now(), ASTANA)


def midnight(days: int = 1) -> datetime:
    """The end of today, or of a later day."""
    return here().replace(hour=0, minute=0, second=0) + timedelta(days=days)


def next_month() -> datetime:
    """Its first second."""
    return (midnight(0).replace(day=1) + timedelta(days=31)).replace(day=1)


def pay(world: World, amount: int) -> None:
    """The resident pays the neighbour."""
    world.token.transfer(neighbour.address, amount, sender=resident.address)


@pytest.fixture
def noon(world: World) -> World:
    """Limits of 100, 250 and 600 for tier 1, at noon of the fifth day of a month."""
    set_limits(world, 1, 100, 250, 600)
    at(next_month() + timedelta(days=4, hours=12))
    return world


def test_one_payment_is_limited(noon: World) -> None:
    """To the unit, also where no day or month has a limit."""
    for limits in ((100, 250, 600), (100, NONE, NONE)):
        set_limits(noon, 1, *limits)
        with boa.reverts(AT_ONCE):
            pay(noon, 101)
        pay(noon, 100)


def _signed(world: World, amount: int) -> None:
    world.token.transfer_signed(*signed(paying(amount=amount, nonce=bytes([amount]) * 32), resident))


def _recorded(world: World, amount: int) -> None:
    given = paying(amount=amount, nonce=bytes([amount]) * 32)
    world.token.transfer_signed_recorded(*recorded(given, resident))


def _opened(world: World, amount: int) -> None:
    till = till_of(amount, resident)
    money = signed_money(resident, amount, till.id, world.channels.address)
    world.channels.open_for(hub.address, till.parties.salt, money)


def _topped_up(world: World, amount: int) -> None:
    till = open_till(world, amount=0, hub_amount=0)
    nonce = deposit_nonce(till.id, bytes(32))
    world.channels.deposit_for(till.key, bytes(32), signed_money(resident, amount, nonce, world.channels.address))


@pytest.mark.parametrize("act", [_signed, _recorded, _opened, _topped_up], ids=lambda act: act.__name__.strip("_"))
def test_what_others_carry_counts_for_who_signed(noon: World, act: Callable[[World, int], None]) -> None:
    """EIP-3009 is no way round: neither for payments nor into channels."""
    with boa.env.anchor(), boa.reverts(AT_ONCE):
        act(noon, 101)
    act(noon, 100)
    assert used(noon) == (100, 100)


def test_a_day_is_limited(noon: World) -> None:
    """The sum of its payments, and nothing of one that was refused."""
    pay(noon, 100)
    pay(noon, 100)
    with boa.reverts(TODAY):
        pay(noon, 51)
    assert used(noon) == (200, 200)
    pay(noon, 50)
    with boa.reverts(TODAY):
        pay(noon, 1)
    pay(noon, 0)


def test_a_day_ends_at_midnight_of_the_country(noon: World) -> None:
    """Five hours before that of UTC, and the next one is whole."""
    pay(noon, 100)
    end = midnight()
    assert noon.token.payments_of(resident.address).day_ends == end.timestamp()
    at(end - timedelta(seconds=1))
    pay(noon, 100)
    with boa.reverts(TODAY):
        pay(noon, 51)
    at(end)
    assert used(noon) == (0, 200)
    pay(noon, 100)
    pay(noon, 100)
    pay(noon, 50)
    assert used(noon) == (250, 450)


def test_a_month_is_limited(noon: World) -> None:
    """The sum of its days; a new month begins with its first second."""
    for _ in range(2):
        for amount in (100, 100, 50):
            pay(noon, amount)
        wait(86_400)
    pay(noon, 100)
    with boa.reverts(THIS_MONTH):
        pay(noon, 1)
    end = next_month()
    assert noon.token.payments_of(resident.address).month_ends == end.timestamp()
    at(end - timedelta(seconds=1))
    with boa.reverts(THIS_MONTH):
        pay(noon, 1)
    at(end)
    assert used(noon) == (0, 0)
    pay(noon, 100)
    assert used(noon) == (100, 100)


def test_the_calendar_is_the_gregorian_one(world: World) -> None:
    """Months end where they do, over leap years, centuries that are none, and one that is."""
    years = [*range(2026, 2036), 2052, 2099, 2100, 2101, 2196, 2399, 2400, 2401]
    for year in years:
        for month in range(1, 13):
            first = datetime(year, month, 1, tzinfo=ASTANA)
            then = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=ASTANA)
            for moment in (first, first + timedelta(days=14, hours=3), then - timedelta(seconds=1)):
                at(moment)
                seen = world.token.payments_of(resident.address)
                assert (seen.day_ends, seen.month_ends) == (midnight().timestamp(), then.timestamp()), moment


def test_the_same_month_of_another_year_is_another(noon: World) -> None:
    """And the same day of another month."""
    pay(noon, 100)
    today = here()
    for moment in (next_month() + timedelta(days=4), today.replace(year=today.year + 1)):
        at(moment)
        assert used(noon) == (0, 0)


def test_all_ways_of_paying_meet_one_counter(noon: World) -> None:
    """By the owner, with a purpose, by whoever he allowed, and into channels of several hubs."""
    other_hub = actor("other hub")
    noon.participants.admit_institution(other_hub.address, 3, sender=licensor.address)
    noon.participants.license(other_hub.address, 8, 0, False, 0, sender=licensor.address)
    noon.token.approve(noon.channels.address, 1_000, sender=resident.address)
    noon.token.approve(merchant.address, 1_000, sender=resident.address)
    ways: list[Callable[[], Any]] = [
        lambda: noon.token.transfer(merchant.address, 10, sender=resident.address),
        lambda: noon.token.transfer_with_purpose(hub.address, 20, b"\x01" * 32, sender=resident.address),
        lambda: noon.token.transferFrom(resident.address, neighbour.address, 30, sender=merchant.address),
        lambda: noon.channels.open(hub.address, NO_HASH, 40, sender=resident.address),
        lambda: noon.channels.open(other_hub.address, NO_HASH, 50, sender=resident.address),
        lambda: noon.channels.deposit((resident.address, hub.address, NO_HASH), 60, sender=resident.address),
    ]
    sum_ = 0
    for number, way in enumerate(ways, start=1):
        way()
        sum_ += 10 * number
        assert used(noon) == (sum_, sum_)
    deposit = ((resident.address, other_hub.address, NO_HASH), 41)
    with boa.reverts(TODAY):
        noon.channels.deposit(*deposit, sender=resident.address)
    assert used(noon, merchant) == used(noon, neighbour) == (0, 0)


def test_what_is_no_payment_does_not_count(noon: World) -> None:
    """Paying oneself, receiving, redeeming, exchanging, being paid out of a channel, and what a court moves."""
    _, exchange = replaced_token(noon)
    at(midnight())
    till = open_till(noon, amount=100)
    assert used(noon) == (100, 100)
    noon.channels.close_cooperatively(*agreement(till, 90, 10))
    noon.channels.claim(resident.address)
    noon.token.transfer(resident.address, 9_000, sender=resident.address)
    noon.token.transfer(resident.address, 9_000, sender=custodian.address)
    noon.token.burn(9_000, sender=resident.address)
    noon.token.approve(exchange.address, 9_000, sender=resident.address)
    exchange.exchange(9_000, sender=resident.address)
    freeze(noon, 5_000)
    noon.recoveries.execute_recovery(approved_recovery(noon, 5_000))
    assert used(noon) == (100, 100)


def test_institutions_and_contracts_have_no_limits(noon: World) -> None:
    """A hub pays its merchants, a contract what it owes; an issuer gives out what it issues."""
    for payer in (hub, custodian):
        noon.token.transfer(neighbour.address, 5_000, sender=payer.address)
        assert used(noon, payer) == (0, 0)
        assert noon.token.payments_of(payer.address).tier == 0
    noon.token.mint(neighbour.address, 5_000, sender=issuer.address)
    assert noon.token.payments_of(noon.channels.address).tier == 0


def test_a_tier_without_limits_is_not_counted(noon: World) -> None:
    """The merchant's is none: nothing of it is written down."""
    noon.token.transfer(merchant.address, 5_000, sender=custodian.address)
    noon.token.transfer(neighbour.address, 5_000, sender=merchant.address)
    assert used(noon, merchant) == (0, 0)
    assert noon.token.payments_of(merchant.address).tier == 0
    assert noon.token.limits_of_tier(2) == NO_LIMITS


def test_a_tier_that_nobody_has_set_pays_nothing(world: World) -> None:
    """It has a cap, so it may receive; until the council says how much, or that there is no limit."""
    newcomer = actor("newcomer")
    world.participants.execute_cap(approved_cap(world, Cap.TIER, 3, 50))
    world.participants.register(newcomer.address, 1, 3, 0, sender=registrar.address)
    world.token.transfer(newcomer.address, 50, sender=custodian.address)
    with boa.reverts(AT_ONCE):
        world.token.transfer(resident.address, 1, sender=newcomer.address)
    set_limits(world, 3, NONE, NONE, NONE)
    world.token.transfer(resident.address, 1, sender=newcomer.address)


def test_another_tier_keeps_what_was_paid(noon: World) -> None:
    """Nobody begins anew by being registered anew."""
    pay(noon, 100)
    pay(noon, 100)
    set_limits(noon, 2, 100, 210, 600)
    noon.participants.register(resident.address, 1, 2, 0, sender=registrar.address)
    with boa.reverts(TODAY):
        pay(noon, 11)
    pay(noon, 10)


def test_one_whose_standing_depends_on_time_is_limited_too(noon: World) -> None:
    """The registry is asked for each payment, and the counter is the same."""
    noon.participants.register(resident.address, 1, 1, now() + 10**6, sender=registrar.address)
    pay(noon, 100)
    pay(noon, 100)
    with boa.reverts(TODAY):
        pay(noon, 51)


@pytest.mark.parametrize("raised", [(101, 250, 600), (100, 251, 600), (100, 250, 601), (0, 0, NONE)])
def test_a_raise_waits(noon: World, raised: Limits) -> None:
    """Of any of the three, whatever else is lowered."""
    identity = approved_limits(noon, 1, raised, delay=DELAY - 1)
    with boa.reverts("decision: not ripe"):
        noon.token.execute_change(identity)
    wait(1)
    noon.token.execute_change(identity)
    assert noon.token.limits_of_tier(1) == raised


@pytest.mark.parametrize("lowered", [(99, 249, 599), (0, 0, 0), (100, 250, 600)])
def test_a_lower_limit_waits_for_nothing(noon: World, lowered: Limits) -> None:
    """But for the council's approval."""
    noon.token.execute_change(approved_limits(noon, 1, lowered, delay=0))
    assert noon.token.limits_of_tier(1) == lowered


def test_a_lowering_that_became_a_raise_is_refused(noon: World) -> None:
    """Another decision lowered further meanwhile."""
    identity = approved_limits(noon, 1, (90, 240, 590), delay=0)
    noon.token.execute_change(approved_limits(noon, 1, (90, 230, 590), delay=0))
    with boa.reverts("change: raises after all"):
        noon.token.execute_change(identity)


def test_new_limits_bind_whom_the_token_remembers(noon: World) -> None:
    """Both ways: who had limits, and who had none; and what was paid before counts."""
    pay(noon, 100)
    noon.token.execute_change(approved_limits(noon, 1, (100, 120, 600), delay=0))
    with boa.reverts(TODAY):
        pay(noon, 21)
    noon.token.transfer(merchant.address, 50, sender=custodian.address)
    noon.token.transfer(neighbour.address, 5, sender=merchant.address)
    noon.token.execute_change(approved_limits(noon, 2, (4, 10, 10), delay=0))
    with boa.reverts(AT_ONCE):
        noon.token.transfer(neighbour.address, 5, sender=merchant.address)
    set_limits(noon, 1, NONE, NONE, NONE)
    pay(noon, 5_000)


@pytest.mark.parametrize(
    ("tier", "limits"),
    [
        (0, (1, 1, 1)),
        (254, (1, 1, 1)),
        (1, (LARGEST + 1, 1, 1)),
        (1, (1, LARGEST + 1, 1)),
        (1, (1, 1, LARGEST + 1)),
        (1, (1, 1, NONE - 1)),
    ],
)
def test_what_no_word_can_hold_is_refused(world: World, tier: int, limits: Limits) -> None:
    """Tiers are 1 to 253, limits below 2**80 - 1 or none."""
    with boa.reverts("limits: out of range"):
        world.token.propose_change(change(world, Action.SET_LIMITS, tier=tier, limits=limits), sender=chair.address)


def test_genesis_refuses_what_no_word_can_hold() -> None:
    """The constructor has the same bounds."""
    for limits, fits in ((LARGEST, True), (LARGEST + 1, False)):
        named = ("Tenge", "KZT", 2, chair.address, 1, chair.address)
        arguments = (*named, [], [], ZERO, [(limits,) * 3], NO_THRESHOLD, ZERO)
        if fits:
            assert deploy("SettlementToken", *arguments).limits_of_tier(1) == (LARGEST,) * 3
        else:
            with pytest.raises(Revert, match="limits: out of range"):
                deploy("SettlementToken", *arguments)


def test_highest_numbers_are_in_range(world: World) -> None:
    """The edges from within."""
    set_limits(world, 253, LARGEST, LARGEST - 1, LARGEST - 2)
    assert world.token.limits_of_tier(253) == (LARGEST, LARGEST - 1, LARGEST - 2)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [((LARGEST, NONE, NONE), AT_ONCE), ((NONE, LARGEST, NONE), TODAY), ((NONE, NONE, LARGEST), THIS_MONTH)],
)
def test_amounts_beyond_a_words_room_are_above_every_limit(world: World, limits: Limits, reason: str) -> None:
    """They spill into no neighbour, and where there is no limit they pass, however often."""
    world.token.execute_change(approved(world, Action.SET_ALLOWANCE, issuer.address, 2**100))
    world.token.mint(merchant.address, 2**90, sender=issuer.address)
    set_limits(world, 2, *limits)
    at(midnight())
    for amount in (LARGEST + 1, 2**80, 2**85):
        with boa.reverts(reason):
            world.token.transfer(hub.address, amount, sender=merchant.address)
    world.token.transfer(hub.address, LARGEST, sender=merchant.address)
    if reason == AT_ONCE:
        world.token.transfer(hub.address, LARGEST, sender=merchant.address)
        world.token.transfer(hub.address, LARGEST, sender=merchant.address)
        assert used(world, merchant) == (LARGEST + 1, LARGEST + 1)
    else:
        with boa.reverts(reason):
            world.token.transfer(hub.address, 1, sender=merchant.address)
        assert used(world, merchant) == (LARGEST, LARGEST)
    wait(86_400)
    assert used(world, merchant)[0] == 0


def test_decisions_on_limits_are_kept_and_logged(world: World) -> None:
    """What was proposed is to be read, what was done is in the log."""
    identity = approved_limits(world, 1, (5, 6, 7))
    assert world.token.change(identity)[:7] == (5, ZERO, 0, 1, 5, 6, 7)
    world.token.execute_change(identity)
    changed = [e for e in world.token.get_logs() if type(e).__name__ == "LimitsChanged"]
    assert [(e.tier, e.payment, e.day, e.month) for e in changed] == [(1, 5, 6, 7)]
    with boa.reverts("only a member"):
        world.token.propose_change(change(world, Action.SET_LIMITS, tier=1), sender=licensor.address)


def test_wallets_see_what_is_left(noon: World) -> None:
    """Tier, sums and the seconds at which they begin anew; the limits of the tier beside it."""
    pay(noon, 70)
    wait(86_400)
    pay(noon, 30)
    seen = noon.token.payments_of(resident.address)
    assert (seen.tier, seen.used_today, seen.used_this_month) == (1, 30, 100)
    assert datetime.fromtimestamp(seen.day_ends, UTC).hour == datetime.fromtimestamp(seen.month_ends, UTC).hour == 19
    assert now() < seen.day_ends < seen.month_ends
    assert noon.token.limits_of_tier(seen.tier) == (100, 250, 600)
