"""A network of one validator with the contracts of genesis: the people of ``tests.support.channels`` have channels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.artifacts.genesis import (
    NO_LIMITS,
    SYSTEM_CONTRACTS,
    CouncilMembers,
    NetworkContracts,
    Role,
    genesis_contracts,
    hub_word,
    institution_word,
    resident_word,
)
from alatau.channels.calls import NO_CLAIM, claim_argument, own_request, parties_argument
from alatau.channels.protection import Protection
from alatau.client.abi import load_abi
from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.genesis import GenesisContract
from tests.support.channels import HUB, OWNER, parties
from tests.support.solo_node import SoloNode, founder, solo_node
from tests.support.transactions import signed

TOWERS = tuple(PrivateKey(bytes([number]) * 32) for number in (0x44, 0x45))
CANARY_HUB = PrivateKey(b"\x46" * 32)
COMPLIANCE = PrivateKey(b"\x47" * 32)
"""May suspend."""
CHANNELS_ABI = load_abi(load("CityChannels").abi)
SETTLE_BLOCKS, SETTLE_SECONDS = 12, 3
DEPOSIT = 1_000
_OPENED_IN_BLOCK = 16


def channel_contracts() -> tuple[GenesisContract, ...]:
    """The contracts of genesis; owner, hubs and towers are registered, owner and hub have money."""
    members = tuple(PrivateKey(bytes([number]) * 32).address for number in (21, 22, 23))
    council = CouncilMembers("Council", members, 2, PrivateKey(b"\x18" * 32).address)
    institutions = (*TOWERS, COMPLIANCE)
    return genesis_contracts(
        NetworkContracts(
            validators=(founder(),),
            fund_council=council,
            reserve_council=council,
            delay_s=2,
            roles={COMPLIANCE.address: Role.COMPLIANCE},
            participants={key.address: institution_word() for key in institutions}
            | {OWNER.address: resident_word(), HUB.address: hub_word(), CANARY_HUB.address: hub_word()},
            tier_caps=(10**9,),
            payment_limits=(NO_LIMITS,),
            holdings={OWNER.address: 10**6, HUB.address: 10**6},
            settle_blocks=SETTLE_BLOCKS,
            settle_seconds=SETTLE_SECONDS,
        )
    )


def channel_node(folder: Path) -> SoloNode:
    """A node of that network, at genesis."""
    node = solo_node(folder, registry=SYSTEM_CONTRACTS.participant_registry, contracts=channel_contracts())
    _call(node, OWNER, addresses.SETTLEMENT_TOKEN, "SettlementToken", "approve", addresses.CITY_CHANNELS, 10**9)
    node.commit_block()
    return node


def open_channels(node: SoloNode, count: int, first: int = 0) -> None:
    """The owner opens channels with the hub, some in each block."""
    for number in range(first, first + count):
        send(node, OWNER, "open", HUB.address, parties(number).salt, DEPOSIT)
        if number % _OPENED_IN_BLOCK == 0:
            node.commit_block()
    node.commit_block()


def close(node: SoloNode, closer: PrivateKey, number: int = 0, stale: Protection | None = None) -> None:
    """A party closes a channel, with an old voucher or none, in a block."""
    claim = NO_CLAIM if stale is None else claim_argument(stale.signed, stale.receipt)
    send(node, closer, "close", parties_argument(parties(number)), own_request(closer.address), claim)
    node.commit_block()


def send(node: SoloNode, key: PrivateKey, name: str, *arguments: Any) -> None:
    """Offer a call of the channels contract; it waits for a block."""
    _call(node, key, addresses.CITY_CHANNELS, "CityChannels", name, *arguments)


def suspend(node: SoloNode, account: bytes) -> None:
    """Compliance takes an account's permission, in a block."""
    _call(node, COMPLIANCE, addresses.PARTICIPANT_REGISTRY, "ParticipantRegistry", "suspend", account)
    node.commit_block()


def reinstate(node: SoloNode, account: bytes) -> None:
    """Compliance gives it back, in a block."""
    _call(node, COMPLIANCE, addresses.PARTICIPANT_REGISTRY, "ParticipantRegistry", "reinstate", account)
    node.commit_block()


def events_of(node: SoloNode, name: str) -> Sequence[dict[str, Any]]:
    """Members of every event of that name, from the blocks' receipts."""
    topic = CHANNELS_ABI.event(name).topic
    found = []
    assert node.store.tip is not None, "the chain has its genesis"
    for height in range(1, node.store.tip.number + 1):
        for receipt in node.store.receipts(height):
            for log in receipt.logs:
                if log.address == addresses.CITY_CHANNELS and log.topics[0] == topic:
                    event = CHANNELS_ABI.decode_event(log)  # type: ignore[arg-type]
                    assert event is not None
                    found.append(event.values)
    return found


def _call(node: SoloNode, key: PrivateKey, contract: bytes, artifact: str, name: str, *arguments: Any) -> None:
    data = load_abi(load(artifact).abi).encode_call(name, arguments)
    transaction = signed(key, nonce=node.next_nonce(key.address), gas_limit=1_000_000, to=contract, value=0, data=data)
    assert node._admit(transaction.encoded) is None, "the transaction is taken"
