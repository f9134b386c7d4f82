"""A network of one validator that the command line talks to: the contracts of genesis, a council of three."""

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from alatau.app.private_file import write_keystore
from alatau.artifacts import addresses
from alatau.artifacts.genesis import (
    NO_LIMITS,
    CouncilMembers,
    NetworkContracts,
    PaymentLimits,
    VaultRole,
    genesis_contracts,
    institution_word,
)
from alatau.artifacts.positions import AssetClass, CustodianLimit, Place, PositionPlan
from alatau.client.keystore import ScryptCost
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import trust_anchor
from alatau.types.genesis import GenesisContract
from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, founder, node_identity, running
from tests.support.transactions import signed

MEMBERS = tuple(PrivateKey(bytes([number]) * 32) for number in (21, 22, 23))
"""Of both councils; two of them decide."""
GUARDIAN = PrivateKey(b"\x18" * 32)
AUDITOR = PrivateKey(b"\x19" * 32)
"""Attests with MERCHANT, the custodian."""
GOLD = Place(AssetClass.GOLD, addresses.SETTLEMENT_TOKEN, MERCHANT.address, b"\x0a" * 32)
DELAY_S = 2
_CHEAP = ScryptCost(n=2, r=1, p=1)


def network_contracts(
    participants: Mapping[bytes, int] | None = None, payment_limits: tuple[PaymentLimits, ...] = (NO_LIMITS,)
) -> tuple[GenesisContract, ...]:
    """The contracts of genesis, with RESIDENT as the issuer and a holder; ``participants`` in place of theirs."""
    members = tuple(key.address for key in MEMBERS)
    people = (RESIDENT, MERCHANT, GUARDIAN, AUDITOR, *MEMBERS)
    return genesis_contracts(
        NetworkContracts(
            validators=(founder(),),
            fund_council=CouncilMembers("Fund Council", members, 2, GUARDIAN.address),
            reserve_council=CouncilMembers("Reserve Board", members, 2, GUARDIAN.address),
            delay_s=DELAY_S,
            participants={key.address: institution_word(deploys=True) for key in people} | dict(participants or {}),
            tier_caps=(1_000_000,),
            payment_limits=payment_limits,
            issuers={RESIDENT.address: 1_000},
            holdings={RESIDENT.address: 5_000},
            vault_roles={
                RESIDENT.address: VaultRole.PROPOSER,
                MERCHANT.address: VaultRole.CUSTODIAN,
                AUDITOR.address: VaultRole.AUDITOR,
            },
            positions=PositionPlan(
                places=(GOLD,), limits=(CustodianLimit(MERCHANT.address, addresses.SETTLEMENT_TOKEN, 10**12),)
            ),
            destinations=(MERCHANT.address,),
            relying_party="example.org",
        )
    )


@dataclass(frozen=True)
class Network:
    """A running node, and what its users have."""

    node: SoloNode
    endpoint: str
    folder: Path
    token: trio.lowlevel.TrioToken

    def commit_block(self) -> None:
        """Decide a block now, in the node's own thread."""
        trio.from_thread.run_sync(self.node.commit_block, trio_token=self.token)

    def submit(self, key: PrivateKey, data: bytes) -> None:
        """Offer a call of the settlement token with a gas limit of its own, from any thread."""
        nonce = self.node.next_nonce(key.address)
        tx = signed(key, nonce=nonce, gas_limit=200_000, to=addresses.SETTLEMENT_TOKEN, value=0, data=data)
        assert trio.from_thread.run(self.node.submit, [tx.encoded], trio_token=self.token) == [None]

    @property
    def at(self) -> tuple[str, ...]:
        """Options of a command that talks to it."""
        return ("--node", self.endpoint, "--ca", str(self.folder / "ca.pem"))

    def sender(self, key: PrivateKey) -> tuple[str, ...]:
        """Options of a command that is sent from ``key``."""
        return ("--from", str(self.keystore(key)), "--password-file", str(self.folder / "password"))

    def keystore(self, key: PrivateKey) -> Path:
        """The keystore of ``key``, made when it is first asked for."""
        file = self.folder / f"{key.address.hex()}.json"
        if not file.exists():
            write_keystore(file, key, "correct horse", _CHEAP)
        return file


@contextmanager
def served(node: SoloNode, folder: Path, *, produce: bool = True) -> Iterator[Network]:
    """Serve ``node`` from a thread of its own; a block follows every transaction."""
    folder.mkdir(exist_ok=True)
    (folder / "ca.pem").write_bytes(trust_anchor(node_identity().public_key))
    (folder / "password").write_text("correct horse\n")
    started: queue.Queue[Any] = queue.Queue()

    async def serve() -> None:
        stop = trio.Event()
        async with running(node, produce=produce) as run:
            started.put((run.endpoint, trio.lowlevel.current_trio_token(), stop))
            await stop.wait()

    thread = threading.Thread(target=trio.run, args=(serve,), daemon=True)
    thread.start()
    endpoint, token, stop = started.get(timeout=60)
    try:
        yield Network(node, endpoint, folder, token)
    finally:
        token.run_sync_soon(stop.set)
        thread.join(60)
        assert not thread.is_alive(), "the node has stopped"
