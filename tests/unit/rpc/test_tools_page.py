"""Every line of docs/clients/tools.md, as it stands, against a node; a tool that is not here is skipped by its name."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import trio

from alatau.transport.certificates import trust_anchor
from tests.support.solo_node import RESIDENT, Running, node_identity, running, solo_node

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "clients" / "tools.md"
PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
PORT, HTTP_PORT = "localhost:7101", "127.0.0.1:7301"


def _lines(tool: str) -> list[str]:
    """The page's blocks that run ``tool``; an installation is not run."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if re.search(rf"^{tool} ", block, re.MULTILINE)]


async def _run(node: Running, http_port: int, folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    (folder / "ca.pem").write_bytes(trust_anchor(node_identity().public_key))
    script = script.replace(PORT, f"localhost:{node.server.ports[0]}").replace(HTTP_PORT, f"127.0.0.1:{http_port}")
    variables = {
        "CA": str(folder / "ca.pem"),
        "ACCOUNT": f"0x{RESIDENT.address.hex()}",
        "ALATAU": str(ROOT),
        "PATH": PATH,
        "HOME": str(folder),
    }
    run = partial(subprocess.run, ["bash", "-euc", script], env=variables, text=True, check=False, timeout=120)
    return await trio.to_thread.run_sync(partial(run, capture_output=True))


def _need(tool: str) -> None:
    if shutil.which(tool, path=PATH) is None:
        pytest.skip(f"no {tool} here")


@pytest.mark.trio
async def test_every_line_of_grpcurl(tmp_path: Path) -> None:
    """It finds services, a method and a message, calls, prints an error's details, follows blocks, asks for health."""
    _need("grpcurl")
    async with running(solo_node(tmp_path), produce=True) as node:
        http_port = await node.serve_http()
        done = [await _run(node, http_port, tmp_path, line) for line in _lines("grpcurl")]
    described, status, account, refused, followed, health = done
    assert "is a service" not in described.stdout
    assert "rpc GetAccount (" in described.stdout
    assert "bytes address = 1;" in described.stdout
    assert json.loads(status.stdout)["chain_id"] == "7773"
    assert json.loads(account.stdout)["account"]["balance"]
    error = json.loads(refused.stderr or refused.stdout)
    assert [detail["@type"].rpartition("/")[2] for detail in error["details"]] == [
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest",
    ]
    assert error["details"][1]["field_violations"][0]["field"] == "address"
    assert followed.stdout.startswith("{}"), "a subscription begins with an empty message"
    assert json.loads(health.stdout)["statuses"]["alatau.api.v1.StateService"]["status"] == "SERVING"
    assert [ended.returncode == 0 for ended in done] == [True, True, True, False, False, True]


@pytest.mark.trio
async def test_every_line_of_buf_curl(tmp_path: Path) -> None:
    """Over gRPC by reflection, over Connect and gRPC-Web by the definitions."""
    async with running(solo_node(tmp_path)) as node:
        http_port = await node.serve_http()
        done = [await _run(node, http_port, tmp_path, line) for line in _lines("buf")]
    over_grpc, over_http = done
    assert [ended.returncode for ended in done] == [0, 0], [ended.stderr for ended in done]
    assert "alatau.api.v1.TransactionService/SubmitAndWait" in over_grpc.stdout.splitlines()
    assert over_grpc.stdout.count('"stateRoot"') == 1
    assert over_http.stdout.count('"chainId": "7773"') == 2


@pytest.mark.trio
async def test_every_line_of_ghz(tmp_path: Path) -> None:
    """It calls a method by its name and counts what came back."""
    _need("ghz")
    async with running(solo_node(tmp_path)) as node:
        (line,) = _lines("ghz")
        done = await _run(node, 0, tmp_path, line.replace("-z 10s", "-n 100"))
    assert done.returncode == 0, done.stderr
    assert re.search(r"\[OK\]\s+100 responses", done.stdout)
