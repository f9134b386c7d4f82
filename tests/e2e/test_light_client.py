"""What a client that trusts nothing but the genesis hash can do on a real network."""

from collections.abc import Sequence

import pytest

from alatau.artifacts import addresses
from alatau.client import LightClient
from alatau.wire.block import BlockView
from alatau_devnet import accounts
from alatau_devnet.network import Devnet, DevnetNode, start_nodes
from alatau_devnet.processes import kill_process
from alatau_devnet.watch import client_of, height_of, wait_for_height, wait_until
from tests.e2e.agreement import RECOVERY_S

pytestmark = pytest.mark.e2e


def test_state_is_proved_from_the_genesis_hash(recovering_network: Devnet) -> None:
    """Commits of four validators and trie proofs lead from genesis to a balance, on every node alike."""
    network = recovering_network
    payee = accounts.key_of("resident_2").address
    with client_of(network.nodes[0]) as client:
        wallet = client.wallet(accounts.key_of("resident_1"))
        genesis_hash = client.status().genesis_hash
        receipt = client.transfer(wallet, payee, 5)
    for node in network.nodes:
        wait_for_height((node,), receipt.position.height, RECOVERY_S)
        with client_of(node) as client:
            light = client.run(LightClient.anchored(network.chain_id, genesis_hash))
            account = client.run(light.account(payee))
            assert account == client.account(payee, light.trusted.header.number).account
            assert len(light.trusted.validators.validators) == 4
            token = client.run(light.account(addresses.SETTLEMENT_TOKEN))
            assert token is not None
            block = client.run(light.block(max(light.trusted.header.number, receipt.position.height)))
            assert block.hash == light.trusted.hash


def test_a_subscription_resumes_on_another_node(recovering_network: Devnet) -> None:
    """A client whose node is killed goes on with the next height elsewhere, without a gap or a repetition."""
    network = recovering_network
    heights = []
    with client_of(network.nodes[0]) as client, client.subscribe_blocks(0, BlockView.HEADER) as blocks:
        heights += [next(blocks).height for _ in range(3)]
    kill_process(network.nodes[0].home)
    with client_of(network.nodes[1]) as client, client.subscribe_blocks(heights[-1] + 1) as blocks:
        heights += [next(blocks).height for _ in range(2)]
    assert heights == list(range(5))
    start_nodes(network, (network.nodes[0],))
    wait_for_height((network.nodes[0],), height_of(network.nodes[1]), RECOVERY_S)


def test_a_stall_is_explained(recovering_network: Devnet) -> None:
    """With two of four validators down, a third says that no decision is possible and who is missing."""
    network = recovering_network
    for node in network.nodes[2:]:
        kill_process(node.home)
    with client_of(network.nodes[0]) as client:
        wallet = client.wallet(accounts.key_of("resident_1"))
        client.submit(wallet.sign(to=wallet.address, gas_limit=21_000))
    _assert_explained(network.nodes[0], network.nodes[2:])


def test_a_stall_is_explained_by_one_that_started_into_it(recovering_network: Devnet) -> None:
    """It has heard no quorum, takes no part yet, and says all the same who must come back."""
    network = recovering_network
    for node in (network.nodes[0], *network.nodes[2:]):
        kill_process(node.home)
    start_nodes(network, (network.nodes[0],))
    assert wait_until(lambda: height_of(network.nodes[0]) >= 0, RECOVERY_S)
    _assert_explained(network.nodes[0], network.nodes[2:])


def _assert_explained(asked: DevnetNode, away: Sequence[DevnetNode]) -> None:
    """Wait until ``asked`` says that nothing can be decided, and names those that are ``away``."""
    said: list[str] = []

    def explained() -> bool:
        with client_of(asked) as client:
            said[:] = client.consensus_state().explanation
        return "No decision is possible" in " ".join(said)

    assert wait_until(explained, RECOVERY_S), said
    assert all(node.name in " ".join(said) for node in away)
