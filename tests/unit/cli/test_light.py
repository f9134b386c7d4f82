"""``alatau light`` against a served node, honest or with its answers changed on the wire."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts import addresses
from alatau.transport.sync_channel import SyncChannel
from tests.support.served_network import Network
from tests.support.solo_node import MERCHANT, RESIDENT, STRANGER
from tests.unit.cli.command_line import Alatau

MERCHANT_TEXT = "0x" + MERCHANT.address.hex()
LONG = ("--trusting-period", 100_000)
"""Days: the genesis of the tests is of 2023."""


def genesis_hash(network: Network) -> str:
    """What is trusted."""
    assert network.node.store.genesis_hash is not None
    return "0x" + network.node.store.genesis_hash.hex()


def pay(alatau: Alatau, network: Network) -> Any:
    """A payment of the settlement token, in block 1."""
    options = (*network.sender(RESIDENT), *network.at, "--json")
    return alatau("tx", "invoke", "SettlementToken", "transfer", MERCHANT_TEXT, 5, *options).json()


@pytest.fixture
def unused_endpoint() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def trusting(network: Network) -> tuple[object, ...]:
    """Options that trust block 0 and nothing else."""
    return ("--trust", genesis_hash(network), *LONG, *network.at)


@pytest.fixture
def lies(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], None]], None]:
    """Change every answer before the command line gets it."""
    honest = SyncChannel.unary

    def begin(lie: Callable[[Any], None]) -> None:
        def unary(self: SyncChannel, *arguments: Any, **options: Any) -> Any:
            answer = honest(self, *arguments, **options)
            lie(answer)
            return answer

        monkeypatch.setattr(SyncChannel, "unary", unary)

    return begin


def test_it_follows_to_the_head_and_goes_on_from_its_file(
    alatau: Alatau, network: Network, trusting: tuple[object, ...], tmp_path: Path
) -> None:
    """The second time neither hash nor genesis is named: the file says what is trusted."""
    state = tmp_path / "state.json"
    network.commit_block()
    network.commit_block()
    first = alatau("light", "follow", "--once", *trusting, "--state", state, "--json")
    assert first.code == 0, first.err
    assert (first.json()["height"], first.json()["other_nodes"]) == (2, {})
    assert json.loads(state.read_text())["height"] == 2
    assert state.stat().st_mode & 0o077 == 0
    network.commit_block()
    second = alatau("light", "follow", "--once", *LONG, *network.at, "--state", state)
    assert second.out.startswith(f"3 0x{network.node.store.tip_hash.hex()} ")
    assert json.loads(state.read_text())["height"] == 3


def test_an_old_head_is_called_old(alatau: Alatau, network: Network, trusting: tuple[object, ...]) -> None:
    """Nobody can tell a chain that stands still from a node that withholds blocks: the age is said."""
    network.commit_block()
    for command in (("follow", "--once"), ("account", MERCHANT_TEXT)):
        said = alatau("light", *command, *trusting)
        assert said.code == 0, said.err
        assert "warning: the newest block that the nodes show, 1, is " in said.err
        assert " s old" in said.err


def test_trust_begins_with_a_genesis_file_or_a_later_hash(alatau: Alatau, network: Network, tmp_path: Path) -> None:
    """Each leads to the same head."""
    network.commit_block()
    later = "0x" + network.node.store.tip_hash.hex()
    network.commit_block()
    found = alatau("light", "follow", "--once", "--trust", later, *LONG, *network.at, "--json")
    assert found.json()["height"] == 2, found.err
    refused = alatau("light", "follow", "--once", "--trust", "0x" + "07" * 32, *LONG, *network.at)
    assert refused.code == 1
    assert "BLOCK_NOT_FOUND" in refused.err


def test_expired_trust_is_refused_and_says_what_to_do(alatau: Alatau, network: Network) -> None:
    """With ``--sequential`` every header is verified instead."""
    network.commit_block()
    given = ("--trust", genesis_hash(network), *network.at)
    refused = alatau("light", "follow", "--once", *given)
    assert refused.code == 1
    assert "more than the trusting period of 30.0 days" in refused.err
    assert alatau("light", "follow", "--once", "--sequential", *given).out.startswith("1 0x")


def test_accounts_are_proved(alatau: Alatau, network: Network, trusting: tuple[object, ...]) -> None:
    """Those that exist and those that do not."""
    network.commit_block()
    found = alatau("light", "account", MERCHANT_TEXT, *trusting, "--json").json()
    assert (found["exists"], found["balance"], found["height"]) == (True, 10**18, 1)
    assert found["block_hash"] == "0x" + network.node.store.tip_hash.hex()
    absent = alatau("light", "account", "0x" + STRANGER.address.hex(), *trusting, "--json").json()
    assert absent["exists"] is False
    assert "balance" not in absent


def test_storage_is_proved(alatau: Alatau, network: Network, trusting: tuple[object, ...]) -> None:
    """Words of a contract of genesis, as the node itself has them."""
    network.commit_block()
    token = addresses.SETTLEMENT_TOKEN
    said = alatau("light", "storage", "0x" + token.hex(), "0", "0x1", *trusting, "--json")
    state = network.node.store.state()
    assert said.json()["slots"] == {f"0x{n:064x}": f"0x{state.storage(token, n):064x}" for n in (0, 1)}
    wrong = alatau("light", "storage", "0x" + token.hex(), "-1", *trusting)
    assert wrong.code == 2


def test_receipts_are_proved(alatau: Alatau, network: Network, trusting: tuple[object, ...]) -> None:
    """Of a transaction below the head."""
    sent = pay(alatau, network)
    network.commit_block()
    network.commit_block()
    said = alatau("light", "receipt", sent["transaction"], *trusting, "--json")
    assert said.code == 0, said.err
    found = said.json()
    assert (found["succeeded"], found["in_block"], found["index"]) == (True, sent["height"], 0)
    assert found["sender"] == "0x" + RESIDENT.address.hex()
    assert len(found["logs"]) == 1
    assert found["height"] > found["in_block"]


@pytest.mark.parametrize("command", ["account", "storage", "receipt", "follow"])
def test_a_lying_node_gets_no_belief(
    alatau: Alatau,
    network: Network,
    trusting: tuple[object, ...],
    lies: Callable[[Callable[[Any], None]], None],
    tmp_path: Path,
    command: str,
) -> None:
    """Whatever is asked of it: exit code 1, who lied and how, and nothing is kept."""
    sent = pay(alatau, network)

    def lie(answer: Any) -> None:
        if hasattr(answer, "commit"):
            answer.commit.signatures[0].signature = bytes(65)

    lies(lie)
    what = {
        "account": (MERCHANT_TEXT,),
        "storage": (MERCHANT_TEXT, 0),
        "receipt": (sent["transaction"],),
        "follow": ("--once",),
    }[command]
    state = tmp_path / "state.json"
    caught = alatau("light", command, *what, *trusting, "--state", state)
    assert caught.code == 1
    assert caught.out == ""
    assert f"warning: {network.endpoint} lies and is not asked any more: block 1 is not decided" in caught.err
    assert not state.exists()


def test_a_file_of_another_chain_or_a_damaged_one_is_refused(
    alatau: Alatau, network: Network, trusting: tuple[object, ...], tmp_path: Path
) -> None:
    """With what to do."""
    state = tmp_path / "state.json"
    network.commit_block()
    assert alatau("light", "follow", "--once", *trusting, "--state", state).code == 0
    other = alatau("light", "follow", "--once", "--trust", "0x" + "07" * 32, *LONG, *network.at, "--state", state)
    assert other.code == 2
    assert "name another file, or remove it" in other.err
    document = json.loads(state.read_text())
    for field, value in (
        ("hash", "0x" + "07" * 32),
        ("validators", "0xc0"),
        ("header", "0xc0"),
        ("format", 2),
        ("anchor", "0x07"),
        ("height", None),
    ):
        state.write_text(json.dumps(document | {field: value}))
        refused = alatau("light", "follow", "--once", *LONG, *network.at, "--state", state)
        assert (refused.code, refused.out) == (3, ""), field


def test_nothing_to_trust_is_a_wrong_command_line(alatau: Alatau, network: Network, tmp_path: Path) -> None:
    """Without hash, genesis, file or home; and with two beginnings."""
    said = alatau("--home", tmp_path / "nowhere", "light", "follow", "--once", *network.at)
    assert said.code == 2
    assert "--trust HASH" in said.err
    genesis = tmp_path / "genesis.json"
    genesis.write_text("{}")
    both = alatau("light", "follow", "--trust", "0x" + "07" * 32, "--genesis", genesis, *network.at)
    assert both.code == 2


def test_several_nodes_are_compared(
    alatau: Alatau, network: Network, trusting: tuple[object, ...], unused_endpoint: str
) -> None:
    """One that does not answer is passed over, wherever it stands in the list."""
    network.commit_block()
    for nodes in (("--node", unused_endpoint), ()):
        rest = () if nodes else ("--node", unused_endpoint)
        said = alatau("light", "follow", "--once", *nodes, *trusting, *rest, "--json")
        assert said.code == 0, said.err
        assert said.json()["node"] == network.endpoint
        assert said.json()["other_nodes"][unused_endpoint].startswith("does not answer")
