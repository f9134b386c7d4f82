"""Validators that stop as they are told, hang, or are many."""

import os
import signal
import time

import pytest

from alatau_devnet import accounts
from alatau_devnet.network import Devnet, start_nodes
from alatau_devnet.processes import LOG_NAME, kill_process, running_pid, start_process, stop_processes
from alatau_devnet.watch import client_of, height_of, wait_for_height, wait_until
from tests.e2e.agreement import RECOVERY_S, assert_agreement
from tests.e2e.background_load import paying

pytestmark = pytest.mark.e2e


def test_sigterm_stops_a_node_in_order_and_fast(recovering_network: Devnet) -> None:
    """Exit code 0 within seconds, in the middle of a load; the next start goes on where it was."""
    node, witness = recovering_network.nodes[3], recovering_network.nodes[0]
    stop_processes([node.home])
    process = start_process(node.home)
    assert wait_until(lambda: running_pid(node.home) == process.pid, RECOVERY_S)
    with paying(recovering_network, witness, accounts.resident(1)):
        wait_for_height([node], height_of(witness), RECOVERY_S)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - began < 5
        assert '"node.stopped"' in (node.home / LOG_NAME).read_text().splitlines()[-1]
        start_nodes(recovering_network, (node,))
        wait_for_height([node], height_of(witness), RECOVERY_S)
    assert_agreement(recovering_network)


def test_a_validator_that_hangs_catches_up_and_proposes_again(recovering_network: Devnet) -> None:
    """A process that is paused looks alive to the kernel and dead to its peers."""
    node, witness = recovering_network.nodes[2], recovering_network.nodes[0]
    pid = running_pid(node.home)
    assert pid is not None
    with paying(recovering_network, witness, accounts.resident(1)):
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for_height([witness], height_of(witness) + 8, RECOVERY_S)
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for_height([node], (back := height_of(witness)), RECOVERY_S)
        wait_for_height([witness], back + 24, RECOVERY_S)
    with client_of(witness) as client:
        builders = {block.header.beneficiary for block in client.blocks(back, back + 24)}
    assert node.voting_address in builders
    assert_agreement(recovering_network)


def test_seven_validators_bear_the_loss_of_two(seven_validators: Devnet) -> None:
    """F = 2 of n = 7; both return to the same blocks."""
    network = seven_validators
    lost, left = network.nodes[:2], network.nodes[2:]
    with paying(network, left[0], accounts.resident(1)) as done:
        for node in lost:
            kill_process(node.home)
        wait_for_height(left, max(map(height_of, left)) + 4, 2 * RECOVERY_S)
        start_nodes(network, lost)
    assert done.receipts
    assert_agreement(network)
