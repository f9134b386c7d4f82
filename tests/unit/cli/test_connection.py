"""Which node a command talks to."""

import json
from pathlib import Path

import pytest

from alatau.cli import connection
from alatau.types.endpoint import parse_endpoint
from tests.support.served_network import Network
from tests.support.solo_node import RESIDENT
from tests.support.transactions import CHAIN_ID
from tests.unit.cli.command_line import Alatau

NOBODY = "127.0.0.1:1"


def test_a_command_goes_on_with_the_next_node(alatau: Alatau, network: Network) -> None:
    """Reading, sending and following alike; only where no node answers is the command refused."""
    several = ("--node", NOBODY, *network.at)
    assert alatau("status", *several, "--json").json()["chain_id"] == CHAIN_ID
    to = "0x" + "11" * 20
    sent = alatau("tx", "send", "--to", to, "--value", 1, *network.sender(RESIDENT), *several, "--json")
    assert (sent.code, sent.json()["succeeded"]) == (0, True), sent.err
    none = alatau("status", "--node", NOBODY, "--node", "127.0.0.1:2", *network.at[2:])
    assert none.code == 5


def test_nodes_may_be_named_in_the_environment(
    alatau: Alatau, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several with spaces between them."""
    monkeypatch.setenv("ALATAU_NODE", f"{NOBODY} {network.endpoint}")
    monkeypatch.setenv("ALATAU_CA", network.at[3])
    assert json.loads(alatau("status", "--json").out)["chain_id"] == CHAIN_ID


def test_without_authority_a_node_is_not_asked(alatau: Alatau, tmp_path: Path) -> None:
    """Nothing else would tell it from whoever answers there."""
    refused = alatau("--home", tmp_path, "status", "--node", NOBODY)
    assert (refused.code, "--ca" in refused.err) == (3, True)


@pytest.mark.parametrize(
    ("listen", "dialled"),
    [("0.0.0.0:7101", "127.0.0.1:7101"), ("[::]:7101", "[::1]:7101"), ("10.0.0.5:7101", "10.0.0.5:7101")],
)
def test_a_home_that_listens_everywhere_is_dialled_at_loopback(listen: str, dialled: str) -> None:
    """Such an address is for listening only."""
    assert str(connection.dialled(parse_endpoint(listen))) == dialled
