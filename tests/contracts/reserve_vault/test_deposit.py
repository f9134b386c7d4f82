"""ReserveVault.deposit and deposit_native: taking in, by provenance."""

import boa
import pytest

from tests.contracts.actors import Actor
from tests.contracts.reserve_vault.intents import CASE, TOKEN, Provenance, confiscate, deposit, forfeit
from tests.contracts.world import (
    NO_HASH,
    ZERO,
    World,
    auditor,
    court,
    custodian,
    deploy_mock,
    guardian,
    proposer,
    resident,
)


def test_deposit_is_booked_by_provenance(world: World) -> None:
    """The books tell where it came from, and sum to what is held."""
    deposit(world, 300_000, Provenance.NATIONAL_FUND)
    deposit(world, 100_000, Provenance.MINED)
    assert world.vault.held(TOKEN) == 400_000 == world.token.balanceOf(world.vault.address)
    assert world.vault.ledger(TOKEN, Provenance.NATIONAL_FUND) == 300_000
    assert world.vault.ledger(TOKEN, Provenance.MINED) == 100_000


def test_native_asset_is_deposited(world: World) -> None:
    """With the call."""
    boa.env.set_balance(custodian.address, 10**18)
    world.vault.deposit_native(Provenance.FX_ALLOCATION, NO_HASH, value=10**18, sender=custodian.address)
    assert world.vault.held(ZERO) == 10**18
    with boa.reverts("vault: native assets come with the call"):
        world.vault.deposit(ZERO, 5, Provenance.MINED, NO_HASH, sender=custodian.address)


def test_donation_counts_for_nobody(world: World) -> None:
    """Tokens sent to the vault's address are in no book."""
    world.token.transfer(world.vault.address, 500, sender=resident.address)
    assert world.vault.held(TOKEN) == 0


def test_confiscated_assets_are_the_courts(world: World) -> None:
    """They are locked in their case."""
    confiscate(world)
    assert world.vault.case_amount(CASE, TOKEN) == 50_000
    assert world.vault.cases(CASE).state == 1
    with boa.reverts("role: not yours"):
        world.vault.deposit(TOKEN, 1, Provenance.CONFISCATED, CASE, sender=custodian.address)
    with boa.reverts("case: none named"):
        world.vault.deposit(TOKEN, 1, Provenance.CONFISCATED, NO_HASH, sender=court.address)


def test_decided_case_takes_no_more(world: World) -> None:
    """After the verdict nothing is added."""
    confiscate(world)
    forfeit(world)
    with boa.reverts("case: decided"):
        confiscate(world)


@pytest.mark.parametrize("outsider", [proposer, auditor, guardian, resident, court], ids=lambda a: a.role)
def test_only_the_custodian_deposits(world: World, outsider: Actor) -> None:
    """Who proposes or audits never handles assets."""
    with boa.reverts("role: not yours"):
        world.vault.deposit(TOKEN, 1, Provenance.MINED, NO_HASH, sender=outsider.address)


@pytest.mark.parametrize(
    ("amount", "provenance", "case_id", "reason"),
    [
        (0, 2, NO_HASH, "vault: no amount"),
        (1, 0, NO_HASH, "vault: unknown provenance"),
        (1, 5, NO_HASH, "vault: unknown provenance"),
        (1, 10, NO_HASH, "vault: unknown provenance"),
        (1, 3, CASE, "vault: unknown provenance"),
        (1, 2, CASE, "case: only for what is confiscated"),
    ],
)
def test_bad_deposits_are_refused(world: World, amount: int, provenance: int, case_id: bytes, reason: str) -> None:
    """Every deposit has an amount and a provenance that exists."""
    with boa.reverts(reason):
        world.vault.deposit(TOKEN, amount, provenance, case_id, sender=custodian.address)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [(1, "asset: refused"), (2, "asset: did not arrive whole"), (5, "asset: did not arrive whole")],
    ids=["returns false", "takes a fee", "moves nothing"],
)
def test_dishonest_tokens_are_not_booked(world: World, mode: int, reason: str) -> None:
    """What did not arrive whole is not in the books."""
    hostile = deploy_mock("HostileToken")
    hostile.mint(custodian.address, 1_000)
    hostile.approve(world.vault.address, 1_000, sender=custodian.address)
    hostile.set_mode(mode, ZERO, b"")
    with boa.reverts(reason):
        world.vault.deposit(hostile.address, 1_000, Provenance.MINED, NO_HASH, sender=custodian.address)
    assert world.vault.held(hostile.address) == 0


def test_silent_tokens_are_taken(world: World) -> None:
    """A token whose transfers return nothing is as good as one that says true."""
    silent = deploy_mock("SilentToken")
    silent.mint(custodian.address, 1_000)
    silent.approve(world.vault.address, 1_000, sender=custodian.address)
    world.vault.deposit(silent.address, 1_000, Provenance.MINED, NO_HASH, sender=custodian.address)
    assert world.vault.held(silent.address) == 1_000
