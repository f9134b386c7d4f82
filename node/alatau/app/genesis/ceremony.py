"""The genesis ceremony: each ministry signs what it adds, and whoever merges gets the same genesis, byte for byte.

1. The coordinator circulates a plan (:mod:`plan`).
2. Each validator signs a contribution for exactly this plan with all three of its keys: the voting key and the TLS key
   prove that it holds them, the operator's key that the ministry wants it.
3. Anyone merges all contributions into the genesis. The transcript hash covers the plan and every contribution; the
   ministries compare it over a channel that they trust, and know that they start the same network.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from alatau.app.genesis.file import validator_from_json, validator_to_json
from alatau.app.genesis.plan import OPERATORS, CouncilPlan, NetworkPlan, plan_hash
from alatau.app.json_field import JsonField, pretty_json, read_document
from alatau.artifacts.genesis import CouncilMembers, NetworkContracts, genesis_contracts, institution_word
from alatau.chain.permission import status_word
from alatau.chain.validator_registry import ADMITTED_MAX
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest, word
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey, SignatureError, recover_address
from alatau.transport.certificates import key_hash, load_key
from alatau.types.genesis import Genesis, GenesisValidator

FORMAT: Final = "alatau-contribution/1"
CONTRIBUTION_TYPE: Final = (
    "Contribution(string name,address operator,bytes votingPublicKey,bytes tlsPublicKey,string endpoint,uint256 power)"
)
_DOMAIN_TYPE_HASH: Final = type_hash("EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)")
_CONTRIBUTION_TYPE_HASH: Final = type_hash(CONTRIBUTION_TYPE)
_FILE_SIZE_MAX: Final = 64 * 1024


class CeremonyError(ValueError):
    """Contributions do not make a genesis. The message names the ministry that has to contribute anew, and why."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one ministry adds, signed for one plan."""

    validator: GenesisValidator
    plan_hash: bytes
    operator_signature: bytes
    """65 bytes, secp256k1."""
    voting_signature: bytes
    """65 bytes, secp256k1."""
    tls_signature: bytes
    """DER, ECDSA on P-256 with SHA-256."""


def contribute(
    plan: NetworkPlan,
    *,
    name: str,
    endpoint: str,
    power: int,
    operator: PrivateKey,
    voting: PrivateKey,
    tls_key_pem: bytes,
) -> Contribution:
    """Describe a validator and sign it with its three keys.

    Raises:
        CertificateError: ``tls_key_pem`` is no key of a node.
        DocumentError: name, endpoint or power could not stand in a genesis file.
    """
    tls_key = load_key(tls_key_pem)
    tls_public_key = tls_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    validator = GenesisValidator(
        name=name,
        operator=operator.address,
        voting_public_key=voting.public_key,
        voting_address=voting.address,
        tls_public_key=tls_public_key,
        tls_key_hash=key_hash(tls_public_key),
        endpoint=endpoint,
        power=power,
    )
    validator = validator_from_json(JsonField(validator_to_json(validator), "contribution: "))
    digest = contribution_digest(plan.config.chain_id, plan_hash(plan), validator)
    return Contribution(
        validator=validator,
        plan_hash=plan_hash(plan),
        operator_signature=operator.sign(digest),
        voting_signature=voting.sign(digest),
        tls_signature=tls_key.sign(digest, ec.ECDSA(hashes.SHA256())),
    )


def contribution_digest(chain_id: int, plan_hash_: bytes, validator: GenesisValidator) -> bytes:
    """What the three signatures cover: EIP-712, with the plan's hash as the domain's salt."""
    domain = struct_hash(_DOMAIN_TYPE_HASH, keccak256(b"Alatau Genesis"), keccak256(b"1"), word(chain_id), plan_hash_)
    contribution = struct_hash(
        _CONTRIBUTION_TYPE_HASH,
        keccak256(validator.name.encode()),
        validator.operator.rjust(32, b"\0"),
        keccak256(validator.voting_public_key),
        keccak256(validator.tls_public_key),
        keccak256(validator.endpoint.encode()),
        word(validator.power),
    )
    return typed_digest(domain, contribution)


def merge(plan: NetworkPlan, contributions: Iterable[Contribution]) -> Genesis:
    """The genesis of ``plan`` with these validators, whatever the order in which they are given.

    Raises:
        CeremonyError: a contribution is for another plan, wrongly signed, or clashes with another.
    """
    ordered = sorted(contributions, key=lambda c: c.validator.voting_address)
    if not ordered:
        raise CeremonyError("no contribution was given; a network needs at least one validator")
    if len(ordered) > ADMITTED_MAX:
        raise CeremonyError(f"{len(ordered)} contributions; the validator registry admits at most {ADMITTED_MAX}")
    for contribution in ordered:
        check_contribution(plan, contribution)
    validators = tuple(c.validator for c in ordered)
    for what in ("voting_address", "operator", "tls_key_hash", "endpoint", "name"):
        _check_distinct(validators, what)
    return Genesis(
        config=plan.config,
        timestamp=plan.timestamp,
        alloc=plan.alloc,
        validators=validators,
        contracts=genesis_contracts(_network_contracts(plan, validators)),
    )


def transcript_hash(plan: NetworkPlan, contributions: Iterable[Contribution]) -> bytes:
    """keccak256 over the plan's hash and the digest of every contribution, sorted by voting address."""
    ordered = sorted(contributions, key=lambda c: c.validator.voting_address)
    digests = (contribution_digest(plan.config.chain_id, plan_hash(plan), c.validator) for c in ordered)
    return keccak256(plan_hash(plan) + b"".join(digests))


def check_contribution(plan: NetworkPlan, contribution: Contribution) -> None:
    """Raise ``CeremonyError`` unless it is for this plan and signed by all the keys that it names."""
    v = contribution.validator
    if contribution.plan_hash != plan_hash(plan):
        raise CeremonyError(f"{v.name}: signed for another plan (0x{contribution.plan_hash.hex()}); contribute anew")
    digest = contribution_digest(plan.config.chain_id, contribution.plan_hash, v)
    signatures = (
        ("operator", contribution.operator_signature, v.operator),
        ("voting key", contribution.voting_signature, v.voting_address),
    )
    for who, signature, address in signatures:
        try:
            signer = recover_address(digest, signature)
        except SignatureError as error:
            raise CeremonyError(f"{v.name}: the signature of the {who} is malformed: {error}") from error
        if signer != address:
            raise CeremonyError(f"{v.name}: the signature is not by the {who} 0x{address.hex()}; contribute anew")
    _check_tls_signature(v, contribution.tls_signature, digest)


def encode_contribution(contribution: Contribution) -> bytes:
    """The bytes of a contribution's file."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "plan_hash": "0x" + contribution.plan_hash.hex(),
        "validator": validator_to_json(contribution.validator),
        "operator_signature": "0x" + contribution.operator_signature.hex(),
        "voting_signature": "0x" + contribution.voting_signature.hex(),
        "tls_signature": "0x" + contribution.tls_signature.hex(),
    }
    return pretty_json(document)


def read_contribution(path: Path) -> Contribution:
    """Read a contribution's file; raises ``DocumentError``, ``OSError``. Signatures are checked by :func:`merge`."""
    document: JsonField = read_document(path, _FILE_SIZE_MAX)
    f = document.members(
        ("format", "plan_hash", "validator", "operator_signature", "voting_signature", "tls_signature")
    )
    if f["format"].value != FORMAT:
        raise f["format"].wrong(repr(FORMAT))
    return Contribution(
        validator=validator_from_json(f["validator"]),
        plan_hash=f["plan_hash"].hex(32),
        operator_signature=f["operator_signature"].hex(65),
        voting_signature=f["voting_signature"].hex(65),
        tls_signature=f["tls_signature"].hex(),
    )


def _check_tls_signature(validator: GenesisValidator, signature: bytes, digest: bytes) -> None:
    try:
        key = serialization.load_der_public_key(validator.tls_public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CeremonyError(f"{validator.name}: tls_public_key is no SubjectPublicKeyInfo: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CeremonyError(f"{validator.name}: tls_public_key is not on P-256")
    try:
        key.verify(signature, digest, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise CeremonyError(f"{validator.name}: the signature is not by the TLS key; contribute anew") from error


def _check_distinct(validators: Sequence[GenesisValidator], what: str) -> None:
    seen: dict[object, str] = {}
    for validator in validators:
        value = getattr(validator, what)
        if value in seen:
            raise CeremonyError(f"{seen[value]} and {validator.name} have the same {what}; one must contribute anew")
        seen[value] = validator.name


def _network_contracts(plan: NetworkPlan, validators: Sequence[GenesisValidator]) -> NetworkContracts:
    operators = tuple(v.operator for v in validators)
    fund, reserve = _council_members(plan.fund_council, operators), _council_members(plan.reserve_council, operators)
    # Whoever holds an office transacts, whether or not the plan lists them among the participants.
    # Voting keys do too: they bind the genesis hash and send evidence of equivocation.
    voters = (v.voting_address for v in validators)
    offices = {*operators, *voters, *fund.members, *reserve.members, fund.guardian, reserve.guardian}
    offices |= {*plan.roles, *plan.vault.roles}
    participants = dict.fromkeys(sorted(offices | set(plan.token.issuers)), institution_word())
    for address, p in plan.participants.items():
        participants[address] = status_word(p.kind, tier=p.tier, deploys=p.deploys, licences=p.licences)
    return NetworkContracts(
        validators=validators,
        observers=plan.observers,
        fund_council=fund,
        reserve_council=reserve,
        delay_s=plan.delay_s,
        roles=dict(plan.roles),
        participants=participants,
        tier_caps=plan.tier_caps,
        payment_limits=plan.payment_limits,
        token_name=plan.token.name,
        token_symbol=plan.token.symbol,
        token_decimals=plan.token.decimals,
        issuers=dict(plan.token.issuers),
        holdings=dict(plan.token.holdings),
        token_backed=plan.token.backed,
        travel_threshold=plan.token.travel_threshold,
        large_delay_s=plan.vault.large_delay_s,
        vault_roles=dict(plan.vault.roles),
        destinations=plan.vault.destinations,
        vault_assets=plan.vault.assets,
        positions=plan.positions,
        settle_blocks=plan.channels.settle_blocks,
        settle_seconds=plan.channels.settle_seconds,
        relying_party=plan.relying_party,
    )


def _council_members(council: CouncilPlan, operators: tuple[bytes, ...]) -> CouncilMembers:
    members = operators if council.members == OPERATORS else tuple(m for m in council.members if isinstance(m, bytes))
    if council.threshold > len(members):
        raise CeremonyError(f"{council.name} needs {council.threshold} approvals of only {len(members)} members")
    if not any(council.guardian):
        raise CeremonyError(f"{council.name} has no guardian: nobody could veto or pause")
    if council.guardian in members:
        raise CeremonyError(f"{council.name}: its guardian must not be a member")
    return CouncilMembers(council.name, members, council.threshold, council.guardian)
