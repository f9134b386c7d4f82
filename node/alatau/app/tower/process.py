"""A tower's process: opens the disk, serves, watches, and ends in order.

On the way down new calls are refused first and those under way finish, so that whoever was promised a receipt gets it;
then the tasks end, and the database closes last.
"""

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
import trio

import alatau
from alatau.app.certificate_renewal import keep_certificate
from alatau.app.home import Home, lock_home
from alatau.app.logging import start_logging
from alatau.app.metrics import Metrics
from alatau.app.observability_server import Probes, open_listener, serve_observability
from alatau.app.server_metrics import register_server_metrics
from alatau.app.service_home import Ask
from alatau.app.tower.config import TowerConfig
from alatau.app.tower.home import TowerHomeContents, read_tower_home
from alatau.app.tower.metrics import register_tower_metrics
from alatau.build_form import FORM
from alatau.client import connect
from alatau.storage.database import Database
from alatau.tower import store
from alatau.tower.leaving import MassExit, Progress
from alatau.tower.service import tower_service
from alatau.tower.tower import Tower, TowerOptions, build_tower
from alatau.transport import bridge
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.descriptors import raise_descriptor_limit
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, Server, serve
from alatau.types.endpoint import parse_endpoint

_LOG = structlog.get_logger(__name__)

_MESSAGE_BYTES_MAX: Final = 1024 * 1024
"""256 vouchers of eight locks each are 230 KB, and as much more and a half where passkeys have signed them."""

Work = Callable[[Tower], Awaitable[None]]
"""What a tower does besides watching; it ends when that is done."""


@dataclass(frozen=True, slots=True)
class _Parts:
    contents: TowerHomeContents
    database: Database
    work: Work | None


def run_tower(home: Home, ask: Ask) -> None:
    """Run the tower in ``home`` until SIGTERM or SIGINT.

    Raises:
        HomeInUseError: another process uses the home.
        ConfigError, HomeError, KeystoreError, PasswordError, CertificateError: what keeps it from starting.
        PortInUseError, ListenError: a port is taken.
        RpcError: its disk is new, and no node says which network it is of.
        StorageError: the disk.
    """
    _run(home, ask, None)


def run_exit(home: Home, ask: Ask, report: Callable[[Progress], None]) -> Progress | None:
    """Run the tower in ``home`` and lead a mass exit; None where it was told to stop before the end.

    Raises as :func:`run_tower`.
    """
    outcome: list[Progress] = []

    async def leave(tower: Tower) -> None:
        outcome.append(await MassExit(tower.post, tower.sender, tower.follower).run(report))

    _run(home, ask, leave)
    return outcome[0] if outcome else None


def _run(home: Home, ask: Ask, work: Work | None) -> None:
    with lock_home(home):
        contents = read_tower_home(home, os.environ, ask)
        raise_descriptor_limit()
        start_logging(contents.config.log, home.folder)
        database = store.open_store(home.database)
        try:
            bridge.run(partial(_main, _Parts(contents, database, work)))
        finally:
            database.close()


async def _main(parts: _Parts, shutdown: trio.Event) -> None:
    contents = parts.contents
    endpoints = [name.strip() for name in contents.config.node.endpoints.split(",")]
    async with connect(endpoints, contents.node_tls) as client:
        options = _options(contents)
        tower = await build_tower(parts.database, client, contents.key, options, time.time)
        async with trio.open_nursery() as tasks:
            tasks.start_soon(tower.run)
            async with trio.open_nursery() as doors:
                identity = IdentityHolder(contents.identity)
                server = await doors.start(partial(_serve, contents, tower, identity))
                doors.start_soon(keep_certificate, contents.home, [contents.config.service.listen], identity)
                await _start_observability(doors, contents.config, tower, server)
                _log_start(contents, tower)
                if parts.work is None:
                    await shutdown.wait()
                else:
                    await _until_either(shutdown, partial(parts.work, tower))
                _LOG.info("tower.stopping", height=tower.post.height)
                doors.cancel_scope.cancel()
            tasks.cancel_scope.cancel()
    _LOG.info("tower.stopped", height=tower.post.height)


async def _until_either(shutdown: trio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Wait for the work's end, or for a signal."""
    async with trio.open_nursery() as nursery:

        async def do() -> None:
            await work()
            nursery.cancel_scope.cancel()

        nursery.start_soon(do)
        await shutdown.wait()
        nursery.cancel_scope.cancel()


def _options(contents: TowerHomeContents) -> TowerOptions:
    config = contents.config
    return TowerOptions(
        contract=bytes.fromhex(config.channels.contract[2:]),
        from_height=config.channels.from_height,
        kept_blocks=config.channels.kept_blocks,
        canary_hub=contents.canary_hub,
        canary_period_s=float(config.canary.period_s),
        canary_account=bytes.fromhex(config.canary.account[2:]) or None,
    )


async def _serve(
    contents: TowerHomeContents,
    tower: Tower,
    identity: IdentityHolder,
    *,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Open the port; serve until cancelled."""
    config = contents.config.service
    endpoint = parse_endpoint(config.listen)
    listener = Listener(endpoint.host, endpoint.port, ServerTls(identity, contents.clients))
    limits = Limits(
        message_bytes_max=_MESSAGE_BYTES_MAX,
        calls_per_s=float(config.requests_per_second),
        calls_burst=2.0 * config.requests_per_second,
    )
    await serve([tower_service(tower.api)], [listener], limits=limits, task_status=task_status)


async def _start_observability(nursery: trio.Nursery, config: TowerConfig, tower: Tower, server: Server) -> None:
    if not config.metrics.listen:
        return
    metrics = Metrics()
    register_tower_metrics(metrics, tower)
    register_server_metrics(metrics, {"clients": server})
    listeners = await open_listener(parse_endpoint(config.metrics.listen), "metrics.listen")
    probes = Probes(metrics.render, lambda: None, lambda: "; ".join(tower.post.alarms.words()) or None)
    nursery.start_soon(serve_observability, listeners, probes)


def _log_start(contents: TowerHomeContents, tower: Tower) -> None:
    _LOG.info(
        "tower.started",
        version=alatau.__version__,
        build=str(FORM),
        account=contents.key.address.hex(),
        chain_id=tower.post.network.chain_id,
        contract=tower.post.network.contract.hex(),
        height=tower.post.height,
        clients=contents.config.service.listen,
        nodes=contents.config.node.endpoints,
    )
