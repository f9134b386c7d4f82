"""A suspended resident leaves a channel through a node that refuses his transactions: others carry what he signed."""

from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.artifacts.genesis import (
    NO_LIMITS,
    CouncilMembers,
    NetworkContracts,
    Role,
    genesis_contracts,
    hub_word,
    institution_word,
    resident_word,
)
from alatau.chain.executed import ExecutedBlock
from alatau.channels.calls import (
    NO_CLAIM,
    RequestArgument,
    claim_argument,
    locks_argument,
    own_request,
    parties_argument,
    request_argument,
)
from alatau.channels.messages import (
    CloseRequest,
    Domain,
    Lock,
    Parties,
    Voucher,
    channel_id,
    channels_domain,
    close_request_digest,
    receipt_digest,
    sign_voucher,
)
from alatau.client.abi import Abi, load_abi
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, founder, solo_node
from tests.support.transactions import CHAIN_ID, signed

HUB, COMPLIANCE, GUARDIAN = (PrivateKey(bytes((n,)) * 32) for n in (5, 6, 7))
SECRET = b"\x51" * 32
DEPOSIT, SETTLE_BLOCKS = 1_000, 6


def network() -> NetworkContracts:
    """A resident with money, a hub, an office that suspends, and a merchant who carries."""
    members = tuple(PrivateKey(bytes((n,)) * 32).address for n in (8, 9, 10))
    council = CouncilMembers("Council", members, 2, GUARDIAN.address)
    return NetworkContracts(
        validators=(founder(),),
        fund_council=council,
        reserve_council=council,
        delay_s=5,
        roles={COMPLIANCE.address: Role.COMPLIANCE},
        participants={
            RESIDENT.address: resident_word(),
            MERCHANT.address: institution_word(),
            COMPLIANCE.address: institution_word(),
            HUB.address: hub_word(),
        },
        tier_caps=(1_000_000,),
        payment_limits=(NO_LIMITS,),
        holdings={RESIDENT.address: DEPOSIT},
        settle_blocks=SETTLE_BLOCKS,
        settle_seconds=1,
    )


class Street:
    """A node, and who sends what to it."""

    def __init__(self, folder: Path) -> None:
        self.node: SoloNode = solo_node(
            folder, registry=addresses.PARTICIPANT_REGISTRY, contracts=genesis_contracts(network())
        )
        self.abis: dict[bytes, Abi] = {
            address: load_abi(load(artifact).abi) for artifact, address in addresses.GENESIS_CONTRACTS.values()
        }

    async def offer(self, key: PrivateKey, contract: bytes, name: str, *arguments: Any) -> Any:
        """What the node says to a transaction: None if it takes it."""
        data = self.abis[contract].encode_call(name, arguments)
        nonce = self.node.next_nonce(key.address)
        tx = signed(key, nonce=nonce, gas_limit=500_000, to=contract, value=0, data=data)
        (refusal,) = await self.node.submit([tx.encoded])
        return refusal

    async def send(self, key: PrivateKey, contract: bytes, name: str, *arguments: Any) -> ExecutedBlock:
        """A block with one transaction, which must succeed."""
        assert await self.offer(key, contract, name, *arguments) is None
        executed = self.node.commit_block()
        (receipt,) = executed.receipts
        assert receipt.succeeded, name
        return executed


@pytest.mark.trio
async def test_others_carry_what_a_suspended_resident_signed(tmp_path: Path) -> None:
    """Close, a voucher with a lock, its secret, settlement: all without a transaction of his."""
    street, channels = Street(tmp_path), addresses.CITY_CHANNELS
    parties = Parties(RESIDENT.address, HUB.address, bytes(32))
    domain = channels_domain(CHAIN_ID, channels)
    identity = channel_id(domain, parties)
    await street.send(RESIDENT, addresses.SETTLEMENT_TOKEN, "approve", channels, DEPOSIT)
    await street.send(RESIDENT, channels, "open", HUB.address, bytes(32), DEPOSIT)
    await street.send(COMPLIANCE, addresses.PARTICIPANT_REGISTRY, "suspend", RESIDENT.address)
    key = parties_argument(parties)
    refusal = await street.offer(RESIDENT, channels, "close", key, own_request(RESIDENT.address), NO_CLAIM)
    assert refusal.reason == "SENDER_NOT_PERMITTED"

    locks = (Lock(keccak256(SECRET), 50, street.node.store.tip.number + 4),)
    voucher = sign_voucher(domain, Voucher(identity, RESIDENT.address, 3, 300, locks), RESIDENT.sign)
    receipt = HUB.sign(receipt_digest(domain, voucher.voucher))
    await street.send(MERCHANT, channels, "close", key, request_of(domain, identity), claim_argument(voucher, receipt))
    await street.send(MERCHANT, channels, "reveal", SECRET)
    assert await street.offer(MERCHANT, channels, "settle", key, locks_argument(locks), []) is None
    (early,) = street.node.commit_block().receipts
    assert not early.succeeded
    while street.node.store.tip.number < locks[0].expiry_block + SETTLE_BLOCKS:
        await street.send(MERCHANT, addresses.SETTLEMENT_TOKEN, "approve", channels, 1)
    settled = await street.send(MERCHANT, channels, "settle", key, locks_argument(locks), [])
    event = street.abis[channels].event("Settled")
    (log,) = [log for log in settled.receipts[0].logs if log.topics[0] == event.topic]
    assert log.data == (DEPOSIT - 350).to_bytes(32, "big") + (350).to_bytes(32, "big")
    await street.send(HUB, channels, "claim", HUB.address)
    street.node.store.close()


def request_of(domain: Domain, identity: bytes) -> RequestArgument:
    """What the resident signs, on paper if need be."""
    deadline = 2_000_000_000
    signature = RESIDENT.sign(close_request_digest(domain, CloseRequest(identity, RESIDENT.address, deadline)))
    return request_argument(RESIDENT.address, deadline, signature)
