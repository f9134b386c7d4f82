"""What is said while a transaction waits."""

import threading
from pathlib import Path

import pytest

from alatau.cli import waiting
from alatau.client import client_tls, connect_sync
from tests.support.served_network import network_contracts, served
from tests.support.solo_node import MERCHANT, RESIDENT, node_identity, solo_node
from tests.unit.cli.command_line import Alatau


def test_a_network_that_stands_is_explained(alatau: Alatau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error, in the words of status, until the transaction is final; scripts read the same as ever."""
    node = solo_node(tmp_path / "node", contracts=network_contracts())
    explained = threading.Event()

    say_it = waiting.say

    def say(text: str) -> None:
        say_it(text)
        explained.set()

    monkeypatch.setattr(waiting, "say", say)
    monkeypatch.setattr(waiting, "QUIET_S", 0.05)
    with served(node, tmp_path / "users", produce=False) as network:

        def decide() -> None:
            explained.wait(60)
            network.commit_block()

        decider = threading.Thread(target=decide, daemon=True)
        decider.start()
        words = ("tx", "send", "--to", "0x" + MERCHANT.address.hex(), "--value", 1)
        sent = alatau(*words, *network.sender(RESIDENT), *network.at, "--json")
        decider.join(60)
    assert sent.code == 0, sent.err
    assert "waiting until it is final. This node follows the network" in sent.err
    assert sent.json()["succeeded"] is True
    node.store.close()


def test_what_is_quick_is_not_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is anything said after the end."""
    with (
        connect_sync("127.0.0.1:1", client_tls(node_key=node_identity().public_key)) as client,
        waiting.explain_waiting(client),
    ):
        pass
    assert capsys.readouterr().err == ""


def test_a_node_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than nothing at all."""
    said = threading.Event()
    texts: list[str] = []

    def say(text: str) -> None:
        texts.append(text)
        said.set()

    monkeypatch.setattr(waiting, "say", say)
    with (
        connect_sync("127.0.0.1:1", client_tls(node_key=node_identity().public_key)) as client,
        waiting.explain_waiting(client, quiet_s=0.01, repeat_s=60),
    ):
        assert said.wait(60)
    assert "the node does not answer" in texts[0]
