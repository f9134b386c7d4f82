"""Networks whose links break or are slow: what has a quorum goes on, the rest waits, and all agree afterwards."""

import time
from pathlib import Path

import pytest

from alatau_devnet.watch import client_of, height_of, wait_for_height
from tests.e2e.agreement import RECOVERY_S, assert_agreement, assert_kept, assert_recovery
from tests.e2e.background_load import paying
from tests.e2e.faults.links import linked_network

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_halves_decide_nothing_and_go_on_together(tmp_path: Path) -> None:
    """Two and two of four: no block on either side, for longer than any keepalive; blocks again once it is mended."""
    with linked_network(tmp_path / "network") as (network, links):
        with paying(network, network.nodes[0], "resident_1") as done:
            wait_for_height(network.nodes, 5, RECOVERY_S)
            links.cut(network.nodes[:2], network.nodes[2:])
            time.sleep(2.0)  # What was decided already reaches those that have its votes.
            before = [height_of(node) for node in network.nodes]
            time.sleep(40.0)
            assert [height_of(node) for node in network.nodes] == before
            links.mend()
            assert_recovery(network.nodes, max(before) + 3)
        assert_agreement(network)
        assert_kept(network, done)


def test_each_in_turn_is_cut_off(tmp_path: Path) -> None:
    """Three of four go on without the fourth, whoever it is; back on the network it catches up."""
    with linked_network(tmp_path / "network") as (network, links):
        with (
            paying(network, network.nodes[0], "resident_1") as first,
            paying(network, network.nodes[1], "resident_2") as second,
        ):
            for alone in network.nodes:
                others = [node for node in network.nodes if node is not alone]
                links.cut([alone], others)
                time.sleep(1.0)
                stood = height_of(alone)
                wait_for_height(others, max(map(height_of, others)) + 10, 60.0)
                assert height_of(alone) <= stood + 1
                links.mend()
                assert_recovery([alone], max(map(height_of, others)))
        assert_agreement(network)
        assert_kept(network, first)
        assert_kept(network, second)


def test_partitions_that_wander(tmp_path: Path) -> None:
    """Cuts that change every two seconds, most of them without a quorum anywhere: one story, and blocks at the end."""
    with linked_network(tmp_path / "network") as (network, links):
        a, b, c, d = network.nodes
        with paying(network, a, "resident_1") as done:
            wait_for_height(network.nodes, 3, RECOVERY_S)
            for some, others in (((a, b), (c, d)), ((a, c), (b, d)), ((a,), (b, c, d)), ((a, d), (b, c))) * 3:
                links.cut(some, others)
                time.sleep(2.0)
            links.mend()
            assert_recovery(network.nodes, max(map(height_of, network.nodes)) + 3)
        assert_agreement(network)
        assert_kept(network, done)


def test_slow_links_cost_time_and_no_rounds(tmp_path: Path) -> None:
    """150 ms each way, as across a continent: blocks keep coming, nearly all in round 0."""
    with linked_network(tmp_path / "network") as (network, links):
        links.delay_s = 0.15
        time.sleep(3.0)  # Sessions get used to it.
        with paying(network, network.nodes[0], "resident_1") as done:
            start = max(map(height_of, network.nodes))
            wait_for_height(network.nodes, start + 20, 90.0)
        with client_of(network.nodes[0]) as client:
            rounds = [client.commit(height).round for height in range(start + 1, start + 19)]
        assert sum(round_ == 0 for round_ in rounds) >= 16, rounds
        links.delay_s = 0.0
        assert_agreement(network)
        assert_kept(network, done)
