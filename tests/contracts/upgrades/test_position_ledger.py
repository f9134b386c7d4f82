"""A ledger is succeeded by two pointers: the vault's and the token's, once the attesters have reported anew."""

from dataclasses import replace
from typing import Any

import boa

from alatau.artifacts.positions import DEFAULT_CLASSES
from tests.contracts.position_ledger.attestations import UNIT, Seen, assure, located, report
from tests.contracts.reserve_vault.intents import TOKEN, Action, approved, deposit
from tests.contracts.reserve_vault.intents import approved_change as vault_change
from tests.contracts.settlement_token.changes import Action as TokenAction
from tests.contracts.settlement_token.changes import approved as token_change
from tests.contracts.world import DELAY, GOLD, World, custodian, deploy, issuer, neighbour, wait

DAY = 86_400


def successor_of(world: World) -> Any:
    """A ledger with the same terms, place and limit, that has no report."""
    classes = [
        (kind, (t.quantity_age_s, t.price_age_s, t.deviation_bps, t.haircut_bps)) for kind, t in DEFAULT_CLASSES.items()
    ]
    limits = [(custodian.address, TOKEN, 20_000_000)]
    body = world.fund_council.address
    return deploy("PositionLedger", world.vault.address, body, DELAY, 2, classes, [located(GOLD)], limits)


def test_backing_and_limits_go_over(world: World) -> None:
    """Minting and releases ask the new one; the old one's reports and disputes count no more."""
    world.token.execute_change(token_change(world, TokenAction.SET_RESERVE, world.positions.address))
    deposit(world)
    assure(world)
    report(world, Seen(20_000 * UNIT, 0, 200))
    new = replace(world, positions=successor_of(world))
    assert new.positions.backing(TOKEN) == 0
    # The attesters report there, and only then the pointers move: minting never stands still.
    wait(DAY)
    assure(new)
    report(new, Seen(30_000 * UNIT, 0, 400))
    by_vault = vault_change(world, Action.SET_POSITIONS, new.positions.address)
    by_token = token_change(world, TokenAction.SET_RESERVE, new.positions.address)
    world.vault.execute_change(by_vault)
    world.token.execute_change(by_token)
    assert (world.vault.positions(), world.token.reserve()) == (new.positions.address,) * 2

    backing = new.positions.backing(TOKEN)
    assert backing == 30_000 * 400 * 95 // 100
    supply = world.token.totalSupply()
    world.token.mint(neighbour.address, min(backing - supply, 500_000), sender=issuer.address)
    wait(2 * DAY + 1)
    assert world.vault.limits(TOKEN)[0] == 1_000_000 // 2
    assert new.positions.journal_length() == 2


def test_a_ledger_without_reports_stops_minting_and_not_the_vault(world: World) -> None:
    """What the runbook's first check is for: nothing is lost by it, and reports mend it."""
    deposit(world)
    new = replace(world, positions=successor_of(world))
    world.vault.execute_change(vault_change(world, Action.SET_POSITIONS, new.positions.address))
    world.token.execute_change(token_change(world, TokenAction.SET_RESERVE, new.positions.address))
    with boa.reverts("token: beyond attested backing"):
        world.token.mint(neighbour.address, 1, sender=issuer.address)
    world.vault.execute_release(approved(world))
    assure(new)
    report(new, Seen(30_000 * UNIT, 0, 400))
    world.token.mint(neighbour.address, 1, sender=issuer.address)
