"""ReserveVault.propose_release: what may come before the council."""

from typing import Any

import boa
import pytest
from eth_account.messages import encode_typed_data

from alatau.artifacts import addresses
from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Actor
from tests.contracts.reserve_vault.intents import CASE, TOKEN, confiscate, deposit, proposed, release
from tests.contracts.world import (
    NO_HASH,
    ZERO,
    World,
    auditor,
    court,
    custodian,
    governor,
    guardian,
    proposer,
    resident,
)


def test_digest_is_plain_typed_data(world: World) -> None:
    """A hardware wallet shows a board member every field of the release."""
    wanted = release(world)
    policy_version, nonce, not_before, expires = wanted.terms
    types = {
        "Terms": [{"name": n, "type": "uint256"} for n in ("policyVersion", "nonce", "notBefore", "expires")],
        "Release": [
            {"name": "asset", "type": "address"},
            {"name": "to", "type": "address"},
            {"name": "amount", "type": "uint256"},
            {"name": "provenance", "type": "uint256"},
            {"name": "purpose", "type": "string"},
            {"name": "legalBasisHash", "type": "bytes32"},
            {"name": "caseId", "type": "bytes32"},
            {"name": "terms", "type": "Terms"},
        ],
    }
    domain = {
        "name": "Alatau ReserveVault",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": "0x" + addresses.RESERVE_VAULT.hex(),
    }
    message = {
        "asset": TOKEN,
        "to": wanted.to,
        "amount": wanted.amount,
        "provenance": int(wanted.provenance),
        "purpose": wanted.purpose,
        "legalBasisHash": wanted.legal_basis_hash,
        "caseId": NO_HASH,
        "terms": {"policyVersion": policy_version, "nonce": nonce, "notBefore": not_before, "expires": expires},
    }
    signable = encode_typed_data(domain, types, message)
    assert world.vault.intent_id(wanted.argument()) == keccak256(b"\x19\x01" + signable.header + signable.body)


def test_intent_is_kept_for_all_to_read(world: World) -> None:
    """Board, guardian and auditors see what is asked for."""
    deposit(world)
    kept = world.vault.intent(proposed(world))
    assert (kept.amount, kept.purpose) == (40_000, "Heating subsidy")


@pytest.mark.parametrize("outsider", [custodian, court, auditor, governor, guardian, resident], ids=lambda a: a.role)
def test_only_the_proposer_proposes(world: World, outsider: Actor) -> None:
    """Neither who approves nor who keeps."""
    deposit(world)
    with boa.reverts("role: not yours"):
        world.vault.propose_release(release(world).argument(), sender=outsider.address)


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"amount": 0}, "vault: no amount"),
        ({"to": resident.address}, "vault: destination not allowed"),
        ({"to": ZERO}, "vault: destination not allowed"),
        ({"purpose": ""}, "vault: no purpose"),
        ({"legal_basis_hash": NO_HASH}, "vault: no legal basis"),
        ({"amount": 1_000_001}, "limit: above capacity"),
        ({"asset": resident.address}, "limit: above capacity"),
        ({"amount": 500_001}, "vault: provenance holds less"),
        ({"provenance": 2}, "vault: provenance holds less"),
        ({"case_id": CASE}, "case: only for what is confiscated"),
        ({"provenance": 1, "amount": 5, "case_id": CASE}, "case: no final verdict"),
    ],
)
def test_bad_intents_are_refused(world: World, spoilt: dict[str, Any], reason: str) -> None:
    """A release says what, where to, why and on what basis, and there is enough of its provenance."""
    deposit(world)
    confiscate(world)
    with boa.reverts(reason):
        proposed(world, **spoilt)


def test_nothing_is_proposed_during_a_pause(world: World) -> None:
    """The guardian's pause stops proposals too."""
    deposit(world)
    world.vault.pause(sender=guardian.address)
    with boa.reverts("vault: paused"):
        proposed(world)


def test_intent_is_proposed_once(world: World) -> None:
    """An id is used once for ever."""
    deposit(world)
    wanted = release(world).argument()
    world.vault.propose_release(wanted, sender=proposer.address)
    with boa.reverts("decision: id used"):
        world.vault.propose_release(wanted, sender=proposer.address)
