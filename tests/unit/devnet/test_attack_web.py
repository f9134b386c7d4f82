"""Each attack on the port for browsers, on a real node: it does what it says, and others are served meanwhile."""

from pathlib import Path

import pytest
import trio

from alatau.client import RpcError
from alatau_devnet.attack import web
from alatau_devnet.attack.tls import Outcome
from alatau_devnet.attack.web_probe import ask_status
from tests.support.solo_node import running, solo_node
from tests.support.waiting import eventually

HONEST = "127.0.0.9"


@pytest.mark.trio
@pytest.mark.parametrize(
    ("act", "event"),
    [
        (web.trickle, "connections"),
        (web.endless_head, "heads"),
        (web.endless_head, "ended by node"),
        (web.huge_body, "kB"),
        (web.huge_body, "JSON"),
        (web.no_reader, "connections"),
    ],
)
async def test_an_attack_over_http_hinders_nobody(tmp_path: Path, act: web.Act, event: str) -> None:
    """From four addresses at once; a status is asked from a fifth."""
    async with running(solo_node(tmp_path)) as node:
        endpoint, outcome = f"127.0.0.1:{await node.serve_http()}", Outcome("test")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(web.keep_open, endpoint, 60.0, outcome, 32, act)
            await eventually(lambda: outcome.events["connections"] >= 32, "all have begun", 30)
            await eventually(lambda: outcome.events[event], f"{event}: {outcome}", 30)
            with trio.fail_after(30):
                await ask_status(endpoint, HONEST)
            nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_who_probes_over_http_says_what_was_wrong(tmp_path: Path) -> None:
    """A node that is not there, or that answers with an error, is no answer."""
    async with running(solo_node(tmp_path)) as node:
        http_port = await node.serve_http()
        await ask_status(f"127.0.0.1:{http_port}", HONEST)
        with pytest.raises(RpcError, match="over HTTP: 0"):
            await ask_status(f"127.0.0.1:{node.server.ports[0]}", HONEST)
