"""The composition root: opens the stores, builds the channels, starts everything in one nursery.

Order matters in two places. The disk is opened and checked before a port, so that a node that cannot run says
so before a peer or a client relies on it. On the way down new calls are refused first, then the engine stops
between two effects, and the database closes last.
"""

import gc
import hmac
import os
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
import trio

import alatau
from alatau.app.block_metrics import BlockMetrics
from alatau.app.certificate_renewal import keep_certificate
from alatau.app.client_access import ClientAccess
from alatau.app.config import NodeConfig
from alatau.app.genesis.file import genesis_file_hash
from alatau.app.home import Home
from alatau.app.logging import start_logging
from alatau.app.metrics import Metrics
from alatau.app.node_metrics import register_node_metrics, why_unready
from alatau.app.node_view import NodeView
from alatau.app.observability_server import Probes, open_listener, serve_observability
from alatau.app.peer_metrics import register_peer_metrics
from alatau.app.peer_network import StoredBlocks, hold_to_account, members_of
from alatau.app.pool_file import PoolFile
from alatau.app.registry_duties import RegistryDuties
from alatau.app.server_metrics import Served, Servers, register_server_metrics
from alatau.app.signing_watch import watch_signing
from alatau.app.startup import Ask, OpenedNode, open_node
from alatau.app.storage_watch import register_scrub_metrics, watch_storage
from alatau.build_form import FORM
from alatau.chain.execution import block_environment
from alatau.consensus.authenticity import Authority
from alatau.consensus.core import Consensus
from alatau.crypto.secp256k1 import PrivateKey, recover_address
from alatau.engine.admission import Admission, AdmissionView
from alatau.engine.chain_view import ChainView
from alatau.engine.engine import Collaborators, Engine
from alatau.engine.journal import Journal, Recovered
from alatau.engine.production import Production
from alatau.engine.subscriptions import Subscriptions
from alatau.jsonrpc.server import JsonRpc
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.pool import Mempool
from alatau.p2p.handshake import ChainId
from alatau.p2p.introduction import introduction_service
from alatau.p2p.network import Network
from alatau.p2p.settings import Settings
from alatau.rpc.limits import Limits as RpcLimits
from alatau.rpc.limits import message_bytes_for, with_streams
from alatau.rpc.node import SyncState
from alatau.rpc.services import Api
from alatau.storage.database import MIB
from alatau.storage.store import Store
from alatau.transport import bridge
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.health import Health
from alatau.transport.holdings import held_bytes_for
from alatau.transport.limits import Limits as TransportLimits
from alatau.transport.loop_watch import LoopWatch
from alatau.transport.server import Listener, Server, serve
from alatau.transport.web.face import WebFace
from alatau.transport.web.tls import WebTls
from alatau.types.endpoint import parse_endpoint
from alatau.types.genesis import Genesis
from alatau.types.vote import consensus_domain

_LOG = structlog.get_logger(__name__)

_EVENT_LOOP_HELD_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""From a slice of work to a hostile transaction."""

_YOUNG_MAX: Final = 20_000
"""Objects that may stay between two looks for cycles: some 1,000 payments in the pool, 7 ms of looking."""
_WEB_CONNECTIONS_MAX: Final = 512
"""A browser keeps up to six; each may keep a request and an answer, within one bound of all."""
_HEALTH_INTERVAL_S: Final = 0.5
"""How often the health service looks whether the node serves the tip."""


def run(home: Home, ask: Ask) -> None:
    """Run the node in ``home`` until SIGTERM or SIGINT; ``ask`` asks a person for the password, if there is one.

    Raises:
        HomeInUseError, StartRefusedError: what keeps the node from starting; each says what to do.
        PortInUseError, ListenError: somebody took a port in the moment between looking and listening.
        StorageError, HaltedError: what ended a running node.
    """
    with open_node(home, os.environ, ask) as opened:
        start_logging(opened.contents.config.log, home.folder)
        if opened.recovered.torn_bytes:
            _LOG.warning("wal.torn_tail", bytes=opened.recovered.torn_bytes)
        try:
            watch = LoopWatch()
            bridge.run(partial(_main, _parts_of(opened), watch), watch=watch)
        except BaseExceptionGroup as group:
            # One task failed and took the others down: its error is what there is to say.
            raise _only_cause(group) from group


def _only_cause(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is on disk, opened."""

    home: Home
    config: NodeConfig
    genesis: Genesis
    genesis_hash: bytes
    store: Store
    journal: Journal
    recovered: Recovered
    chain: ChainView
    voting_key: PrivateKey | None
    identity: IdentityHolder
    clients: ClientAccess


def _parts_of(opened: OpenedNode) -> _Parts:
    contents = opened.contents
    return _Parts(
        home=contents.home,
        config=contents.config,
        genesis=contents.genesis,
        genesis_hash=contents.block_0.block.hash,
        store=opened.store,
        journal=opened.journal,
        recovered=opened.recovered,
        chain=opened.chain,
        voting_key=contents.voting_key,
        identity=IdentityHolder(contents.identity),
        clients=contents.clients,
    )


def _compose(parts: _Parts) -> tuple[NodeView, RegistryDuties | None, PoolFile]:
    """Build the node on what is on disk; nothing runs yet."""
    genesis, config, chain, key = parts.genesis, parts.config, parts.chain, parts.voting_key
    mempool = _mempool(parts)
    network = _network(parts, chain, mempool)
    domain = consensus_domain(genesis.config.chain_id, parts.genesis_hash)
    address = key.address if key else None
    authority = Authority(address, key.sign if key else _no_key, recover_address, domain)
    consensus = Consensus(authority, genesis.config)
    subscriptions = Subscriptions()
    pool_file = PoolFile(parts.home.pool, mempool)
    admission = Admission(
        mempool,
        genesis.config,
        lambda: _admission_view(chain),
        _now_ms,
        network.gossip_transactions,
        hold_to_account(network),
        keep=pool_file.append,
    )
    duties = None
    if key and genesis.config.system.validator_registry:
        duties = RegistryDuties(chain, key, admission.submit, mempool)
    budget_s = genesis.config.consensus.block_interval_ms * config.execution.build_budget_percent / 100_000
    engine = Engine(
        Collaborators(
            view=chain,
            consensus=consensus,
            journal=parts.journal,
            mempool=mempool,
            admission=admission,
            production=Production(genesis.config, domain, mempool, admission, budget_s, _now_ms),
            subscriptions=subscriptions,
            peers=network,
            validator=address,
            domain=domain,
            now_ms=_now_ms,
            report_evidence=duties.report if duties else _log_evidence,
            members_changed=lambda view: network.set_members(members_of(genesis, view)),
        )
    )
    scrub = parts.store.scrub(parts.home.needed)
    view = NodeView(genesis, chain, engine, consensus, mempool, admission, subscriptions, network, address, scrub)
    return view, duties, pool_file


async def _main(parts: _Parts, watch: LoopWatch, shutdown: trio.Event) -> None:
    """Build the node, run it, and take it down in order."""
    node, duties, pool_file = _compose(parts)
    limits = with_streams(parts.config.rpc.streams_max, message_bytes_for(parts.genesis.config))
    api = Api(node, limits, parts.clients.roles, token_key=_token_key(parts.identity.current.key_pem))
    health = Health(serving=False)
    async with trio.open_nursery() as nursery:
        await nursery.start(node.network.run)
        await nursery.start(partial(node.engine.run, parts.recovered.records))
        await nursery.start(api.run)
        clients: Server = await nursery.start(partial(_serve_clients, parts, node, api, limits, health))
        nursery.start_soon(_keep_health, health, node)
        nursery.start_soon(watch_storage, node.scrub)
        nursery.start_soon(watch_signing, node)
        nursery.start_soon(pool_file.resume, node.admission, node.store)
        nursery.start_soon(pool_file.run)
        if parts.config.p2p.introduce_to:
            nursery.start_soon(node.network.introduce_self, parts.config.p2p.introduce_to)
        if duties:
            nursery.start_soon(duties.run)
            nursery.start_soon(_keep_duties, duties, node.subscriptions)
        nursery.start_soon(
            keep_certificate, parts.home, (parts.config.rpc.listen, parts.config.p2p.listen), parts.identity
        )
        servers: dict[str, Served] = {"peers": node.network.server, "clients": clients}
        if parts.config.http.listen:
            servers["http"] = await _start_web(nursery, parts, clients, api, limits)
        await _start_observability(nursery, parts, node, servers, watch)
        _tune_collector()
        _log_start(parts, node)
        await shutdown.wait()
        _LOG.info("node.stopping", height=node.chain.height)
        api.stop_taking()
        health.set_serving(False)
        nursery.cancel_scope.cancel()
    pool_file.close()
    _LOG.info("node.stopped", height=node.chain.height)


def _tune_collector() -> None:
    """Look for cycles seldom, and never among what was there at the start.

    Payments make no cycles; exceptions and cancelled tasks do, a few a block. By default whatever stays is looked
    through every 700 objects, which took 2.5% of a node's time at full speed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MAX, 20, 20)


def _token_key(tls_key_pem: bytes) -> bytes:
    """The secret of this node's page tokens: from what it keeps anyway, so that they outlive a restart."""
    return hmac.digest(tls_key_pem, b"alatau page tokens", "sha256")


async def _serve_clients(
    parts: _Parts,
    node: NodeView,
    api: Api,
    limits: RpcLimits,
    health: Health,
    *,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Open the client port, which also takes the introductions of observers; serve until cancelled."""
    per_second = parts.config.rpc.requests_per_second
    await serve(
        [*api.services, introduction_service(node.network.learn_key)],
        [_client_listener(parts)],
        limits=TransportLimits(
            message_bytes_max=limits.message_bytes_max,
            concurrent_calls_max=limits.calls_max,
            concurrent_calls_per_peer_max=limits.calls_each_max,
            held_bytes_max=held_bytes_for(limits.calls_max, limits.message_bytes_max),
            calls_per_s=per_second,
            calls_burst=2.0 * per_second,
        ),
        health=health,
        task_status=task_status,
    )


async def _start_web(nursery: trio.Nursery, parts: _Parts, clients: Server, api: Api, limits: RpcLimits) -> WebFace:
    """Open the port for browsers and curl; introductions are not taken there."""
    config = parts.config.http
    listeners = await open_listener(parse_endpoint(config.listen), "http.listen")
    face = WebFace(
        clients,
        api.services,
        TransportLimits(message_bytes_max=limits.message_bytes_max, connections_max=_WEB_CONNECTIONS_MAX),
        config.origins(),
        WebTls(parts.identity, parts.clients.trust) if config.tls == "on" else None,
        json_endpoint=JsonRpc(api.parts) if config.jsonrpc == "on" else None,
    )
    nursery.start_soon(face.serve, listeners)
    return face


def _log_start(parts: _Parts, node: NodeView) -> None:
    _LOG.info(
        "node.started",
        version=alatau.__version__,
        build=str(FORM),
        network=node.config.name,
        chain_id=node.config.chain_id,
        genesis=parts.genesis_hash.hex(),
        height=node.chain.height,
        validator=node.validator.hex() if node.validator else "observer",
        peers=parts.config.p2p.listen,
        clients=parts.config.rpc.listen,
        http=parts.config.http.listen,
    )


def _network(parts: _Parts, view: ChainView, mempool: Mempool) -> Network:
    endpoint = parse_endpoint(parts.config.p2p.listen)
    return Network(
        identity=parts.identity,
        chain=ChainId(parts.genesis.config.chain_id, parts.genesis_hash, genesis_file_hash(parts.genesis)),
        blocks=StoredBlocks(parts.store),
        members=members_of(parts.genesis, view),
        known_transaction=mempool.get,
        settings=Settings(
            host=endpoint.host,
            port=endpoint.port,
            block_size_bytes_max=parts.genesis.config.block_size_bytes_max,
        ),
    )


def _mempool(parts: _Parts) -> Mempool:
    limits = parts.config.mempool
    return Mempool(
        MempoolLimits(
            count_max=limits.transactions_max,
            size_bytes_max=limits.size_mib_max * MIB,
            gas_limit_max=parts.genesis.config.block_gas_limit,
            per_sender_max=limits.per_sender_max,
            gas_max=limits.blocks_max * parts.genesis.config.block_gas_limit,
            per_sender_gas_max=limits.per_sender_blocks_max * parts.genesis.config.block_gas_limit,
            queued_lifetime_ms=limits.queued_lifetime_s * 1_000,
        ),
        parts.genesis.config.base_fee_per_gas,
        parts.config.shares.allowances(),
    )


def _client_listener(parts: _Parts) -> Listener:
    endpoint = parse_endpoint(parts.config.rpc.listen)
    return Listener(endpoint.host, endpoint.port, ServerTls(parts.identity, parts.clients.trust))


def _admission_view(view: ChainView) -> AdmissionView:
    tip = view.tip
    return AdmissionView(tip.state, block_environment(view.config, tip.header, tip.block_hash))


async def _keep_health(health: Health, node: NodeView) -> None:
    while True:
        serving = node.status().sync_state is SyncState.SYNCED
        if serving != health.is_serving():
            health.set_serving(serving)
        await trio.sleep(_HEALTH_INTERVAL_S)


async def _keep_duties(duties: RegistryDuties, subscriptions: Subscriptions) -> None:
    """Tell the duties of every block; one that was cut off while it lagged looks at the next one instead."""
    unbound = True
    while True:
        with subscriptions.open() as blocks:
            async for _ in blocks:
                duties.new_block()
                unbound = unbound and await duties.bind_genesis()


async def _start_observability(
    nursery: trio.Nursery, parts: _Parts, node: NodeView, servers: Servers, watch: LoopWatch
) -> None:
    if not parts.config.metrics.listen:
        return

    def certificate_expires_s() -> float:
        return parts.identity.current.not_after.timestamp()

    metrics = Metrics()
    register_node_metrics(metrics, node, certificate_expires_s)
    register_peer_metrics(metrics, node.network.counters)
    metrics.counter(
        "registry_unreadable_total",
        "Times the validator registry held what could not be read, and what was known before was kept.",
        lambda: node.chain.registry_faults,
    )
    register_server_metrics(metrics, servers)
    register_scrub_metrics(metrics, node.scrub)
    watch.held = metrics.histogram(
        "event_loop_held_seconds",
        "Turns of the event loop that lasted a millisecond or longer: nothing else was served meanwhile.",
        _EVENT_LOOP_HELD_S,
    ).observe
    listeners = await open_listener(parse_endpoint(parts.config.metrics.listen), "metrics.listen")
    probes = Probes(metrics=metrics.render, failure=lambda: None, unreadiness=lambda: why_unready(node))
    nursery.start_soon(BlockMetrics(metrics).follow, node)
    nursery.start_soon(serve_observability, listeners, probes)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _no_key(_digest: bytes) -> bytes:
    raise AssertionError("an observer is never asked to sign")


def _log_evidence(first: object, second: object) -> None:
    _LOG.error("consensus.equivocation", first=repr(first), second=repr(second))
