"""NodeService over TLS, health and reflection."""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from alatau.app.diagnosis import Level, of_signing
from alatau.artifacts.addresses import DAY_BOOK, OFFLINE_BONDS
from alatau.artifacts.artifact import load
from alatau.client import RpcError
from alatau.client.exchange import METHODS
from alatau.consensus.signing import Silence
from alatau.consensus.state_machine import Step as RoundStep
from alatau.crypto.keccak import keccak256
from alatau.pb.api.v1 import node_service_pb2
from alatau.rpc.node import PeerView, SyncState
from alatau.transport.certificates import trust_anchor
from alatau.types.genesis import GenesisContract
from alatau.types.header import header_hash
from alatau.wire.status import Seen, Step
from tests.support.round_view import VIEW as STALL_VIEW
from tests.support.solo_node import MERCHANT, VALIDATOR, Running, SoloNode, node_identity, running, solo_node

BUF = str(Path(sys.executable).parent / "buf")
SERVICES = {
    "alatau.api.v1.TransactionService",
    "alatau.api.v1.BlockService",
    "alatau.api.v1.StateService",
    "alatau.api.v1.EventService",
    "alatau.api.v1.NodeService",
}


@pytest.mark.trio
async def test_the_status_tells_network_tip_and_limits(node: SoloNode) -> None:
    """A client learns from it what to sign for and how much it may ask."""
    async with running(node) as served, served.connect() as client:
        node.commit_block()
        status = await client.status()
        assert (status.network, status.chain_id, status.height, status.fork) == ("test", 7773, 1, "osaka")
        assert status.genesis_hash == node.store.genesis_hash
        assert status.block_hash == header_hash(node.store.tip)
        assert status.sync_state is SyncState.SYNCED
        assert status.validator_address == VALIDATOR.address
        assert status.limits.batch_transactions_max == 2_048
        limits = status.limits
        assert (limits.streams_max, limits.waits_max) == (512, 2_048)
        assert limits.calls_max > limits.streams_max + limits.waits_max


@pytest.mark.trio
async def test_the_status_names_the_system_contracts_and_a_call_describes_them(tmp_path: Path) -> None:
    """Address and hash of the code there; ABI, storage layout, and whether the code is what they describe."""
    code = load("DayBook").creation(MERCHANT.address)
    contracts = [
        GenesisContract("DayBook", DAY_BOOK, code),
        GenesisContract("OfflineBonds", OFFLINE_BONDS, code),  # not what the name says
    ]
    node = solo_node(tmp_path, contracts=contracts)
    async with running(node) as served, served.connect() as client:
        known = (await client.status()).system_contracts
        assert [(contract.name, contract.address) for contract in known] == [
            ("OfflineBonds", OFFLINE_BONDS),
            ("DayBook", DAY_BOOK),
        ]
        assert known[1].code_hash == keccak256(await client.code(DAY_BOOK))
        interface = await client.system_contract("DayBook")
        assert interface.contract == known[1]
        assert interface.abi == load("DayBook").abi
        assert interface.storage_layout == load("DayBook").layout
        assert interface.matches
        assert not (await client.system_contract("OfflineBonds")).matches
        with pytest.raises(RpcError, match=r"name is none of this network's: OfflineBonds, DayBook"):
            await client.system_contract("ReserveVault")


@pytest.mark.trio
async def test_validators_of_a_height(node: SoloNode) -> None:
    """The set of the next height by default; its hash is the one that headers carry."""
    async with running(node) as served, served.connect() as client:
        at = await client.validators()
        assert at.height == 1
        assert at.validators == node.founders
        node.commit_block()
        assert (await client.block(1)).header.extra_data == (await client.validators(1)).validators.hash
        with pytest.raises(RpcError, match="HEIGHT_NOT_REACHED"):
            await client.validators(100)


@pytest.mark.trio
async def test_peers_come_in_pages(node: SoloNode) -> None:
    """Sorted by id, a page at a time."""
    node.known_peers = [
        PeerView(bytes([n]) * 20, f"peer {n}", "127.0.0.1:7001", True, n % 2 == 0, n, 100 * n, 0) for n in (3, 1, 2)
    ]
    async with running(node) as served, served.connect() as client:
        assert [peer.name for peer in await client.peers()] == ["peer 1", "peer 2", "peer 3"]
        request = node_service_pb2.ListPeersRequest(page_size=2)
        first = await client._channel.unary(METHODS["ListPeers"], request)
        assert len(first.peers) == 2
        request.page_token = first.next_page_token
        second = await client._channel.unary(METHODS["ListPeers"], request)
        assert ([peer.name for peer in second.peers], second.next_page_token) == (["peer 3"], "")


@pytest.mark.trio
async def test_the_consensus_state_says_what_it_waits_for(node: SoloNode) -> None:
    """Votes by validator, and a sentence for people."""
    node.view = replace(
        STALL_VIEW,
        height=1,
        step=RoundStep.PREVOTE,
        proposer=VALIDATOR.address,
        proposal_received=True,
        prevotes={VALIDATOR.address: None},
        validators=node.founders,
    )
    node.since_last_block_ms = 60_000
    async with running(node) as served, served.connect() as client:
        state = await client.consensus_state()
        assert (state.height, state.step, state.quorum_power, state.total_power) == (1, Step.PREVOTE, 7, 10)
        assert [(entry.prevote, entry.precommit, entry.connected) for entry in state.votes] == [
            (Seen.NIL, Seen.NOTHING, True)
        ]
        assert state.proposer is not None
        assert state.proposer.name == "Ministry of Tests"
        assert state.stalled
        assert "60.0 s ago" in state.explanation[-1]


@pytest.mark.trio
async def test_a_validator_that_does_not_sign_says_so_first(node: SoloNode) -> None:
    """In the status and the consensus state: the stable word, and the first sentence."""
    node.view = replace(STALL_VIEW, validators=node.founders, silence=Silence.NOT_ALLOWED)
    async with running(node) as served, served.connect() as client:
        status, state = await client.status(), await client.consensus_state()
        assert status.silence == state.silence == "sign_state_stale"
        assert "DOES NOT SIGN" in status.warnings[0]
        assert state.explanation[0] == status.warnings[0]
        verdict = of_signing(status)
        assert verdict.level is Level.FAILURE
        assert "resume-signing" in verdict.found
        node.view = None
        signing = await client.status()
        assert (signing.silence, signing.warnings) == ("", ())
        assert of_signing(signing).level is Level.OK


@pytest.mark.trio
async def test_before_consensus_the_state_says_so(node: SoloNode) -> None:
    """A node that catches up has no round, only words."""
    node.sync_state = SyncState.SYNCING
    async with running(node) as served, served.connect() as client:
        state = await client.consensus_state()
        assert (state.step, state.proposer, state.votes, state.stalled) == (Step.IDLE, None, (), False)
        assert len(state.explanation) == 1


def _channel(served: Running) -> grpc.Channel:
    tls = served.tls
    options = [("grpc.ssl_target_name_override", tls.server_name)]
    return grpc.secure_channel(served.endpoint, tls.credentials(), options)


def _described(served: Running) -> tuple[set[str], FileDescriptorProto]:
    """What reflection lists, and the file that it gives for one service."""
    with _channel(served) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        requests = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="alatau.api.v1.NodeService"),
            reflection_pb2.ServerReflectionRequest(file_by_filename="google/api/field_behavior.proto"),
        ]
        listed, described, imported = stub.ServerReflectionInfo(iter(requests), timeout=5)
        file = FileDescriptorProto.FromString(described.file_descriptor_response.file_descriptor_proto[0])
        assert b"field_behavior" in imported.file_descriptor_response.file_descriptor_proto[0]
        return {service.name for service in listed.list_services_response.service}, file


def _health(served: Running, service: str) -> int:
    with _channel(served) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        return health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status


@pytest.mark.trio
async def test_reflection_describes_every_service(node: SoloNode) -> None:
    """Tools such as grpcurl and buf curl find the services and their definitions."""
    async with running(node) as served:
        listed, file = await trio.to_thread.run_sync(partial(_described, served))
        assert listed == SERVICES | {
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        }
        assert [service.name for service in file.service] == ["NodeService"]


@pytest.mark.trio
async def test_health_follows_the_node(node: SoloNode) -> None:
    """Each service answers for itself; a node that is not ready says NOT_SERVING."""
    async with running(node) as served:
        for service in sorted(SERVICES):
            assert await trio.to_thread.run_sync(_health, served, service) == health_pb2.HealthCheckResponse.SERVING
        served.health.set_serving(False)
        await trio.sleep(0.05)
        state = await trio.to_thread.run_sync(_health, served, "alatau.api.v1.NodeService")
        assert state == health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.trio
async def test_buf_curl_asks_without_definitions(node: SoloNode, tmp_path: Path) -> None:
    """A foreign client (Go) finds the definitions by reflection, trusts the node's key, and reads errors."""
    authority = tmp_path / "ca.pem"
    authority.write_bytes(trust_anchor(node_identity().public_key))
    async with running(node) as served:

        async def ask(method: str, request: str) -> dict[str, Any]:
            url = f"https://{served.endpoint}/alatau.api.v1.{method}"
            command = [BUF, "curl", "--protocol", "grpc", "--cacert", str(authority), "-d", request, url]
            done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
            answer: dict[str, Any] = json.loads(done.stdout or done.stderr)
            return answer

        status = await ask("NodeService/GetStatus", "{}")
        assert (status["chainId"], status["syncState"]) == ("7773", "SYNC_STATE_SYNCED")
        refused = await ask("BlockService/GetBlock", '{"height": "99"}')
        assert refused["code"] == "not_found"
        assert refused["details"][0]["type"] == "google.rpc.ErrorInfo"
