"""PositionLedger.report: what several saw becomes what counts, and what is refused."""

from dataclasses import replace
from typing import Any

import boa
import pytest
from eth_account.messages import encode_typed_data

from alatau.artifacts import addresses
from alatau.artifacts.positions import AssetClass, Place
from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Actor, actor
from tests.contracts.position_ledger.attestations import (
    UNIT,
    Change,
    Seen,
    approved_change,
    attested,
    identity,
    ordered,
    report,
)
from tests.contracts.reserve_vault.intents import Action
from tests.contracts.reserve_vault.intents import approved_change as vault_change
from tests.contracts.world import (
    GOLD,
    World,
    auditor,
    court,
    custodian,
    governor,
    now,
    proposer,
    resident,
    stranger,
    wait,
)

second = actor("second auditor")
other_custodian = actor("other custodian")


@pytest.fixture
def three(world: World) -> World:
    """A world with a second auditor and another custodian."""
    world.vault.execute_change(vault_change(world, Action.GRANT_ROLE, second.address, 8))
    world.vault.execute_change(vault_change(world, Action.GRANT_ROLE, other_custodian.address, 2))
    return world


def test_custodian_and_auditor_are_enough(world: World) -> None:
    """Anyone carries what they signed."""
    report(world, Seen(quantity=7 * UNIT, encumbered=2 * UNIT, price=5))
    kept = world.positions.position(identity(world))
    assert (kept.quantity, kept.encumbered, kept.price, kept.sequence) == (7 * UNIT, 2 * UNIT, 5, 1)
    assert kept.as_of == kept.price_as_of == now()


def test_median_and_the_most_cautious(three: World) -> None:
    """The middle quantity and price, the largest burden, the oldest dates."""
    wait(1_000)
    seen = {
        custodian: Seen(1_000 * UNIT, 10, 2_000, now() - 5, now() - 7),
        auditor: Seen(1_002 * UNIT, 30, 2_004, now() - 2, now() - 9),
        second: Seen(999 * UNIT, 20, 1_999, now() - 1, now() - 8),
    }
    given = ordered(*(attested(three, who, what) for who, what in seen.items()))
    three.positions.report(identity(three), 1, given, sender=stranger.address)
    kept = three.positions.position(identity(three))
    assert (kept.quantity, kept.encumbered, kept.price) == (1_000 * UNIT, 30, 2_000)
    assert (kept.as_of, kept.price_as_of) == (now() - 5, now() - 9)


def test_of_two_the_lower_counts(world: World) -> None:
    """An even number has no middle: caution decides."""
    given = ordered(attested(world, custodian, Seen(1_001)), attested(world, auditor, Seen(1_000, price=1_999)))
    world.positions.report(identity(world), 1, given)
    kept = world.positions.position(identity(world))
    assert (kept.quantity, kept.price) == (1_000, 1_999)


@pytest.mark.parametrize("signer", [custodian, auditor], ids=lambda a: a.role)
def test_one_alone_reports_nothing(world: World, signer: Actor) -> None:
    """Nor one twice."""
    one = attested(world, signer, Seen())
    with boa.reverts("ledger: too few attesters"):
        world.positions.report(identity(world), 1, [one])
    with boa.reverts("ledger: not sorted"):
        world.positions.report(identity(world), 1, [one, one])


def test_two_of_a_kind_report_nothing(three: World) -> None:
    """Two auditors are not independent of what a custodian would say; another's custodian says nothing here."""
    given = ordered(attested(three, auditor, Seen()), attested(three, second, Seen()))
    with boa.reverts("ledger: without the custodian"):
        three.positions.report(identity(three), 1, given)
    given = ordered(attested(three, custodian, Seen()), attested(three, other_custodian, Seen()))
    with boa.reverts("ledger: no attester"):
        three.positions.report(identity(three), 1, given)
    three.positions.execute_change(approved_change(three, Change.SET_THRESHOLD, value=3, delay=0))
    given = ordered(attested(three, custodian, Seen()), attested(three, auditor, Seen()))
    with boa.reverts("ledger: too few attesters"):
        three.positions.report(identity(three), 1, given)
    report(three, by=(custodian, auditor, second))


@pytest.mark.parametrize("outsider", [proposer, court, governor, resident, stranger], ids=lambda a: a.role)
def test_others_attest_nothing(world: World, outsider: Actor) -> None:
    """Whatever else they are."""
    given = ordered(attested(world, custodian, Seen()), attested(world, outsider, Seen()))
    with boa.reverts("ledger: no attester"):
        world.positions.report(identity(world), 1, given)


def test_signatures_count_once_for_one_position(world: World) -> None:
    """Not again, not for another place, not with other figures, nor out of order."""
    given = ordered(attested(world, custodian, Seen()), attested(world, auditor, Seen()))
    world.positions.report(identity(world), 1, given)
    with boa.reverts("ledger: not the next report"):
        world.positions.report(identity(world), 1, given)
    wait(1)
    with boa.reverts("ledger: bad signature"):
        world.positions.report(identity(world), 2, given)
    fresh = [attested(world, custodian, Seen()), attested(world, auditor, Seen())]
    with boa.reverts("ledger: not sorted"):
        world.positions.report(identity(world), 2, ordered(*fresh)[::-1])
    spoilt = [(signer, quantity + 1, *rest) for signer, quantity, *rest in ordered(*fresh)]
    with boa.reverts("ledger: bad signature"):
        world.positions.report(identity(world), 2, spoilt)
    other = replace(GOLD, kind=AssetClass.COINS)
    world.positions.execute_change(approved_change(world, Change.OPEN_POSITION, other))
    with boa.reverts("ledger: bad signature"):
        world.positions.report(identity(world, other), 1, given)


def test_unchanged_figures_are_attested_anew(world: World) -> None:
    """Somebody looked since: the same date twice is no new report, and one from the future none at all."""
    report(world)
    for as_of, reason in ((now(), "ledger: not seen since"), (now() + 1, "ledger: not seen since")):
        given = ordered(*(attested(world, one, Seen(as_of=as_of)) for one in (custodian, auditor)))
        with boa.reverts(reason):
            world.positions.report(identity(world), 2, given)
    wait(1)
    report(world)
    assert world.positions.position(identity(world)).sequence == 2


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (lambda t: Seen(as_of=t - 30 * 86_400 - 1), "ledger: stale"),
        (lambda t: Seen(price_as_of=t - 2 * 86_400 - 1), "ledger: stale price"),
        (lambda t: Seen(price_as_of=t + 1), "ledger: price of the future"),
        (lambda _: Seen(quantity=2**112), "ledger: figure out of range"),
        (lambda _: Seen(price=2**112), "ledger: figure out of range"),
        (lambda _: Seen(evidence_hash=bytes(32)), "ledger: no evidence"),
        (lambda _: Seen(encumbered=1_000 * UNIT + 1), "ledger: more encumbered than there is"),
    ],
)
def test_bad_figures_are_refused(world: World, seen: Any, reason: str) -> None:
    """Too old, of the future, out of range, or without evidence."""
    wait(40 * 86_400)
    with boa.reverts(reason):
        report(world, seen(now()))


def test_edges_of_age_are_good(world: World) -> None:
    """To the second."""
    wait(40 * 86_400)
    report(world, Seen(as_of=now() - 30 * 86_400, price_as_of=now() - 2 * 86_400))


def test_price_does_not_go_back(world: World) -> None:
    """An older net asset value replaces no newer one; the same one stays."""
    wait(86_400)
    report(world, Seen(price_as_of=now() - 50))
    wait(60)
    with boa.reverts("ledger: older price"):
        report(world, Seen(price_as_of=now() - 111))
    report(world, Seen(price_as_of=now() - 110))


@pytest.mark.parametrize(("second_quantity", "agrees"), [(1_010, True), (1_011, False)])
def test_attesters_have_to_agree(world: World, second_quantity: int, agrees: bool) -> None:
    """Within a hundredth of the median for gold."""
    given = ordered(attested(world, custodian, Seen(1_000)), attested(world, auditor, Seen(second_quantity)))
    if agrees:
        world.positions.report(identity(world), 1, given)
    else:
        with boa.reverts("ledger: attesters disagree"):
            world.positions.report(identity(world), 1, given)


def test_unknown_positions_are_not_reported(world: World) -> None:
    """A place that the council has not opened."""
    place = Place(AssetClass.BONDS, GOLD.asset, custodian.raw, bytes(32))
    with boa.reverts("ledger: no such position"):
        report(world, place=place)


def test_digest_is_plain_typed_data(world: World) -> None:
    """A hardware wallet shows an attester every figure."""
    names = ("quantity", "encumbered", "price", "asOf", "priceAsOf")
    types = {
        "Attestation": [
            {"name": "position", "type": "bytes32"},
            {"name": "sequence", "type": "uint256"},
            *({"name": name, "type": "uint256"} for name in names),
            {"name": "evidenceHash", "type": "bytes32"},
        ]
    }
    domain = {
        "name": "Alatau PositionLedger",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": "0x" + addresses.POSITION_LEDGER.hex(),
    }
    message = {"position": b"\x01" * 32, "sequence": 9, "evidenceHash": b"\x02" * 32}
    message |= {name: number for number, name in enumerate(names, 1)}
    signable = encode_typed_data(domain, types, message)
    wanted = keccak256(b"\x19\x01" + signable.header + signable.body)
    given = (stranger.address, 1, 2, 3, 4, 5, b"\x02" * 32, b"")
    assert world.positions.attestation_id(b"\x01" * 32, 9, given) == wanted
