"""PositionLedger.backing and limit_bps: what counts for minting, and what is left of the vault's limits."""

import boa
import pytest

from alatau.artifacts.positions import AssetClass, Place
from tests.contracts.position_ledger.attestations import (
    UNIT,
    Change,
    Seen,
    approved_change,
    assure,
    identity,
    report,
)
from tests.contracts.reserve_vault.intents import CASE, TOKEN, Action, approved, confiscate, deposit, order_return
from tests.contracts.reserve_vault.intents import approved_change as vault_change
from tests.contracts.settlement_token.changes import Action as TokenAction
from tests.contracts.settlement_token.changes import approved as token_change
from tests.contracts.world import (
    DELAY,
    GOLD,
    ZERO,
    World,
    auditor,
    custodian,
    issuer,
    neighbour,
    proposer,
    resident,
    wait,
)

DAY = 86_400
PRICE_AGE = 2 * DAY
"""Of gold in the default terms; its haircut is a twentieth."""


def test_nothing_is_behind_a_token_at_first(world: World) -> None:
    """A position that nobody reported counts nothing, and shrinks nothing."""
    assert world.positions.backing(TOKEN) == 0
    assert world.positions.limit_bps(TOKEN) == 10_000


def test_value_less_burden_and_haircut(world: World) -> None:
    """(1,000 - 200) at 2,000, less a twentieth."""
    assure(world)
    report(world, Seen(1_000 * UNIT, 200 * UNIT, 2_000))
    assert world.positions.backing(TOKEN) == 800 * 2_000 * 95 // 100
    assert world.positions.backing(ZERO) == 0


@pytest.mark.parametrize(
    ("age", "counts", "tier"),
    [
        (0, True, 10_000),
        (PRICE_AGE, True, 10_000),
        (PRICE_AGE + 1, False, 5_000),
        (2 * PRICE_AGE, False, 5_000),
        (2 * PRICE_AGE + 1, False, 2_500),
        (4 * PRICE_AGE + 1, False, 1_000),
        (200 * DAY, False, 1_000),
    ],
)
def test_what_is_stale_counts_nothing_and_shrinks_by_tiers(world: World, age: int, counts: bool, tier: int) -> None:
    """To the second, and never to nothing."""
    assure(world)
    report(world)
    wait(age)
    assert (world.positions.backing(TOKEN) > 0) == counts
    assert world.positions.limit_bps(TOKEN) == tier
    assert world.vault.limits(TOKEN)[0] == 1_000_000 * tier // 10_000


def test_expired_assurance_lowers_the_custodians_limit(world: World) -> None:
    """Half counts, and half leaves; a new one restores both."""
    assure(world, lasts=100)
    report(world, Seen(1_000_000 * UNIT))
    assert world.positions.backing(TOKEN) == 20_000_000  # the custodian's limit
    wait(100)
    assert world.positions.limit_bps(TOKEN) == 10_000
    wait(1)
    assert world.positions.backing(TOKEN) == 10_000_000
    assert world.positions.limit_bps(TOKEN) == 5_000
    assure(world)
    assert world.positions.backing(TOKEN) == 20_000_000


def test_positions_of_one_custodian_share_its_limit(world: World) -> None:
    """Splitting them over accounts counts no more."""
    assure(world)
    other = Place(AssetClass.COINS, GOLD.asset, custodian.raw, b"\x05" * 32)
    world.positions.execute_change(approved_change(world, Change.OPEN_POSITION, other))
    for place in (GOLD, other):
        report(world, Seen(15_000_000 * UNIT, price=1), place=place)
    assert world.positions.backing(TOKEN) == 20_000_000


def test_dispute_counts_nothing_until_its_auditor_agrees(world: World) -> None:
    """At once, by one auditor; others do not sign it away, unless he is no auditor any more."""
    assure(world)
    report(world)
    with boa.reverts("only an auditor"):
        world.positions.dispute(identity(world), b"\x01" * 32, sender=custodian.address)
    world.positions.dispute(identity(world), b"\x01" * 32, sender=auditor.address)
    assert world.positions.backing(TOKEN) == 0
    assert world.positions.limit_bps(TOKEN) == 2_500
    world.vault.execute_change(vault_change(world, Action.GRANT_ROLE, resident.address, 8))
    with boa.reverts("ledger: disputed"):
        report(world, by=(custodian, resident))
    with boa.reverts("ledger: disputed"):
        world.positions.dispute(identity(world), b"\x01" * 32, sender=resident.address)
    with boa.env.anchor():
        report(world, by=(custodian, auditor))
        assert world.positions.backing(TOKEN) > 0
    world.vault.execute_change(vault_change(world, Action.WITHDRAW_ROLE, auditor.address, delay=0))
    report(world, by=(custodian, resident))
    assert world.positions.backing(TOKEN) > 0


def test_nothing_reported_is_not_disputed(world: World) -> None:
    """There is nothing to doubt."""
    with boa.reverts("ledger: nothing reported"):
        world.positions.dispute(identity(world), b"\x01" * 32, sender=auditor.address)


def test_assurance_is_an_auditors_word_for_a_time(world: World) -> None:
    """Of a custodian, with a report, for 400 days at most."""
    now = boa.env.timestamp
    for sender, subject, report_hash, expires, reason in (
        (custodian, custodian, b"\x01" * 32, now, "only an auditor"),
        (auditor, proposer, b"\x01" * 32, now, "ledger: no custodian"),
        (auditor, custodian, bytes(32), now, "ledger: no report"),
        (auditor, custodian, b"\x01" * 32, now + 400 * DAY + 1, "ledger: lasts too long"),
    ):
        with boa.reverts(reason):
            world.positions.assure(subject.address, report_hash, expires, sender=sender.address)
    world.positions.assure(custodian.address, b"\x01" * 32, now + 400 * DAY, sender=auditor.address)


def test_no_minting_past_what_is_attested(world: World) -> None:
    """To the unit; what is stale counts nothing, and redemption goes on."""
    world.token.execute_change(token_change(world, TokenAction.SET_RESERVE, world.positions.address))
    with boa.reverts("token: beyond attested backing"):
        world.token.mint(neighbour.address, 1, sender=issuer.address)
    supply = world.token.totalSupply()
    assure(world)
    report(world, Seen((supply + 1_000) * UNIT, price=1, encumbered=0))
    backing = world.positions.backing(TOKEN)
    assert backing == (supply + 1_000) * 95 // 100
    assert world.token.mintable() == 0
    wait(1)
    report(world, Seen((supply + 1_000) * UNIT, price=2))
    room = world.positions.backing(TOKEN) - supply
    assert world.token.mintable() == room > 0
    with boa.env.anchor():
        world.token.execute_change(token_change(world, TokenAction.SET_ALLOWANCE, issuer.address, room + 1))
        with boa.reverts("token: beyond attested backing"):
            world.token.mint(custodian.address, room + 1, sender=issuer.address)
        world.token.mint(custodian.address, room, sender=issuer.address)
        assert world.token.mintable() == 0
    wait(PRICE_AGE + 1)
    assert world.token.mintable() == 0
    with boa.reverts("token: beyond attested backing"):
        world.token.mint(neighbour.address, 1, sender=issuer.address)
    world.token.burn(10, sender=resident.address)


def test_stale_reports_shrink_releases_and_not_returns(world: World) -> None:
    """What is above the tier's part waits; a return is whole."""
    assure(world)
    deposit(world, 500_000)
    confiscate(world, 400_000)
    order_return(world, neighbour)
    world.vault.execute_change(vault_change(world, Action.SET_LIMITS, TOKEN, 100_000, 1_000_000, 0, delay=0))
    report(world)
    wait(4 * PRICE_AGE + 1)
    assert world.positions.limit_bps(TOKEN) == 1_000
    with boa.reverts("limit: above capacity"):
        approved(world, amount=100_001)
    world.vault.execute_release(approved(world, amount=60_000))
    with boa.reverts("limit: exceeded for now"):
        world.vault.execute_release(approved(world, amount=90_000, delay=4 * DELAY))
    world.vault.execute_return(CASE, TOKEN)
    report(world)
    world.vault.execute_release(approved(world, amount=90_000, delay=4 * DELAY))
