"""Every decision's digest is plain EIP-712: any wallet computes it, and shows what is signed."""

from collections.abc import Callable
from typing import Any

import boa
import pytest
from eth_account.messages import encode_typed_data

from alatau.crypto.keccak import keccak256
from tests.contracts.actors import override_digest
from tests.contracts.world import DELAY, World, banker, chair, governor, guardian, now, stranger

TERMS = [{"name": name, "type": "uint256"} for name in ("policyVersion", "nonce", "notBefore", "expires")]
SUBJECT = stranger.address


def wallet_digest(
    contract: Any, name: str, kind: str, fields: dict[str, tuple[str, Any]], terms: tuple[int, ...]
) -> bytes:
    """The digest that eth-account signs."""
    types = {
        "Terms": TERMS,
        kind: [{"name": field, "type": t} for field, (t, _) in fields.items()] + [{"name": "terms", "type": "Terms"}],
    }
    domain = {
        "name": name,
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": contract.address,
    }
    message = {field: value for field, (_, value) in fields.items()}
    message["terms"] = dict(zip([term["name"] for term in TERMS], terms, strict=True))
    signable = encode_typed_data(domain, types, message)
    return keccak256(b"\x19\x01" + signable.header + signable.body)


def decision() -> tuple[int, int, int, int]:
    """Terms with four different values."""
    return (1, 77, now() + 5, now() + DELAY)


@pytest.mark.parametrize(
    ("action", "word"), [(1, "grant role"), (2, "withdraw role"), (3, "add listener"), (4, "remove listener")]
)
def test_registry_changes(world: World, action: int, word: str) -> None:
    """RegistryChange says in a word what it does."""
    terms = decision()
    fields = {"action": ("string", word), "subject": ("address", SUBJECT), "value": ("uint256", 3)}
    wanted = wallet_digest(world.participants, "Alatau ParticipantRegistry", "RegistryChange", fields, terms)
    assert world.participants.change_id((action, SUBJECT, 3, terms)) == wanted


@pytest.mark.parametrize(("action", "word"), [(1, "set tier cap"), (2, "set class cap")])
def test_caps(world: World, action: int, word: str) -> None:
    """CapChange says whose cap it is."""
    terms = decision()
    fields = {"action": ("string", word), "number": ("uint256", 3), "cap": ("uint256", 70)}
    wanted = wallet_digest(world.participants, "Alatau ParticipantRegistry", "CapChange", fields, terms)
    assert world.participants.cap_id((action, 3, 70, terms)) == wanted


@pytest.mark.parametrize(
    ("action", "word"),
    [
        (1, "set issuer allowance"),
        (2, "lift pause"),
        (3, "set registry"),
        (4, "set reserve"),
        (5, "set payment limits"),
    ],
)
def test_token_changes(world: World, action: int, word: str) -> None:
    """TokenChange likewise; the domain is the token's name."""
    terms = decision()
    fields = {"action": ("string", word), "subject": ("address", SUBJECT), "value": ("uint256", 3)}
    fields |= {name: ("uint256", n) for n, name in enumerate(("tier", "payment", "day", "month"), start=4)}
    wanted = wallet_digest(world.token, "Digital Tenge", "TokenChange", fields, terms)
    assert world.token.change_id((action, SUBJECT, 3, 4, 5, 6, 7, terms)) == wanted


@pytest.mark.parametrize(
    ("action", "word"),
    [
        (1, "allow destination"),
        (2, "forbid destination"),
        (4, "set limits"),
        (8, "grant role"),
        (16, "withdraw role"),
        (32, "lift pause"),
        (64, "prolong pause"),
        (128, "set oversight"),
        (256, "set positions"),
    ],
)
def test_vault_changes(world: World, action: int, word: str) -> None:
    """VaultChange carries the limits too."""
    terms = decision()
    fields = {
        "action": ("string", word),
        "subject": ("address", SUBJECT),
        "value": ("uint256", 3),
        "capacity": ("uint256", 4),
        "leakPerSecond": ("uint256", 5),
    }
    wanted = wallet_digest(world.vault, "Alatau ReserveVault", "VaultChange", fields, terms)
    assert world.vault.change_id((action, SUBJECT, 3, 4, 5, terms)) == wanted


@pytest.mark.parametrize(
    ("action", "word"),
    [
        (1, "admit validator"),
        (2, "remove validator"),
        (3, "rotate keys"),
        (4, "set power"),
        (5, "admit observer"),
        (6, "revoke observer"),
        (7, "bind genesis"),
    ],
)
def test_validator_changes(world: World, action: int, word: str) -> None:
    """ValidatorChange names the validator."""
    terms = decision()
    fields = {
        "action": ("string", word),
        "operator": ("address", SUBJECT),
        "votingKey": ("address", chair.address),
        "tlsKeyHash": ("bytes32", b"\x07" * 32),
        "endpoint": ("string", "host:1"),
        "power": ("uint256", 9),
        "name": ("string", "Ministry"),
    }
    wanted = wallet_digest(world.validators, "Alatau ValidatorRegistry", "ValidatorChange", fields, terms)
    subject = (SUBJECT, chair.address, b"\x07" * 32, "host:1", 9, "Ministry")
    assert world.validators.change_id((action, subject, terms)) == wanted


def test_memberships(world: World) -> None:
    """An array of members is hashed as EIP-712 wants it."""
    members = sorted((chair.address, banker.address), key=lambda a: int(a, 16))
    terms = (1, 77, 0, now() + DELAY)
    fields = {
        "members": ("address[]", members),
        "threshold": ("uint256", 2),
        "guardian": ("address", guardian.address),
    }
    wanted = wallet_digest(world.fund_council, "Fund council", "Membership", fields, terms)
    proposed = world.fund_council.propose_membership(members, 2, guardian.address, terms, sender=chair.address)
    assert proposed == wanted


def test_successions(world: World) -> None:
    """Another body for a contract: ReplaceBody, in the contract's own domain."""
    terms = (1, 77, 0, now() + DELAY)
    successor = world.fund_council.address
    fields = {"body": ("address", successor)}
    wanted = wallet_digest(world.vault, "Alatau ReserveVault", "ReplaceBody", fields, terms)
    assert world.vault.propose_body(successor, terms, sender=governor.address) == wanted


def test_restorations(world: World) -> None:
    """What the higher body signs for a council that cannot decide: like a membership, by another name."""
    members = sorted((chair.address, banker.address), key=lambda a: int(a, 16))
    terms = (1, 77, 0, now() + 5 * DELAY)
    fields = {
        "members": ("address[]", members),
        "threshold": ("uint256", 2),
        "guardian": ("address", guardian.address),
    }
    wanted = wallet_digest(world.fund_council, "Fund council", "Restoration", fields, terms)
    assert world.fund_council.restoration_id(members, 2, guardian.address, terms) == wanted


def test_overrides(world: World) -> None:
    """OverrideVeto names the decision; any wallet shows it."""
    terms = (1, 77, 0, now() + DELAY)
    identity = world.token.propose_change((2, SUBJECT, *(0,) * 5, terms), sender=chair.address)
    assert world.token.override_id(identity) == override_digest(world.token, "Digital Tenge", identity)


def test_end_of_a_pause_of_the_channels(world: World) -> None:
    """LiftPause has nothing but terms."""
    terms = (1, 77, 0, now() + DELAY)
    wanted = wallet_digest(world.channel_pause, "Alatau ChannelPause", "LiftPause", {}, terms)
    assert world.channel_pause.propose_unpause(terms, sender=chair.address) == wanted


@pytest.mark.parametrize(
    ("pick", "name"),
    [
        (lambda w: w.fund_council, "Fund council"),
        (lambda w: w.validators, "Alatau ValidatorRegistry"),
        (lambda w: w.participants, "Alatau ParticipantRegistry"),
        (lambda w: w.token, "Digital Tenge"),
        (lambda w: w.vault, "Alatau ReserveVault"),
        (lambda w: w.channels, "Alatau CityChannels"),
        (lambda w: w.channel_pause, "Alatau ChannelPause"),
    ],
)
def test_domains_describe_themselves(world: World, pick: Callable[[World], Any], name: str) -> None:
    """EIP-5267: a wallet asks the contract for its domain."""
    contract = pick(world)
    used, found, version, chain_id, address, salt, extensions = contract.eip712Domain()
    assert (used, found, version, address, salt, extensions) == (b"\x0f", name, "1", contract.address, bytes(32), [])
    assert chain_id == boa.env.evm.patch.chain_id
    boa.env.evm.patch.chain_id = chain_id + 1
    moved = contract.DOMAIN_SEPARATOR()
    boa.env.evm.patch.chain_id = chain_id
    assert moved != contract.DOMAIN_SEPARATOR()
