"""Every line of docs/clients/curl.md, as it stands, against a node that serves over HTTP."""

import json
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
import trio

from alatau.transport.certificates import trust_anchor
from tests.support.http import http_client
from tests.support.solo_node import RESIDENT, node_identity, payment, running, solo_node

PAGE = Path(__file__).parents[3] / "docs" / "clients" / "curl.md"
FOREVER = 28
"""What curl ends with when its time is over: a subscription has no end."""


@pytest.mark.trio
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
async def test_every_line_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    """In order: a payment is sent and then waited for."""
    lines = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    sent = payment()
    variables = {
        "ACCOUNT": f"0x{RESIDENT.address.hex()}",
        "TRANSACTION": f"0x{sent.encoded.hex()}",
        "HASH": f"0x{sent.hash.hex()}",
        "CA": str(tmp_path / "ca.pem"),
    }
    (tmp_path / "ca.pem").write_bytes(trust_anchor(node_identity().public_key))
    answers = []
    async with running(solo_node(tmp_path), produce=True) as node:
        port, secure_port = await node.serve_http(), await node.serve_http(secure=True)
        for line in lines:
            script = line.replace("http://127.0.0.1:7301", f"http://127.0.0.1:{port}").replace("curl ", "curl -sS ", 1)
            script = script.replace("https://localhost:7301", f"https://localhost:{secure_port}")
            run = partial(subprocess.run, ["bash", "-c", script], env={**variables, "PATH": "/usr/bin:/bin"})
            done = await trio.to_thread.run_sync(partial(run, capture_output=True, check=False, timeout=60))
            assert done.returncode in (0, FOREVER), done.stderr
            answers.append(done.stdout)
    status, account, submitted, receipt, got, status_got, status_over_tls, error, stream = answers
    for other in (status_got, status_over_tls):
        assert json.loads(other)["genesisHash"] == json.loads(status)["genesisHash"]
    assert json.loads(got)["account"]["address"] == variables["ACCOUNT"]
    assert json.loads(status)["chainId"] == str(sent.chain_id)
    assert int(json.loads(account)["account"]["balance"], 16) > 0
    assert json.loads(submitted) == {"hash": variables["HASH"], "state": "TRANSACTION_STATE_POOLED"}
    assert json.loads(receipt)["receipt"]["transactionHash"] == variables["HASH"]
    assert json.loads(error)["details"][0]["debug"]["reason"] == "INVALID_REQUEST"
    assert stream[0] == 0
    assert b'"height"' in stream


@pytest.mark.trio
async def test_a_flood_of_json_does_not_keep_a_status_waiting(tmp_path: Path) -> None:
    """Bodies as large and as dear as they may be are refused or read aside, and a status is answered between them."""
    body = b'{"transactions":[' + b",".join([b'""'] * 16_000) + b"]}"
    path = "/alatau.api.v1.TransactionService/BatchSubmitTransactions"
    async with running(solo_node(tmp_path)) as node:
        port = await node.serve_http()
        flood = [await http_client(port) for _ in range(8)]
        for client in flood:
            await client.send("POST", path, body, Content_Type="application/json")
        asking = await http_client(port)
        status = await asking.ask(
            "POST", "/alatau.api.v1.NodeService/GetStatus", b"{}", Content_Type="application/json"
        )
        assert status.status == 200
        refused = [await client.answer() for client in flood]
        assert {answer.status for answer in refused} == {400}
        for client in (*flood, asking):
            await trio.aclose_forcefully(client.stream)
