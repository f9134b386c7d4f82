"""Health and reflection, asked with grpc's own stubs' messages."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from alatau.p2p.methods import PEER_SERVICE
from alatau.transport.errors import Code, RpcError
from alatau.transport.health import Health
from alatau.transport.holdings import CALL_BYTES
from alatau.transport.reflection import REFLECTION_SERVICES
from alatau.transport.service import methods
from tests.support.echo import UNARY, rig, value
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]
_HEALTH = methods(health_pb2.DESCRIPTOR.services_by_name["Health"])
_REFLECTION = methods(reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"])
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def test_health_is_told_for_each_service(drive: Drive) -> None:
    """A node that syncs says NOT_SERVING for what it cannot answer, and SERVING again afterwards."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:

            async def status(service: str) -> int:
                request = health_pb2.HealthCheckRequest(service=service)
                return (await channel.unary(_HEALTH["Check"], request)).status

            assert await status("test.Echo") == await status("") == _SERVING
            r.health.set_serving(False, ["test.Echo"])
            assert await status("test.Echo") == _NOT_SERVING
            assert await status("") == _SERVING
            assert not r.health.is_serving("test.Echo")
            r.health.set_serving(True)
            assert await status("test.Echo") == _SERVING
            with pytest.raises(RpcError) as caught:
                await status("test.Other")
            assert caught.value.code is Code.NOT_FOUND

    drive(main)


def test_a_watcher_hears_of_changes(drive: Drive) -> None:
    """As load balancers want it."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            request = health_pb2.HealthCheckRequest(service="test.Echo")
            async with channel.stream(_HEALTH["Watch"], request) as stream:
                assert (await anext(stream)).status == _SERVING
                r.health.set_serving(False)
                assert (await anext(stream)).status == _NOT_SERVING
            await eventually(lambda: r.server.calls_under_way == 0)

    drive(main)


def test_streams_of_the_standard_services_are_bounded_for_each_caller(drive: Drive) -> None:
    """Their libraries know no bound; a stream that ends makes room for another."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel, AsyncExitStack() as stack:
            for _ in range(32):
                watch = await stack.enter_async_context(
                    channel.stream(_HEALTH["Watch"], health_pb2.HealthCheckRequest())
                )
                await anext(watch)
            with pytest.raises(RpcError) as caught:
                async with channel.stream(_REFLECTION["ServerReflectionInfo"]) as reflected:
                    await anext(reflected)
            assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
            await channel.unary(_HEALTH["Check"], health_pb2.HealthCheckRequest())
            await stack.aclose()
            await eventually(lambda: r.server.held_bytes < CALL_BYTES)
            async with channel.stream(_HEALTH["Watch"], health_pb2.HealthCheckRequest()) as watch:
                await anext(watch)

    drive(main)


def test_health_can_be_set_before_the_server_listens() -> None:
    """A node starts as not serving."""
    health = Health(serving=False)
    assert not health.is_serving("test.Echo")
    health.set_serving(True, ["test.Echo"])
    assert health.is_serving("test.Echo")
    assert not health.is_serving()


def test_the_health_of_all_services_comes_in_one_answer(drive: Drive) -> None:
    """Health/List: each service, and under the empty name the server."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:

            async def statuses() -> dict[str, int]:
                answer = await channel.unary(_HEALTH["List"], health_pb2.HealthListRequest())
                return {name: entry.status for name, entry in answer.statuses.items()}

            assert await statuses() == {"": _SERVING, "test.Echo": _SERVING}
            r.health.set_serving(False, ["test.Echo"])
            assert await statuses() == {"": _SERVING, "test.Echo": _NOT_SERVING}

    drive(main)


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_answers_in_both_versions(drive: Drive, version: str) -> None:
    """Newer tools ask v1 only. It describes itself, and nothing that no service told of needs."""
    name = f"grpc.reflection.{version}.ServerReflection"
    method = replace(_REFLECTION["ServerReflectionInfo"], path=f"/{name}/ServerReflectionInfo")

    async def main() -> None:
        async with rig() as r, r.channel() as channel, channel.stream(method) as stream:
            await stream.send(reflection_pb2.ServerReflectionRequest(file_containing_symbol=name))
            described = (await anext(stream)).file_descriptor_response.file_descriptor_proto
            file = FileDescriptorProto.FromString(described[0])
            info = file.service[0].method[0]
            assert (f"{file.package}.{file.service[0].name}", info.name) == (name, "ServerReflectionInfo")
            assert info.input_type == f".grpc.reflection.{version}.ServerReflectionRequest"
            assert file.message_type[0].field[-1].type_name in ("", f".grpc.reflection.{version}.ExtensionRequest")
            hidden = PEER_SERVICE.full_name
            await stream.send(reflection_pb2.ServerReflectionRequest(file_containing_symbol=hidden))
            assert (await anext(stream)).error_response.error_code == Code.NOT_FOUND.value

    drive(main)


def test_a_service_of_nodes_is_served_but_not_described(drive: Drive) -> None:
    """The client port takes introductions of observers, which is no client's business."""

    async def main() -> None:
        async with rig(described=False) as r, r.channel() as channel:
            assert (await channel.unary(UNARY, value(b"hello"))).value == b"hello"
            async with channel.stream(_REFLECTION["ServerReflectionInfo"]) as stream:
                await stream.send(reflection_pb2.ServerReflectionRequest(list_services=""))
                names = {service.name for service in (await anext(stream)).list_services_response.service}
                assert names == {"grpc.health.v1.Health", *REFLECTION_SERVICES}

    drive(main)


def test_reflection_names_the_services(drive: Drive) -> None:
    """What ``grpcurl list`` shows."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            async with channel.stream(_REFLECTION["ServerReflectionInfo"]) as stream:
                await stream.send(reflection_pb2.ServerReflectionRequest(list_services=""))
                answer = await anext(stream)
                names = {service.name for service in answer.list_services_response.service}
                assert {"test.Echo", "grpc.health.v1.Health"} <= names
            assert r.server.calls_started == 0

    drive(main)
