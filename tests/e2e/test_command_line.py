"""The command line against a running network, as people and scripts use it."""

import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from alatau_devnet import accounts
from alatau_devnet.network import Devnet, start_nodes
from alatau_devnet.processes import LOG_NAME, stop_processes
from alatau_devnet.snippets import write_account_keystores
from alatau_devnet.watch import client_of, height_of, wait_for_height

pytestmark = pytest.mark.e2e
COUNTER = Path(__file__).parents[2] / "docs" / "examples" / "Counter.vy"


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "alatau.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def _alatau(*arguments: object, code: int = 0) -> str:
    done = _run(*arguments)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def _json(*arguments: object) -> Any:
    return json.loads(_alatau(*arguments, "--json"))


def test_a_payment_and_its_traces(standing_network: Devnet) -> None:
    """Sent, found again, and visible in the balance."""
    home, keys = standing_network.nodes[0].home, write_account_keystores(standing_network)
    sender = ("--from", keys / "resident_1.json", "--password-file", keys / "password")
    receiver = "0x" + accounts.address_of(accounts.resident(2)).hex()
    before = int(_alatau("--home", home, "call", "SettlementToken", "balanceOf", receiver))
    sent = _json("--home", home, "tx", "invoke", "SettlementToken", "transfer", receiver, 250, *sender)
    assert sent["succeeded"] is True
    assert (sent["events"][0]["name"], sent["events"][0]["values"]["amount"]) == ("Transfer", 250)
    other = standing_network.nodes[1].home
    wait_for_height([standing_network.nodes[1]], sent["height"], 10)
    assert int(_alatau("--home", other, "call", "SettlementToken", "balanceOf", receiver)) == before + 250
    found = _json("--home", other, "tx", "show", sent["transaction"])
    assert (found["state"], found["height"]) == ("final", sent["height"])
    moved = _json("--home", home, "tx", "send", "--to", receiver, "--value", "2gwei", *sender)
    assert moved["gas_used"] == 21_000


def test_a_contract_from_its_source_to_its_answer(standing_network: Devnet, tmp_path: Path) -> None:
    """Compiled, deployed with an argument, called, read."""
    home, keys = standing_network.nodes[0].home, write_account_keystores(standing_network)
    abi, password = tmp_path / "abi.json", ("--password-file", keys / "password")
    developer = ("--from", keys / "developer.json", *password)
    made = _json("--home", home, "deploy", COUNTER, 5, "--abi-output", abi, *developer)
    _json("--home", home, "tx", "invoke", made["contract"], "add", 3, "--abi", abi, *developer)
    assert _json("--home", home, "call", made["contract"], "total", "--abi", abi) == {"result": 8}


def test_who_may_not_deploy_is_told_why(standing_network: Devnet) -> None:
    """The refusal has its stable reason, and exit code 1."""
    home, keys = standing_network.nodes[0].home, write_account_keystores(standing_network)
    resident = ("--from", keys / "resident_2.json", "--password-file", keys / "password")
    message = _alatau("--home", home, "deploy", COUNTER, 5, *resident, code=1)
    assert "deploy" in message.lower()
    assert "Traceback" not in message


def test_the_networks_state_for_people_and_scripts(standing_network: Devnet) -> None:
    """Status, peers, validators, the launcher's own status."""
    node = standing_network.nodes[0]
    facts = _json("--home", node.home, "status")
    assert facts["chain_id"] == standing_network.chain_id
    assert facts["sync"] == "synced"
    assert facts["validator_address"] == "0x" + node.voting_address.hex()
    assert {row["name"] for row in _json("--home", node.home, "peers")} == {n.name for n in standing_network.nodes[1:]}
    assert len(_json("--home", node.home, "validators")) == 4
    rows = json.loads(_alatau("devnet", "status", "--folder", standing_network.folder, "--json"))
    assert [row["node"] for row in rows] == [n.name for n in standing_network.nodes]
    assert "explanation" in _alatau("--home", node.home, "status")


def test_the_doctor_finds_a_sound_node_sound_and_a_stopped_one_not(standing_network: Devnet) -> None:
    """With a line of advice for what failed."""
    node = standing_network.nodes[2]
    verdicts = {v["check"]: v for v in _json("--home", node.home, "doctor")}
    assert all(v["level"] != "failure" for v in verdicts.values()), verdicts
    assert verdicts["validators"]["found"] == "4 of 4 connected; you may lose 1 more"
    stop_processes([node.home])
    done = _run("--home", node.home, "doctor")
    assert done.returncode == 1
    assert "alatau start" in done.stdout
    start_nodes(standing_network, (node,))
    wait_for_height([node], 1, 20)


def test_a_client_without_a_home_trusts_given_certificates(standing_network: Devnet) -> None:
    """By address and certificates; without certificates it asks for them; a node that is not there is code 5."""
    node = standing_network.nodes[0]
    assert (
        _json("status", "--node", node.rpc, "--ca", standing_network.ca_file)["chain_id"] == standing_network.chain_id
    )
    assert "--ca" in _alatau("status", "--node", node.rpc, code=3)
    assert "error: " in _alatau("status", "--node", "127.0.0.1:1", "--ca", standing_network.ca_file, code=5)


def test_upkeep_of_a_stopped_nodes_database(standing_network: Devnet) -> None:
    """Refused while the node runs; then checked, compacted, rolled back, and caught up again."""
    node, witness = standing_network.nodes[3], standing_network.nodes[0]
    with client_of(witness) as client:
        payer = client.wallet(accounts.key_of(accounts.DEVELOPER))
        for _ in range(3):
            client.transfer(payer, accounts.address_of(accounts.MERCHANT), 1)
    wait_for_height([node], height_of(witness), 10)
    assert "is in use by process" in _alatau("--home", node.home, "db", "check", code=4)
    stop_processes([node.home])
    checked = _json("--home", node.home, "db", "check")
    assert (checked["ok"], checked["findings"]) == (True, [])
    height = checked["height"]
    assert _json("--home", node.home, "rollback", "--to", height - 2)["done"] is False
    assert _json("--home", node.home, "db", "check")["height"] == height
    assert _json("--home", node.home, "rollback", "--to", height - 2, "--yes")["done"] is True
    again = _json("--home", node.home, "db", "check")
    assert (again["ok"], again["height"]) == (True, height - 2)
    assert _json("--home", node.home, "db", "compact")["bytes_after"] > 0
    start_nodes(standing_network, (node,))
    wait_for_height([node], height, 20)


def test_the_doctor_speaks_of_half_a_network(standing_network: Devnet) -> None:
    """Each line that can be said is said, of the node that runs and of the one that does not; no traceback."""
    running, stopped = standing_network.nodes[0], standing_network.nodes[2:]
    stop_processes([node.home for node in stopped])
    try:
        done = _run("--home", running.home, "doctor", "--json")
        assert "Traceback" not in done.stderr
        assert done.returncode == 1
        verdicts = {verdict["check"]: verdict for verdict in json.loads(done.stdout)}
        assert set(verdicts) == {
            *("home", "certificate", "disk", "sign state"),
            *("node", "signing", "sync", "database", "consensus", "validators", "clock"),
        }
        failed = [verdict["level"] == "failure" for verdict in verdicts.values()]
        assert failed == sorted(failed, reverse=True), "what has failed is read first"
        assert verdicts["validators"]["level"] == "failure"
        assert all(node.name in verdicts["validators"]["found"] for node in stopped)
        assert "no block came" in verdicts["clock"]["found"]
        done = _run("--home", stopped[0].home, "doctor", "--json")
        assert "Traceback" not in done.stderr
        assert "it does not run" in [verdict["found"] for verdict in json.loads(done.stdout)]
    finally:
        start_nodes(standing_network, stopped)
        wait_for_height([running], height_of(running) + 1, 60)


_NODE_JS: str = """
const tls = require("node:tls"), fs = require("node:fs");
const [port, name] = process.argv.slice(1);
const options = { host: "127.0.0.1", port, servername: name, ca: fs.readFileSync("ca.pem"), ALPNProtocols: ["h2"] };
const socket = tls.connect(options, () => { console.log(socket.authorized, socket.getProtocol()); socket.end(); });
socket.on("error", (error) => console.log(error.code));
"""


@pytest.mark.parametrize("program", ["openssl", "curl", "node"])
def test_outside_clients_know_a_node_by_its_ca_file(standing_network: Devnet, tmp_path: Path, program: str) -> None:
    """As the page for operators says; another node's file does not do."""
    if shutil.which(program) is None:
        pytest.skip(f"no {program} on this machine")
    port = standing_network.nodes[0].rpc.rpartition(":")[2]
    lines = {
        "openssl": [
            *("s_client", "-connect", f"localhost:{port}", "-alpn", "h2", "-CAfile", "ca.pem"),
            *("-verify_return_error", "-x509_strict", "-verify_hostname", "localhost"),
        ],
        "curl": [
            "--cacert",
            "ca.pem",
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{ssl_verify_result}",
            f"https://localhost:{port}/",
        ],
        "node": ["-e", _NODE_JS, port, "localhost"],
    }
    good = {"openssl": "Verify return code: 0 (ok)", "curl": "0", "node": "true TLSv1.3"}
    bad = {"openssl": "verify error", "curl": "SSL certificate problem", "node": "UNABLE_TO"}
    for node, expected in ((standing_network.nodes[0], good), (standing_network.nodes[1], bad)):
        _alatau("--home", node.home, "certs", "ca", "-o", tmp_path / "ca.pem")
        done = subprocess.run(
            [program, *lines[program]],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # openssl shows bytes of the session
            timeout=60,
            check=False,
        )
        assert expected[program] in done.stdout + done.stderr


def test_a_node_serves_browsers_over_tls_where_it_is_switched_on(
    standing_network: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the certificate of the gRPC port, checked strictly; its metrics count what comes there."""
    node = standing_network.nodes[3]
    stop_processes([node.home])
    with monkeypatch.context() as patch:
        patch.setenv("ALATAU_HTTP_TLS", "on")
        start_nodes(standing_network, (node,))
    try:
        wait_for_height([node], 1, 20)
        _alatau("--home", node.home, "certs", "ca", "-o", tmp_path / "ca.pem")
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        port = node.http.rpartition(":")[2]
        url = f"https://localhost:{port}/alatau.api.v1.NodeService/GetStatus"
        with urllib.request.urlopen(url, context=context, timeout=20) as answer:
            assert json.loads(answer.read())["chainId"] == str(standing_network.chain_id)
        with urllib.request.urlopen(f"http://{node.metrics}/metrics", timeout=20) as answer:
            counted = re.search(r'^transport_calls_total\{port="http"\} (\d+)', answer.read().decode(), re.MULTILINE)
        assert counted is not None
        assert int(counted[1]) == 1
    finally:
        stop_processes([node.home])
        start_nodes(standing_network, (node,))
        wait_for_height([node], 1, 20)


def test_every_line_of_a_nodes_log_is_json(standing_network: Devnet) -> None:
    """Also after a client spoke plain text, garbage and half a handshake to both ports."""
    node = standing_network.nodes[0]
    for endpoint in (node.rpc, node.p2p):
        host, _, port = endpoint.rpartition(":")
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x00\xff" * 1_000, b"\x16\x03\x01\x02\x00\x01"):
            with socket.create_connection((host, int(port)), timeout=10) as stranger:
                stranger.sendall(sent)
    wait_for_height([node], height_of(node) + 1, 60)
    for one in standing_network.nodes:
        for line in (one.home / LOG_NAME).read_text().splitlines():
            assert json.loads(line)["event"], line
