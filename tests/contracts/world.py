"""A network's contracts as its genesis makes them, on a test chain, with the people who act on them."""

import json
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, Final

import boa
from boa.util.abi import Address

from alatau.artifacts import addresses
from alatau.artifacts.artifact import Artifact, compile_source, load, sources_root
from alatau.artifacts.genesis import (
    NO_CAP,
    NO_LIMITS,
    CouncilMembers,
    NetworkContracts,
    Role,
    VaultAsset,
    VaultRole,
    genesis_contracts,
    hub_word,
    institution_word,
    resident_word,
)
from alatau.artifacts.positions import AssetClass, CustodianLimit, Place, PositionPlan
from alatau.chain.permission import ParticipantKind, status_word
from alatau.chain.validator_registry import Observer
from alatau.crypto.keccak import keccak256
from alatau.types.genesis import GenesisValidator
from tests.contracts.actors import Actor, actor, approvals
from tests.support.p256_contract import install_p256verify

DELAY: Final = 3_600
LARGE_DELAY: Final = 4 * DELAY
SILENCE: Final = 180 * 86_400
"""Seconds after which a council member's key leaves the quorum."""
TIER_1_CAP: Final = 1_000_000
SETTLE_BLOCKS: Final = 20
SETTLE_SECONDS: Final = 600
RELYING_PARTY: Final = "example.org"
"""Whose passkeys the network takes: those of tests/support/passkeys.py."""
ZERO: Final = "0x" + "00" * 20
NO_HASH: Final = bytes(32)

chair, banker, lawyer = actor("chair"), actor("banker"), actor("lawyer")
"""The fund council; two decide."""
governor, deputy, director = actor("governor"), actor("deputy"), actor("director")
"""The reserve council; two decide."""
guardian = actor("guardian")
registrar, licensor, compliance, court = actor("registrar"), actor("licensor"), actor("compliance"), actor("court")
proposer, custodian, auditor = actor("proposer"), actor("custodian"), actor("auditor")
prosecutor = actor("prosecutor")
issuer, hub, resident, neighbour, merchant = (
    actor("issuer"),
    actor("hub"),
    actor("resident"),
    actor("neighbour"),
    actor("merchant"),
)
treasury, stranger = actor("treasury"), actor("stranger")
MINISTRIES: Final = ("Finance", "Interior", "Justice", "Energy")
operators: Final = tuple(actor(f"operator of {name}") for name in MINISTRIES)
voters: Final = tuple(actor(f"voting key of {name}") for name in MINISTRIES)

GOLD: Final = Place(AssetClass.GOLD, addresses.SETTLEMENT_TOKEN, custodian.raw, keccak256(b"account 7, vault 3"))
"""A position behind the settlement token, which nobody has reported yet."""

_nonces = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """The contracts, by the names of their artifacts."""

    fund_council: Any
    reserve_council: Any
    validators: Any
    participants: Any
    token: Any
    vault: Any
    channels: Any
    positions: Any
    bonds: Any
    day_book: Any
    verifier: Any
    channel_pause: Any
    recoveries: Any


def build_world() -> World:
    """Run the constructors of genesis on the test chain."""
    install_p256verify()
    made = {}
    for contract in genesis_contracts(_network()):
        address = Address("0x" + contract.address.hex())
        boa.env.deploy_code(bytecode=contract.initcode, override_address=address)
        artifact = load("Council" if contract.name.endswith("Council") else contract.name)
        made[contract.name] = _bound(artifact, address)
    return World(
        fund_council=made["FundCouncil"],
        reserve_council=made["ReserveCouncil"],
        validators=made["ValidatorRegistry"],
        participants=made["ParticipantRegistry"],
        token=made["SettlementToken"],
        vault=made["ReserveVault"],
        channels=made["CityChannels"],
        positions=made["PositionLedger"],
        bonds=made["OfflineBonds"],
        day_book=made["DayBook"],
        verifier=made["SignatureVerifier"],
        channel_pause=made["ChannelPause"],
        recoveries=made["CourtRecoveries"],
    )


def deploy(name: str, *arguments: object) -> Any:
    """Deploy one of our contracts once more."""
    artifact = load(name)
    return _bound(artifact, boa.env.deploy_code(bytecode=artifact.creation(*arguments))[0])


def deploy_mock(name: str) -> Any:
    """Deploy a contract of contracts/mocks."""
    artifact = _compiled_mock(name)
    return _bound(artifact, boa.env.deploy_code(bytecode=artifact.initcode)[0])


def terms(council: Any, *, not_before: int = 0, lasts: int = 10 * DELAY) -> tuple[int, int, int, int]:
    """Terms of a decision under a council's policy of now, with a nonce of its own."""
    return (council.policy_version(), next(_nonces), not_before, now() + lasts)


def now() -> int:
    """The test chain's clock, seconds."""
    return int(boa.env.timestamp)


def wait(seconds: int = 0, blocks: int = 0) -> None:
    """Let time and blocks pass, each by itself."""
    boa.env.timestamp += seconds
    boa.env.evm.patch.block_number += blocks


def decide(contract: Any, identity: bytes, *signers: Actor, delay: int = DELAY) -> None:
    """Approve a proposed decision and let its delay pass."""
    contract.approve_decision(identity, approvals(identity, *signers))
    wait(delay)


@cache
def _compiled_mock(name: str) -> Artifact:
    root = sources_root()
    assert root is not None
    return compile_source(root / "mocks" / f"{name}.vy")


def _bound(artifact: Artifact, address: Address) -> Any:
    return boa.loads_abi(json.dumps(artifact.abi), name=artifact.name).at(address)


def _network() -> NetworkContracts:
    founders = tuple(
        GenesisValidator(
            name=name,
            operator=operator.raw,
            voting_public_key=voter.key.public_key,
            voting_address=voter.raw,
            tls_public_key=b"",
            tls_key_hash=bytes((number,)) * 32,
            endpoint=f"{name.lower()}.example:7001",
            power=100,
        )
        for number, (name, operator, voter) in enumerate(zip(MINISTRIES, operators, voters, strict=True), 1)
    )
    institutions = (guardian, registrar, licensor, compliance, court, prosecutor, proposer, custodian, auditor, issuer)
    institutions += (treasury,)
    return NetworkContracts(
        validators=founders,
        observers=(Observer(b"\x77" * 32, "Audit chamber"),),
        fund_council=CouncilMembers("Fund council", (chair.raw, banker.raw, lawyer.raw), 2, guardian.raw),
        reserve_council=CouncilMembers("Board", (governor.raw, deputy.raw, director.raw), 2, guardian.raw),
        delay_s=DELAY,
        roles={
            registrar.raw: Role.REGISTRAR,
            licensor.raw: Role.LICENSOR,
            compliance.raw: Role.COMPLIANCE,
            court.raw: Role.COURT,
        },
        participants={a.raw: institution_word() for a in institutions}
        | {a.raw: resident_word(1) for a in (resident, neighbour)}
        | {merchant.raw: status_word(ParticipantKind.MERCHANT, tier=2), hub.raw: hub_word()},
        tier_caps=(TIER_1_CAP, NO_CAP),
        payment_limits=(NO_LIMITS, NO_LIMITS),
        issuers={issuer.raw: 10_000_000},
        holdings={resident.raw: 100_000, hub.raw: 5_000_000, custodian.raw: 2_000_000, court.raw: 500_000},
        vault_roles={
            proposer.raw: VaultRole.PROPOSER,
            custodian.raw: VaultRole.CUSTODIAN,
            court.raw: VaultRole.COURT,
            auditor.raw: VaultRole.AUDITOR,
            prosecutor.raw: VaultRole.PROSECUTOR,
        },
        destinations=(treasury.raw,),
        vault_assets=(
            VaultAsset(addresses.SETTLEMENT_TOKEN, 1_000_000, 10, 100_000),
            VaultAsset(bytes(20), 10**20, 10**15, 10**19),
        ),
        positions=PositionPlan(
            places=(GOLD,),
            limits=(CustodianLimit(custodian.raw, addresses.SETTLEMENT_TOKEN, 20_000_000),),
        ),
        settle_blocks=SETTLE_BLOCKS,
        settle_seconds=SETTLE_SECONDS,
        relying_party=RELYING_PARTY,
    )
