"""Validators are killed with -9; the network goes on, they come back, and nothing acknowledged is lost."""

import time

import pytest

from alatau.client.submitting import Submitted
from alatau_devnet.network import Devnet, start_nodes
from alatau_devnet.processes import kill_process, stop_processes
from alatau_devnet.watch import client_of, height_of, wait_for_height
from tests.e2e.agreement import RECOVERY_S, assert_agreement, assert_kept
from tests.e2e.background_load import paying, payment

pytestmark = pytest.mark.e2e

HEARTBEAT_S = 5.0
"""Of a development network (devnet/alatau_devnet/plan.py)."""


def test_any_validator_may_be_killed_repeatedly(recovering_network: Devnet) -> None:
    """Each validator is killed twice under load: the others go on, it catches up, all blocks are identical."""
    network = recovering_network
    with (
        paying(network, network.nodes[0], "resident_1") as first,
        paying(network, network.nodes[2], "resident_2") as second,
    ):
        for _ in range(2):
            for victim in network.nodes:
                others = tuple(node for node in network.nodes if node is not victim)
                kill_process(victim.home)
                wait_for_height(others, max(map(height_of, others)) + 3, RECOVERY_S)
                start_nodes(network, (victim,))
                wait_for_height((victim,), max(map(height_of, others)), RECOVERY_S)
    assert_agreement(network)
    assert_kept(network, first)
    assert_kept(network, second)


def test_two_of_four_down_stop_the_network_until_one_returns(recovering_network: Devnet) -> None:
    """Half of the power decides nothing, however long it waits; with three quarters what was sent becomes final."""
    network = recovering_network
    down, up = network.nodes[:2], network.nodes[2:]
    for node in down:
        kill_process(node.home)
    time.sleep(1.0)  # What was already decided reaches both.
    before = [height_of(node) for node in up]
    with client_of(up[0]) as client:
        sent = client.submit(payment(network, "resident_3", 0))
        time.sleep(2 * HEARTBEAT_S)
        assert [height_of(node) for node in up] == before
        start_nodes(network, (down[0],))
        assert client.wait_final(sent.hash, timeout_s=RECOVERY_S).succeeded
    start_nodes(network, (down[1],))
    assert_agreement(network)


def test_all_validators_killed_at_once_go_on_where_they_were(recovering_network: Devnet) -> None:
    """After a power failure the network continues, with every final payment."""
    network = recovering_network
    with paying(network, network.nodes[1], "resident_1") as done:
        for _ in range(3):
            wait_for_height(network.nodes, max(map(height_of, network.nodes)) + 4, RECOVERY_S)
            heights = [height_of(node) for node in network.nodes]
            for node in network.nodes:
                kill_process(node.home)
            start_nodes(network)
            wait_for_height(network.nodes, max(heights) + 2, RECOVERY_S)
    assert_agreement(network)
    assert_kept(network, done)


def test_a_lone_validator_restarts(lone_validator: Devnet) -> None:
    """A network of one is killed and stopped in turn, and goes on each time (Besu 6457)."""
    network = lone_validator
    (node,) = network.nodes
    with paying(network, node, "resident_1") as done:
        for stop in (kill_process, lambda home: stop_processes([home])):
            wait_for_height((node,), height_of(node) + 3, RECOVERY_S)
            reached = height_of(node)
            stop(node.home)
            start_nodes(network)
            wait_for_height((node,), reached + 2, RECOVERY_S)
    assert_kept(network, done)


def test_a_dead_validator_is_passed_over(recovering_network: Devnet) -> None:
    """Once a validator missed 16 commits its turns are skipped: blocks are decided in round 0 again."""
    network = recovering_network
    victim, *others = network.nodes
    kill_process(victim.home)
    with paying(network, others[0], "resident_1"):
        gone = max(map(height_of, others))
        wait_for_height(others, gone + 40, 90.0)
    with client_of(others[0]) as client:
        rounds = [client.commit(height).round for height in range(gone + 2, gone + 41)]
    assert any(rounds[:16]), "while it has its turns, some height needs a second round"
    assert not any(rounds[18:])
    start_nodes(network, (victim,))
    assert_agreement(network)


def test_what_waits_survives_a_kill_of_every_node(recovering_network: Devnet) -> None:
    """Payments that were acknowledged but that no quorum could decide are all final after kill -9 of all four."""
    network = recovering_network
    down, up = network.nodes[:2], network.nodes[2:]
    for node in down:
        kill_process(node.home)
    senders = [f"resident_{n}" for n in range(11, 19)]
    payments = [payment(network, sender, nonce) for nonce in range(25) for sender in senders]
    with client_of(up[0]) as client:
        outcomes = client.submit_many(payments)
    for node in up:
        kill_process(node.home)
    assert all(isinstance(outcome, Submitted) for outcome in outcomes)
    start_nodes(network)
    wait_for_height(network.nodes, 1, RECOVERY_S)
    with client_of(up[0]) as client:
        for outcome in outcomes:
            assert client.wait_final(outcome.hash, timeout_s=RECOVERY_S).succeeded
    assert_agreement(network)


def test_what_waits_survives_an_orderly_stop(recovering_network: Devnet) -> None:
    """A payment that no quorum could decide is kept over a stop of every node that had it."""
    network = recovering_network
    down, up = network.nodes[:2], network.nodes[2:]
    stop_processes(node.home for node in down)
    with client_of(up[0]) as client:
        sent = client.submit(payment(network, "resident_4", 0))
    stop_processes(node.home for node in up)
    start_nodes(network)
    wait_for_height(network.nodes, 1, RECOVERY_S)
    with client_of(down[0]) as client:
        assert client.wait_final(sent.hash, timeout_s=RECOVERY_S).succeeded
    assert_agreement(network)
