"""What the contracts cost, as transactions of their own: the design's figures are upper bounds.

Measured on a chain of its own, since measuring forgets which slots were touched before (each transaction starts
cold), and that does not mix with taking the chain back after a test.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boa
import pytest

from tests.contracts.actors import Party, actor, approvals
from tests.contracts.city_channels.phone_parties import admitted, chip, device_of, passkey
from tests.contracts.city_channels.tills import (
    DEPOSIT,
    agreement,
    claim_of,
    let_window_pass,
    open_till,
    own,
    start_closing,
    till_of,
)
from tests.contracts.reserve_vault.intents import deposit, release
from tests.contracts.settlement_token.changes import set_limits
from tests.contracts.world import (
    DELAY,
    World,
    build_world,
    deputy,
    director,
    governor,
    hub,
    merchant,
    neighbour,
    proposer,
    registrar,
    resident,
    stranger,
    wait,
)

pytestmark = pytest.mark.ignore_isolation

BASE = 21_000
"""What a transaction costs before it does anything."""

FIGURES: dict[str, int] = {}
"""What was measured, by name; `make gas` writes it to the file that ALATAU_GAS_JSON names."""


@pytest.fixture(scope="module", autouse=True)
def written() -> Iterator[None]:
    """The figures of all tests of this file, in a file if one is asked for."""
    yield
    if target := os.environ.get("ALATAU_GAS_JSON"):
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).write_text(json.dumps(FIGURES, indent=1, sort_keys=True) + "\n")


@pytest.fixture(scope="module")
def paid_world() -> Iterator[World]:
    """A world in daily use: hub and residents have had channels and balances before."""
    with boa.swap_env(boa.Env()):
        world = build_world()
        first = open_till(world, salt=1_000, amount=100, hub_amount=100)
        world.channels.close_cooperatively(*agreement(first, 100, 100))
        world.token.transfer(neighbour.address, 10, sender=resident.address)
        yield world


def gas_of(contract: Any, function: str, *arguments: Any, sender: str) -> int:
    """Gas that a transaction with this call pays: intrinsic and execution, less refunds (EIP-2028, 2929, 3529)."""
    boa.env.evm.vm.state.lock_changes()
    boa.env.evm.reset_access_counters()
    getattr(contract, function)(*arguments, sender=sender)
    computation = contract._computation
    data = computation.msg.data
    zeros = data.count(0)
    used = BASE + 4 * zeros + 16 * (len(data) - zeros) + computation.get_gas_used()
    return int(used - min(computation.get_gas_refund(), used // 5))


def test_opening_with_deposit(paid_world: World) -> None:
    """At most 110,000 (Raiden 147,000; Celer 411,000)."""
    paid_world.token.approve(paid_world.channels.address, 2**256 - 1, sender=resident.address)
    used = gas_of(paid_world.channels, "open", hub.address, b"\x02" * 32, DEPOSIT, sender=resident.address)
    assert used <= 110_000, used
    FIGURES["open_deposit"] = used


def test_cooperative_close(paid_world: World) -> None:
    """At most 70,000 (Raiden 112,000; Celer 145,000), with a first credit for the resident."""
    till = open_till(paid_world, salt=3)
    paid_world.channels.claim(resident.address)
    used = gas_of(
        paid_world.channels, "close_cooperatively", *agreement(till, 6_000, DEPOSIT - 6_000), sender=hub.address
    )
    assert used <= 70_000, used
    FIGURES["cooperative_close"] = used


def test_unilateral_close_in_all(paid_world: World) -> None:
    """Close with a stale voucher, correct it, settle: at most 200,000 (Raiden 318,000; Celer 560,000)."""
    till = open_till(paid_world, salt=4)
    channels = paid_world.channels
    stale = claim_of(till, resident, 3, 300, receipt_by=hub)
    used = gas_of(channels, "close", till.key, own(resident), stale, sender=resident.address)
    used += gas_of(channels, "submit", till.key, claim_of(till, resident, 9, 900), sender=hub.address)
    let_window_pass()
    used += gas_of(channels, "settle", till.key, [], [], sender=hub.address)
    assert used <= 200_000, used
    FIGURES["unilateral_total"] = used


def test_vouchers_of_every_scheme(paid_world: World) -> None:
    """Above a secp256k1 voucher: a chip's own at most 15,000, a passkey's 45,000, a device's by a passkey 55,000."""
    plain = submission(paid_world, 5, resident)
    above = {
        "voucher_p256_above": submission(paid_world, 6, admitted(paid_world, chip)) - plain,
        "voucher_passkey_above": submission(paid_world, 7, admitted(paid_world, passkey)) - plain,
        "voucher_device_above": submission(paid_world, 8, passkey, device_of(passkey, till_of(8, passkey), 900))
        - plain,
    }
    FIGURES.update(above)
    assert above["voucher_p256_above"] <= 15_000, above
    assert above["voucher_passkey_above"] <= 45_000, above
    assert above["voucher_device_above"] <= 55_000, above


def submission(world: World, salt: int, payer: Party, signer: Party | None = None) -> int:
    """Gas of the hub's `submit` of a voucher in a channel of its own."""
    till = open_till(world, salt=salt, a=payer)
    start_closing(world, till, by=payer)
    claim = claim_of(till, payer, 9, 900, signed_by=signer)
    return gas_of(world.channels, "submit", till.key, claim, sender=hub.address)


def test_batch_settlement(paid_world: World) -> None:
    """A mass exit of residents with a credit already: at most 30,000 each."""
    channels = paid_world.channels
    tills = [open_till(paid_world, salt=100 + n, amount=50) for n in range(32)]
    for till in tills:
        start_closing(paid_world, till)
    let_window_pass()
    used = gas_of(channels, "settle_many", [till.key for till in tills], sender=hub.address)
    assert used // len(tills) <= 30_000, used // len(tills)
    FIGURES["batch_settle_each"] = used // len(tills)


def test_transfer_between_known_accounts(paid_world: World) -> None:
    """Three slots read, two written, nobody called: no dearer than a plain token."""
    wait(blocks=1)
    used = gas_of(paid_world.token, "transfer", neighbour.address, 1, sender=resident.address)
    assert used <= 37_600, used
    FIGURES["transfer"] = used


def test_first_transfer_to_a_participant(paid_world: World) -> None:
    """The registry is asked once; the next transfer does not."""
    newcomer = actor("newcomer")
    paid_world.participants.register(newcomer.address, 1, 1, 0, sender=registrar.address)
    first = gas_of(paid_world.token, "transfer", newcomer.address, 1, sender=resident.address)
    second = gas_of(paid_world.token, "transfer", newcomer.address, 1, sender=resident.address)
    assert second <= 37_600 < first <= 75_000, (first, second)


def test_vault_release_with_three_signatures(paid_world: World) -> None:
    """Proposed, approved by three, executed, in all: rare and kept for ever, so what it stores is what it costs."""
    vault = paid_world.vault
    deposit(paid_world)
    wanted = release(paid_world).argument()
    used = gas_of(vault, "propose_release", wanted, sender=proposer.address)
    identity = vault.intent_id(wanted)
    given = approvals(identity, governor, deputy, director)
    approving = gas_of(vault, "approve_decision", identity, given, sender=stranger.address)
    wait(DELAY)
    executing = gas_of(vault, "execute_release", identity, sender=stranger.address)
    assert used + approving + executing <= 900_000, (used, approving, executing)
    FIGURES["vault_release_3"] = used + approving + executing
    FIGURES["vault_release_3_approve"] = approving
    FIGURES["vault_release_3_execute"] = executing
    FIGURES["vault_release_3_propose"] = used


def test_payment_under_limits(paid_world: World) -> None:
    """The tier's slot is read and the payer's written: less than 9,000 more, and 17,100 for the payer's first time."""
    payer = merchant
    set_limits(paid_world, 2, 1_000, 5_000, 50_000)
    paid_world.token.transfer(payer.address, 100, sender=resident.address)
    paid_world.token.transfer(resident.address, 1, sender=payer.address)
    used = gas_of(paid_world.token, "transfer", resident.address, 1, sender=payer.address)
    wait(86_400)
    tomorrow = gas_of(paid_world.token, "transfer", resident.address, 1, sender=payer.address)
    assert used <= 45_600, used
    assert tomorrow <= 46_600, tomorrow
    FIGURES["transfer_under_limits"] = used
    FIGURES["transfer_under_limits_first_of_day"] = tomorrow
