"""``alatau participant``: what an account may do, and what is left of its limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_abi.abi import encode

from alatau.artifacts.genesis import NO_CAP, PaymentLimits, resident_word
from alatau.crypto.keccak import keccak256
from tests.support.served_network import Network, network_contracts, served
from tests.support.solo_node import MERCHANT, RESIDENT, solo_node
from tests.unit.cli.command_line import Alatau


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Network]:
    """A network in which RESIDENT is of tier 1, which pays 100 at once and 150 in a day."""
    contracts = network_contracts(
        participants={RESIDENT.address: resident_word(1)}, payment_limits=(PaymentLimits(100, 150, NO_CAP),)
    )
    node = solo_node(tmp_path / "node", contracts=contracts)
    with served(node, tmp_path / "users") as network:
        yield network
    node.store.close()


def test_what_is_left_of_the_limits(alatau: Alatau, limited: Network) -> None:
    """The smallest of the three is what may be paid now; a wallet reads the same of the contract."""
    fresh = alatau("participant", "0x" + RESIDENT.address.hex(), *limited.at, "--json").json()
    assert (fresh["kind"], fresh["tier"], fresh["may_transact"], fresh["holds"]) == ("resident", 1, True, 5_000)
    assert (fresh["may_hold"], fresh["may_pay_at_once"], fresh["paid_today"]) == (1_000_000, 100, 0)
    data = keccak256(b"transfer(address,uint256)")[:4] + encode(["address", "uint256"], [MERCHANT.address, 70])
    limited.submit(RESIDENT, data)
    limited.commit_block()
    paid = alatau("participant", "0x" + RESIDENT.address.hex(), *limited.at, "--json").json()
    assert (paid["paid_today"], paid["paid_this_month"], paid["may_pay_at_once"]) == (70, 70, 80)
    assert (paid["limit_of_a_day"], paid["limit_of_a_month"]) == (150, None)
    assert paid["next_day_begins"].endswith("19:00:00 UTC")


def test_people_read_lines(alatau: Alatau, limited: Network) -> None:
    """An institution has no limits; who was never registered may nothing."""
    shown = alatau("participant", "0x" + MERCHANT.address.hex(), *limited.at).out
    assert "institution" in shown
    assert "without limit" in shown
    unknown = alatau("participant", "0x" + "ab" * 20, *limited.at, "--json").json()
    assert (unknown["kind"], unknown["may_transact"], unknown["may_hold"]) == (None, False, 0)
