"""A network of one validator in this process: the real store, EVM, mempool and signatures, and a commit on demand."""

import time
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import trio
import vyper

from alatau.chain.executed import ExecutedBlock, Tip
from alatau.chain.execution import BlockTemplate, block_environment, build_block, check_kind, check_permission
from alatau.chain.genesis import make_genesis
from alatau.chain.permission import slot_of
from alatau.chain.transaction import InvalidTransactionError, check_terms
from alatau.client import Client, client_tls, connect
from alatau.consensus.view import RoundView
from alatau.crypto.keccak import EMPTY_HASH, keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine.verdict import Blame, not_permitted, not_pooled, wrong_form
from alatau.jsonrpc.server import JsonRpc
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.outcome import Reason, Refused
from alatau.mempool.pool import Mempool
from alatau.rpc.access import RoleMap
from alatau.rpc.limits import Limits
from alatau.rpc.node import NodeStatus, PeerView, Refusal, SyncState
from alatau.rpc.services import Api
from alatau.storage.store import Store, StoreOptions
from alatau.transport.certificates import TlsIdentity, issue_identity, new_key
from alatau.transport.credentials import ClientTls, IdentityHolder, ServerTls, TrustStore
from alatau.transport.health import Health
from alatau.transport.limits import Limits as ListenerLimits
from alatau.transport.server import Listener, Server, serve
from alatau.transport.web.face import WebFace
from alatau.transport.web.tls import WebTls
from alatau.types.chain_config import ChainConfig, SystemContracts
from alatau.types.genesis import Genesis, GenesisContract, GenesisValidator, genesis_validator_set
from alatau.types.transaction import Transaction, TransactionError, TransactionType, decode_transaction, recover_sender
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, CommitSignature, VoteKind, consensus_domain, vote_digest
from tests.support.generators import finish
from tests.support.transactions import CHAIN_ID, signed

ETHER = 10**18
VALIDATOR = PrivateKey(b"\x01" * 32)
RESIDENT = PrivateKey(b"\x02" * 32)
MERCHANT = PrivateKey(b"\x03" * 32)
STRANGER = PrivateKey(b"\x04" * 32)
"""Has no ether."""
TOKEN = bytes.fromhex("00000000000000000000000000000000a1a7a001")

TOKEN_SOURCE = """
# pragma version 0.4.3
event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

event Note:
    topic: indexed(String[32])
    text: String[64]

balanceOf: public(HashMap[address, uint256])
totalSupply: public(uint256)

@deploy
def __init__(holder: address, supply: uint256):
    self.balanceOf[holder] = supply
    self.totalSupply = supply

@external
def transfer(receiver: address, amount: uint256) -> bool:
    assert self.balanceOf[msg.sender] >= amount, "balance too low"
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=msg.sender, receiver=receiver, amount=amount)
    return True

@external
def note(topic: String[32], text: String[64]):
    log Note(topic=topic, text=text)

@external
@view
def parts() -> (uint256, address, String[8]):
    return 7, msg.sender, "seven"

@external
@view
def divide(a: uint256, b: uint256) -> uint256:
    return a // b

@external
@view
def burn_gas() -> uint256:
    total: uint256 = 0
    for i: uint256 in range(1000000):
        total = unsafe_add(total, i)
    return total

@external
def fail_later(height: uint256):
    assert block.number < height, "too late"
"""


@cache
def token_artifacts() -> dict[str, Any]:
    """ABI and bytecode of the token."""
    compiled = vyper.compile_code(TOKEN_SOURCE, output_formats=["abi", "bytecode"])
    return {"abi": compiled["abi"], "bytecode": bytes.fromhex(compiled["bytecode"].removeprefix("0x"))}


@cache
def node_identity() -> TlsIdentity:
    """The TLS identity of the node under test."""
    return issue_identity(new_key(), "ministry", ["127.0.0.1", "localhost"])


@dataclass(frozen=True, slots=True)
class _Refused:
    reason: str
    message: str
    retry_after_s: float | None = None
    next_nonce: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass
class SoloNode:
    """Implements ``rpc.node.Node``. Nothing is committed until :meth:`commit_block` or :meth:`produce`."""

    config: ChainConfig
    store: Store
    founders: ValidatorSet
    mempool: Mempool
    sync_state: SyncState = SyncState.SYNCED
    view: RoundView | None = None
    since_last_block_ms: int = 0
    why_cut_off: str | None = None
    known_peers: list[PeerView] = field(default_factory=list)
    commit: Commit | None = None
    queue_full: bool = False
    """Whether no more of a caller may wait."""
    callers: set[Hashable] = field(default_factory=set)
    """Who submitted."""
    _channels: set[trio.MemorySendChannel[ExecutedBlock]] = field(default_factory=set)
    _wanted: trio.Event = field(default_factory=trio.Event)

    @property
    def admission(self) -> "SoloNode":
        """See ``Node``."""
        return self

    @property
    def subscriptions(self) -> "SoloNode":
        """See ``Node``."""
        return self

    async def submit(self, transactions: Sequence[bytes], caller: Hashable = "a test") -> Sequence[Refusal | None]:
        """See ``TransactionIntake``."""
        await trio.lowlevel.checkpoint()
        self.callers.add(caller)
        if self.queue_full:
            full = _Refused("SUBMISSION_QUEUE_FULL", "8192 transactions of yours wait to be checked", 1.5)
            return [full] * len(transactions)
        outcomes = [self._admit(encoded) for encoded in transactions]
        self._wanted.set()
        return outcomes

    def _admit(self, encoded: bytes) -> Refusal | None:
        try:
            tx = decode_transaction(encoded)
            if tx.type is TransactionType.BLOB:
                return _Refused("TRANSACTION_TYPE_UNSUPPORTED", "no blobs here")
            check_kind(tx)
            sender = recover_sender(tx)
            environment = block_environment(self.config, self.store.tip, self.store.hash_of)
            check_terms(environment, tx)
            registry = self.config.system.participant_registry
            if registry is not None:
                word = self.store.state().storage(registry, slot_of(sender))
                check_permission(word, tx, sender, environment.timestamp)
        except TransactionError as error:
            return _Refused(error.reason, str(error))
        except InvalidTransactionError as error:
            if error.reason == "sender_not_permitted":
                return not_permitted(error, sender, self.config.chain_id, stranger=True)
            return wrong_form(error, self.config.chain_id)
        account = self.store.state().account(sender)
        if account is not None and account.code_hash != EMPTY_HASH:
            return _Refused("SENDER_NOT_EXTERNALLY_OWNED", "a contract cannot send")
        outcome = self.mempool.admit(tx, sender, account, self._now_ms())
        if isinstance(outcome, Refused) and outcome.reason is not Reason.ALREADY_KNOWN:
            return not_pooled(outcome, sender, Blame.STATE)
        return None

    def next_nonce(self, address: bytes) -> int:
        """See ``Node``."""
        pooled = self.mempool.next_nonce(address)
        account = self.store.state().account(address)
        return pooled if pooled is not None else 0 if account is None else account.nonce

    def next_block_time(self) -> int:
        """See ``Node``: a block a second."""
        return self.store.tip.timestamp + 1

    @contextmanager
    def open(self) -> Iterator[trio.MemoryReceiveChannel[ExecutedBlock]]:
        """See ``Subscriptions``."""
        send, receive = trio.open_memory_channel[ExecutedBlock](4)
        self._channels.add(send)
        try:
            yield receive
        finally:
            self._channels.discard(send)
            send.close()
            receive.close()

    def status(self) -> NodeStatus:
        """See ``Node``."""
        highest = self.store.tip.number if self.store.tip else 0
        return NodeStatus(
            self.sync_state,
            highest,
            len(self.mempool),
            self.mempool.size_bytes,
            self.founders.validators[0].address,
            self.since_last_block_ms,
        )

    def round_view(self) -> RoundView | None:
        """See ``Node``."""
        return self.view

    def cut_off(self) -> str | None:
        """See ``Node``."""
        return self.why_cut_off

    def peers(self) -> Sequence[PeerView]:
        """See ``Node``."""
        return self.known_peers

    def validators(self, height: int) -> ValidatorSet | None:
        """See ``Node``."""
        return self.founders if height <= self.store.tip.number + 2 else None

    def commit_block(self) -> ExecutedBlock:
        """Build a block of what waits, sign its commit, store it, and tell subscribers."""
        header = self.store.tip
        tip = Tip(header, self.store.tip_hash, self.store.state(), self.store.trie(), self.store.hash_of)
        template = BlockTemplate(self.next_block_time(), VALIDATOR.address, self.founders, self.commit)
        selection = self.mempool.select(self.config.block_gas_limit, 1 << 22, self._now_ms())
        candidates = [(p.tx, p.sender) for p in selection]
        executed = finish(build_block(tip, self.config, template, candidates)).executed
        block = executed.block
        self.commit = sign_commit(self.store.genesis_hash, block.header.number, block.hash)
        self.store.commit(executed, self.commit)
        included = {tx.hash for tx in block.transactions}
        self.mempool.update(included, executed.diff.accounts, self._now_ms())
        for channel in tuple(self._channels):
            try:
                channel.send_nowait(executed)
            except trio.WouldBlock:  # it lagged, as a slow subscriber of the engine would
                self._channels.discard(channel)
                channel.close()
        return executed

    async def produce(self) -> None:
        """Commit a block whenever transactions arrive."""
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            await trio.sleep(0.01)
            self.commit_block()

    def _now_ms(self) -> int:
        return int(time.monotonic() * 1000)


def sign_commit(genesis_hash: bytes | None, height: int, block_hash: bytes) -> Commit:
    """What the only validator signs."""
    assert genesis_hash is not None
    digest = vote_digest(consensus_domain(CHAIN_ID, genesis_hash), VoteKind.PRECOMMIT, height, 0, block_hash)
    return Commit(height, 0, block_hash, (CommitSignature(VALIDATOR.address, VALIDATOR.sign(digest)),))


def payment(nonce: int = 0, **changes: object) -> Transaction:
    """The resident pays the merchant 1 wei, or does what ``changes`` say."""
    return signed(RESIDENT, **{"nonce": nonce, "gas_limit": 30_000, "to": MERCHANT.address} | changes)


def balance_slot(holder: bytes) -> int:
    """Slot of the token's ``balanceOf[holder]``: Vyper hashes the slot of the map before the key."""
    return int.from_bytes(keccak256(bytes(32) + bytes(12) + holder), "big")


def founder() -> GenesisValidator:
    """The only validator."""
    return GenesisValidator(
        name="Ministry of Tests",
        operator=RESIDENT.address,
        voting_public_key=VALIDATOR.public_key,
        voting_address=VALIDATOR.address,
        tls_public_key=node_identity().public_key,
        tls_key_hash=node_identity().key_hash,
        endpoint="127.0.0.1:7001",
        power=10,
    )


def solo_node(
    folder: Path,
    *,
    limits: MempoolLimits | None = None,
    registry: bytes | None = None,
    store_options: StoreOptions | None = None,
    genesis_committed: bool = True,
    supply: int = 1_000_000,
    contracts: Sequence[GenesisContract] | None = None,
    base_fee_per_gas: int = 0,
) -> SoloNode:
    """A network with a token (or ``contracts`` instead) and two funded accounts, at genesis."""
    system = SystemContracts(participant_registry=registry)
    config = ChainConfig(CHAIN_ID, "test", base_fee_per_gas=base_fee_per_gas, system=system)
    artifacts = token_artifacts()
    arguments = bytes(12) + RESIDENT.address + supply.to_bytes(32, "big")
    token = GenesisContract("token", TOKEN, artifacts["bytecode"] + arguments)
    genesis = Genesis(
        config=config,
        timestamp=1_700_000_000,
        alloc={RESIDENT.address: 1_000 * ETHER, MERCHANT.address: ETHER},
        validators=(founder(),),
        contracts=(token,) if contracts is None else tuple(contracts),
    )
    made = make_genesis(genesis)
    store = Store.open(folder / "store", store_options)
    if genesis_committed:
        store.init_genesis(made)
    pool = Mempool(limits or MempoolLimits(), config.base_fee_per_gas)
    return SoloNode(config, store, genesis_validator_set(genesis), pool)


@dataclass(frozen=True)
class Running:
    """A node that serves."""

    node: SoloNode
    api: Api
    server: Server
    health: Health
    nursery: trio.Nursery

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.server.ports[0]}"

    @property
    def tls(self) -> ClientTls:
        """What a client trusts: the node's key."""
        return client_tls(node_key=node_identity().public_key)

    def connect(self) -> AbstractAsyncContextManager[Client]:
        """A client without a certificate."""
        return connect(self.endpoint, self.tls)

    async def serve_http(
        self,
        *,
        origins: frozenset[str] = frozenset(),
        secure: bool = False,
        trust: TrustStore | None = None,
        jsonrpc: bool = False,
    ) -> int:
        """Serve over HTTP too, over TLS where that is ``secure`` or asks for certificates; gives the port."""
        tls = WebTls(IdentityHolder(node_identity()), trust) if secure or trust else None
        endpoint = JsonRpc(self.api.parts) if jsonrpc else None
        face = WebFace(self.server, self.api.services, ListenerLimits(), origins, tls, json_endpoint=endpoint)
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.nursery.start_soon(face.serve, listeners)
        port: int = listeners[0].socket.getsockname()[1]
        return port


@asynccontextmanager
async def running(
    node: SoloNode,
    *,
    limits: Limits | None = None,
    listener_limits: ListenerLimits | None = None,
    roles: RoleMap | None = None,
    trust: TrustStore | None = None,
    produce: bool = False,
    port: int = 0,
) -> AsyncIterator[Running]:
    """Serve the client API of ``node`` on a free port over TLS."""
    api, health = Api(node, limits, roles), Health()
    async with trio.open_nursery() as nursery:
        await nursery.start(api.run)
        listener = Listener("127.0.0.1", port, ServerTls(IdentityHolder(node_identity()), trust))
        server = await nursery.start(partial(serve, api.services, [listener], limits=listener_limits, health=health))
        if produce:
            nursery.start_soon(node.produce)
        try:
            yield Running(node, api, server, health, nursery)
        finally:
            nursery.cancel_scope.cancel()
