"""PositionLedger.execute_change: what lowers the backing is instant, the rest waits; every act is in the journal."""

from typing import Any

import boa
import pytest

from alatau.artifacts.artifact import load
from alatau.artifacts.positions import DEFAULT_CLASSES, AssetClass, Place
from alatau.crypto.keccak import keccak256
from tests.contracts.position_ledger.attestations import (
    NONE,
    Change,
    approved_change,
    assure,
    identity,
    located,
    report,
)
from tests.contracts.reserve_vault.intents import TOKEN
from tests.contracts.world import (
    GOLD,
    World,
    auditor,
    banker,
    chair,
    custodian,
    decide,
    guardian,
    resident,
    stranger,
    terms,
    wait,
)

OTHER = Place(AssetClass.COINS, GOLD.asset, custodian.raw, b"\x05" * 32)
TERMS = DEFAULT_CLASSES[AssetClass.GOLD]
AGE, PRICE_AGE, DEVIATION, HAIRCUT = TERMS.quantity_age_s, TERMS.price_age_s, TERMS.deviation_bps, TERMS.haircut_bps


@pytest.mark.parametrize(
    ("action", "place", "value", "class_terms"),
    [
        (Change.OPEN_POSITION, OTHER, 0, (0, 0, 0, 0)),
        (Change.CLOSE_POSITION, GOLD, 0, (0, 0, 0, 0)),
        (Change.SET_CLASS, GOLD, 0, (AGE + 1, PRICE_AGE, DEVIATION, HAIRCUT)),
        (Change.SET_CLASS, GOLD, 0, (AGE, PRICE_AGE + 1, DEVIATION, HAIRCUT)),
        (Change.SET_CLASS, GOLD, 0, (AGE, PRICE_AGE, DEVIATION + 1, HAIRCUT)),
        (Change.SET_CLASS, GOLD, 0, (AGE, PRICE_AGE, DEVIATION, HAIRCUT - 1)),
        (Change.SET_CUSTODIAN_LIMIT, GOLD, 20_000_001, (0, 0, 0, 0)),
    ],
)
def test_more_backing_waits(world: World, action: int, place: Place, value: int, class_terms: Any) -> None:
    """The delay passes first."""
    with boa.reverts("decision: not ripe"):
        world.positions.execute_change(approved_change(world, action, place, value, class_terms, delay=0))


@pytest.mark.parametrize(
    ("action", "place", "value", "class_terms"),
    [
        (Change.SET_CLASS, GOLD, 0, (AGE - 1, PRICE_AGE - 1, DEVIATION - 1, HAIRCUT + 1)),
        (Change.SET_CUSTODIAN_LIMIT, GOLD, 19_999_999, (0, 0, 0, 0)),
        (Change.SET_THRESHOLD, NONE, 3, (0, 0, 0, 0)),
    ],
)
def test_less_backing_is_instant(world: World, action: int, place: Place, value: int, class_terms: Any) -> None:
    """Approved and done."""
    world.positions.execute_change(approved_change(world, action, place, value, class_terms, delay=0))


def test_lower_threshold_waits_and_has_a_floor(world: World) -> None:
    """A custodian and an auditor sign every report."""
    world.positions.execute_change(approved_change(world, Change.SET_THRESHOLD, value=3, delay=0))
    with boa.reverts("decision: not ripe"):
        world.positions.execute_change(approved_change(world, Change.SET_THRESHOLD, value=2, delay=0))
    for value in (1, 9):
        with boa.reverts("ledger: threshold out of range"):
            world.positions.execute_change(approved_change(world, Change.SET_THRESHOLD, value=value))


def test_lowering_that_became_raising_is_refused(world: World) -> None:
    """A delay is not dodged by waiting for lower limits."""
    higher = approved_change(world, Change.SET_CUSTODIAN_LIMIT, GOLD, 9_000_000, delay=0)
    world.positions.execute_change(approved_change(world, Change.SET_CUSTODIAN_LIMIT, GOLD, 1_000, delay=0))
    with boa.reverts("change: raises after all"):
        world.positions.execute_change(higher)


def test_closed_position_counts_nothing(world: World) -> None:
    """And, opened again, takes no signature twice."""
    assure(world)
    report(world)
    assert world.positions.backing(TOKEN) > 0
    with boa.reverts("ledger: open"):
        world.positions.execute_change(approved_change(world, Change.OPEN_POSITION, GOLD))
    world.positions.execute_change(approved_change(world, Change.CLOSE_POSITION, GOLD))
    assert world.positions.backing(TOKEN) == 0
    assert world.positions.positions_behind(TOKEN) == []
    with boa.reverts("ledger: no such position"):
        report(world)
    with boa.reverts("ledger: no such position"):
        world.positions.execute_change(approved_change(world, Change.CLOSE_POSITION, GOLD))
    world.positions.execute_change(approved_change(world, Change.OPEN_POSITION, GOLD))
    assert world.positions.backing(TOKEN) == 0
    report(world)
    assert world.positions.position(identity(world)).sequence == 2


@pytest.mark.parametrize(
    ("action", "place", "class_terms", "reason"),
    [
        (Change.OPEN_POSITION, Place(AssetClass.COINS, GOLD.asset, bytes(20), bytes(32)), (0,) * 4, "no custodian"),
        (Change.SET_CLASS, GOLD, (0, 0, 0, 10_001), "haircut above all"),
        (Change.SET_CLASS, GOLD, (400 * 86_400 + 1, 0, 0, 0), "lasts too long"),
        (Change.SET_CLASS, GOLD, (0, 400 * 86_400 + 1, 0, 0), "lasts too long"),
        (Change.SET_CLASS, GOLD, (0, 0, 10_001, 0), "deviation above all"),
    ],
)
def test_senseless_terms_are_refused(world: World, action: int, place: Place, class_terms: Any, reason: str) -> None:
    """When they are carried out."""
    with boa.reverts(f"ledger: {reason}"):
        world.positions.execute_change(approved_change(world, action, place, 0, class_terms))


@pytest.mark.parametrize("action", [0, 3, 31])
def test_unknown_actions_are_refused(world: World, action: int) -> None:
    """There are five, one at a time."""
    with boa.reverts("change: unknown action"):
        approved_change(world, action, GOLD)


def test_who_proposes(world: World) -> None:
    """Members, their guardian and who holds a role in the vault; nobody else makes the ledger grow."""
    for sender in (guardian, auditor, custodian, banker):
        change = (Change.SET_THRESHOLD, located(NONE), 3, (0,) * 4, terms(world.fund_council))
        world.positions.propose_change(change, sender=sender.address)
    for sender in (stranger, resident):
        change = (Change.SET_THRESHOLD, located(NONE), 3, (0,) * 4, terms(world.fund_council))
        with boa.reverts("ledger: no part in it"):
            world.positions.propose_change(change, sender=sender.address)


def test_journal_holds_every_act(world: World) -> None:
    """In the order in which they came, its head in slot 0."""
    kinds = []
    report(world)
    kinds += _kinds(world)
    world.positions.dispute(identity(world), b"\x01" * 32, sender=auditor.address)
    kinds += _kinds(world)
    assure(world)
    kinds += _kinds(world)
    change = (Change.SET_THRESHOLD, located(NONE), 3, (0,) * 4, terms(world.fund_council))
    decision = world.positions.propose_change(change, sender=chair.address)
    kinds += _kinds(world)
    decide(world.positions, decision, chair, banker, delay=0)
    wait(1)
    world.positions.execute_change(decision)
    kinds += _kinds(world)
    assert kinds == [keccak256(word) for word in (b"report", b"dispute", b"assure", b"propose change", b"change")]
    head = boa.env.get_storage(world.positions.address, 0).to_bytes(32, "big")
    assert head == world.positions.journal_head()
    assert load("PositionLedger").layout["storage_layout"]["journal"]["journal_head"]["slot"] == 0


def _kinds(world: World) -> list[bytes]:
    return [e.kind for e in world.positions.get_logs() if type(e).__name__ == "JournalExtended"]
