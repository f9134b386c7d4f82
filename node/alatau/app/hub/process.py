"""A hub's process: opens the disk, follows the chain, serves, and ends in order.

On the way down new connections are refused first, what was begun is finished and on the disk, and the database closes
last. Nothing is lost if it ends otherwise.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Final

import structlog
import trio

import alatau
from alatau.app.home import Home, lock_home
from alatau.app.hub.config import policy_of
from alatau.app.hub.home import HubHomeContents, read_hub_home
from alatau.app.hub.metrics import register_hub_metrics
from alatau.app.logging import start_logging
from alatau.app.metrics import Metrics
from alatau.app.observability_server import Probes, open_listener, serve_observability
from alatau.app.server_metrics import Served, register_server_metrics
from alatau.app.service_home import Ask
from alatau.artifacts.addresses import CITY_CHANNELS
from alatau.books.calendar import day_number, month_of, next_day_at, next_month_at
from alatau.build_form import FORM
from alatau.channels.forwarding.limits import Moment
from alatau.channels.messages import Domain, channels_domain
from alatau.client import Client, connect
from alatau.hub.hub import Hub, ask_passkeys, ask_settle_blocks, build_hub
from alatau.hub.owner import Owner
from alatau.hub.store import HubStore, open_store
from alatau.hub.towers import TowerWords, open_words
from alatau.pages.site import page_files
from alatau.transport import bridge
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.descriptors import raise_descriptor_limit
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, Server, serve
from alatau.transport.web.face import WebFace
from alatau.transport.web.tls import WebTls
from alatau.types.endpoint import parse_endpoint
from alatau.zones import zone_of

_LOG = structlog.get_logger(__name__)

_MESSAGE_BYTES_MAX: Final = 1024 * 1024
"""256 messages with an invoice and a voucher each are half of it."""
_PAGES_MAX: Final = 8_192
"""Connections of browsers: a page that listens keeps one, and takes others as it asks."""
_PRUNED_AT_ONCE: Final = 1_000
_PRUNE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Parts:
    contents: HubHomeContents
    time_zone: tzinfo


def run_hub(home: Home, ask: Ask) -> None:
    """Run the hub in ``home`` until SIGTERM or SIGINT.

    Raises:
        HomeInUseError: another process uses the home.
        ConfigError, HomeError, KeystoreError, PasswordError, CertificateError: what keeps it from starting.
        HubPolicyError: the locks do not fit the contract's window.
        PortInUseError, ListenError: a port is taken.
        RpcError: no node says which network it is of.
        StorageError: the disk.
    """
    with lock_home(home):
        contents = read_hub_home(home, os.environ, ask)
        parts = _Parts(contents, zone_of(contents.config.hub.time_zone))
        raise_descriptor_limit()
        start_logging(contents.config.log, home.folder)
        bridge.run(partial(_main, parts))


def mark_restored(home: Home, ask: Ask, chain_id: int) -> int:
    """Say that the database in ``home`` was put back from a backup; gives the number of channels that now wait.

    Raises as :func:`run_hub`.
    """
    with lock_home(home):
        contents = read_hub_home(home, os.environ, ask)
        store = open_store(home.database, domain_of(contents, chain_id), contents.key.address)
        try:
            return store.mark_restored()
        finally:
            store.close()


def domain_of(contents: HubHomeContents, chain_id: int) -> Domain:
    """The channels contract that the hub works with."""
    contract = contents.config.chain.contract
    return channels_domain(chain_id, bytes.fromhex(contract[2:]) if contract else CITY_CHANNELS)


def moment_in(time_zone: tzinfo, seconds: float, height: int) -> Moment:
    """The hub's now, by the calendar of its books."""
    now = int(seconds)
    year, month = month_of(time_zone, now)
    return Moment(
        now,
        height,
        day_number(time_zone, now),
        next_day_at(time_zone, now),
        (year - 1970) * 12 + month - 1,
        next_month_at(time_zone, now),
    )


async def _main(parts: _Parts, shutdown: trio.Event) -> None:
    contents = parts.contents
    endpoints = [name.strip() for name in contents.config.chain.nodes.split(",")]
    async with connect(endpoints, contents.node_tls) as client:
        status = await client.status()
        domain = await ask_passkeys(client, domain_of(contents, status.chain_id))
        store = open_store(contents.home.database, domain, contents.key.address)
        try:
            words = open_words(contents.home.folder / "towers")
            try:
                await _run(parts, client, domain, store, words, shutdown)
            finally:
                words.close()
        finally:
            store.close()


async def _run(
    parts: _Parts, client: Client, domain: Domain, store: HubStore, words: TowerWords, shutdown: trio.Event
) -> None:
    contents = parts.contents
    settle_blocks = await ask_settle_blocks(client, domain.contract)
    hub = build_hub(
        store=store,
        client=client,
        key=contents.key,
        domain=domain,
        policy=policy_of(contents.config, settle_blocks),
        settle_blocks=settle_blocks,
        moment=partial(moment_in, parts.time_zone),
        liquidity_step=int(contents.config.liquidity.step),
        tower_endpoints=contents.towers,
        tower_words=words,
        zone=parts.time_zone,
    )
    async with trio.open_nursery() as tasks:
        tasks.start_soon(hub.run)
        tasks.start_soon(_prune, parts, hub.owner)
        async with trio.open_nursery() as doors:
            server = await doors.start(partial(_serve, contents, hub))
            web = await _start_pages(doors, contents, hub, server)
            await _start_observability(doors, contents, hub, {"wallets": server} | web)
            _LOG.info(
                "hub.started",
                version=alatau.__version__,
                build=str(FORM),
                account=contents.key.address.hex(),
                chain_id=domain.chain_id,
                contract=domain.contract.hex(),
                height=hub.owner.height,
                wallets=contents.config.hub.listen,
                pages=contents.config.pages.listen,
                nodes=contents.config.chain.nodes,
            )
            await shutdown.wait()
            _LOG.info("hub.stopping", height=hub.owner.height)
            doors.cancel_scope.cancel()
        tasks.cancel_scope.cancel()
    _LOG.info("hub.stopped", height=hub.owner.height)


async def _serve(
    contents: HubHomeContents, hub: Hub, *, task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED
) -> None:
    """Open the port; serve until cancelled."""
    endpoint = parse_endpoint(contents.config.hub.listen)
    listener = Listener(endpoint.host, endpoint.port, ServerTls(IdentityHolder(contents.identity), None))
    limits = Limits(message_bytes_max=_MESSAGE_BYTES_MAX)
    services = [hub.service.service(), hub.wallets.service()]
    await serve(services, [listener], limits=limits, task_status=task_status)


async def _start_pages(nursery: trio.Nursery, contents: HubHomeContents, hub: Hub, server: Server) -> dict[str, Served]:
    """Open the port for browsers, if there is one."""
    config = contents.config.pages
    if not config.listen:
        return {}
    face = WebFace(
        server,
        [hub.service.service(), hub.wallets.service()],
        Limits(message_bytes_max=_MESSAGE_BYTES_MAX, connections_max=_PAGES_MAX),
        config.origin_set(),
        WebTls(IdentityHolder(contents.identity)) if config.tls == "on" else None,
        page_files(),
    )
    nursery.start_soon(face.serve, await open_listener(parse_endpoint(config.listen), "pages.listen"))
    return {"pages": face}


async def _start_observability(
    nursery: trio.Nursery, contents: HubHomeContents, hub: Hub, servers: Mapping[str, Served]
) -> None:
    if not contents.config.hub.metrics_listen:
        return
    metrics = Metrics()
    register_hub_metrics(metrics, hub)
    register_server_metrics(metrics, servers)
    listeners = await open_listener(parse_endpoint(contents.config.hub.metrics_listen), "hub.metrics_listen")
    nursery.start_soon(serve_observability, listeners, Probes(metrics.render, lambda: None, hub.unreadiness))


async def _prune(parts: _Parts, owner: Owner) -> None:
    """Forget what is older than the operator keeps, some at a time, while the hub pays."""
    while True:
        today = day_number(parts.time_zone, int(time.time()))
        gone = await owner.prune(max(today - parts.contents.config.hub.kept_days, 0), _PRUNED_AT_ONCE)
        if gone:
            _LOG.info("hub.pruned", entries=gone)
        await trio.sleep(_PRUNE_S if gone < _PRUNED_AT_ONCE else 1.0)
