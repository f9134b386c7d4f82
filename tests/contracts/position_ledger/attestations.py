"""Attestations of positions, as custodians and auditors sign them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from alatau.artifacts.positions import AssetClass, Place
from tests.contracts.actors import Actor
from tests.contracts.world import DELAY, GOLD, World, auditor, banker, chair, custodian, decide, now, terms

UNIT: Final = 10**18
NONE: Final = Place(AssetClass.GOLD, bytes(20), bytes(20), bytes(32))
NO_TERMS: Final = (0, 0, 0, 0)


class Change(IntEnum):
    """Kinds of change, as in the contract."""

    OPEN_POSITION = 1
    CLOSE_POSITION = 2
    SET_CLASS = 4
    SET_CUSTODIAN_LIMIT = 8
    SET_THRESHOLD = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """What an attester saw."""

    quantity: int = 1_000 * UNIT
    encumbered: int = 0
    price: int = 2_000
    as_of: int = 0
    """Zero for now."""
    price_as_of: int = 0
    evidence_hash: bytes = b"\xee" * 32


def located(place: Place) -> tuple[int, str, str, bytes]:
    """A place as the test chain takes it."""
    kind, asset, keeper, account_hash = place.as_argument()
    return (kind, "0x" + asset.hex(), "0x" + keeper.hex(), account_hash)


def identity(world: World, place: Place = GOLD) -> bytes:
    """The id of a position."""
    found: bytes = world.positions.position_id(located(place))
    return found


def attested(
    world: World, by: Actor, seen: Seen, *, place: Place = GOLD, sequence: int | None = None
) -> tuple[Any, ...]:
    """An attestation, signed."""
    position = identity(world, place)
    number = world.positions.position(position).sequence + 1 if sequence is None else sequence
    figures = (
        seen.quantity,
        seen.encumbered,
        seen.price,
        seen.as_of or now(),
        seen.price_as_of or now(),
        seen.evidence_hash,
    )
    digest = world.positions.attestation_id(position, number, (by.address, *figures, b""))
    return (by.address, *figures, by.sign(digest))


def ordered(*attestations: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Ascending by signer, as the ledger wants them."""
    return sorted(attestations, key=lambda one: int(one[0], 16))


def report(
    world: World, seen: Seen | None = None, *, by: tuple[Actor, ...] = (custodian, auditor), place: Place = GOLD
) -> None:
    """Everybody saw the same."""
    position = identity(world, place)
    given = ordered(*(attested(world, one, seen or Seen(), place=place) for one in by))
    world.positions.report(position, world.positions.position(position).sequence + 1, given)


def assure(world: World, lasts: int = 300 * 86_400) -> None:
    """The auditor records an assurance of the custodian."""
    world.positions.assure(custodian.address, b"\xaa" * 32, now() + lasts, sender=auditor.address)


def approved_change(
    world: World,
    action: int,
    place: Place = NONE,
    value: int = 0,
    class_terms: tuple[int, int, int, int] = NO_TERMS,
    delay: int = DELAY,
) -> bytes:
    """Propose a change, approve it and let it ripen; gives its id."""
    change = (action, located(place), value, class_terms, terms(world.fund_council))
    decision: bytes = world.positions.propose_change(change, sender=chair.address)
    decide(world.positions, decision, chair, banker, delay=delay)
    return decision
