"""ValidatorRegistry.propose_change: what may come before the council."""

import boa
import pytest
from eth_account.messages import encode_typed_data

from alatau.artifacts import addresses
from alatau.crypto.keccak import keccak256
from tests.contracts.actors import actor
from tests.contracts.validator_registry.changes import Action, change, validator
from tests.contracts.world import DELAY, World, chair, now, terms

NEWCOMER = validator(actor("operator of Health"), actor("voting key of Health"))


def test_digest_is_plain_typed_data(world: World) -> None:
    """A hardware wallet shows every field of what a council member signs."""
    policy_version, nonce, not_before, expires = decision = terms(world.fund_council)
    types = {
        "Terms": [{"name": n, "type": "uint256"} for n in ("policyVersion", "nonce", "notBefore", "expires")],
        "ValidatorChange": [
            {"name": "action", "type": "string"},
            {"name": "operator", "type": "address"},
            {"name": "votingKey", "type": "address"},
            {"name": "tlsKeyHash", "type": "bytes32"},
            {"name": "endpoint", "type": "string"},
            {"name": "power", "type": "uint256"},
            {"name": "name", "type": "string"},
            {"name": "terms", "type": "Terms"},
        ],
    }
    domain = {
        "name": "Alatau ValidatorRegistry",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": "0x" + addresses.VALIDATOR_REGISTRY.hex(),
    }
    operator, voting_key, tls_key_hash, endpoint, power, name = NEWCOMER
    message = {
        "action": "admit validator",
        "operator": operator,
        "votingKey": voting_key,
        "tlsKeyHash": tls_key_hash,
        "endpoint": endpoint,
        "power": power,
        "name": name,
        "terms": {"policyVersion": policy_version, "nonce": nonce, "notBefore": not_before, "expires": expires},
    }
    signable = encode_typed_data(domain, types, message)
    digest = keccak256(b"\x19\x01" + signable.header + signable.body)
    assert world.validators.change_id((Action.ADMIT, NEWCOMER, decision)) == digest


def test_proposal_is_kept_for_all_to_read(world: World) -> None:
    """Guardian and public see what is about to happen."""
    identity = world.validators.propose_change(change(world, Action.ADMIT, NEWCOMER), sender=chair.address)
    kept = world.validators.change(identity)
    assert (kept.action, kept.validator.name, kept.validator.power) == (1, "operator of Health", 100)


@pytest.mark.parametrize("action", [0, 8])
def test_unknown_actions_are_refused(world: World, action: int) -> None:
    """There are seven things to do."""
    with boa.reverts("change: unknown action"):
        world.validators.propose_change((action, NEWCOMER, terms(world.fund_council)), sender=chair.address)


def test_terms_are_checked(world: World) -> None:
    """Expired, too long, never ripe, or under another policy: refused when it is proposed."""
    version = world.fund_council.policy_version()
    cases = [
        ((version, 1, 0, now()), "decision: expired"),
        ((version, 1, 0, now() + 91 * 86_400), "decision: lives too long"),
        ((version, 1, now() + 2 * DELAY, now() + DELAY), "decision: never ripe"),
        ((version + 1, 1, 0, now() + DELAY), "decision: policy changed"),
    ]
    for decision, reason in cases:
        with boa.reverts(reason):
            world.validators.propose_change((Action.ADMIT, NEWCOMER, decision), sender=chair.address)


def test_id_is_used_once(world: World) -> None:
    """The same change under the same nonce is proposed once for ever."""
    proposed = change(world, Action.ADMIT, NEWCOMER)
    world.validators.propose_change(proposed, sender=chair.address)
    with boa.reverts("decision: id used"):
        world.validators.propose_change(proposed, sender=chair.address)
