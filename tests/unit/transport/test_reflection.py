"""Which file reflection gives for a symbol, asked as tools ask it, in both versions."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from alatau.transport.channel import Channel
from alatau.transport.errors import Code
from alatau.transport.reflection import REFLECTION_SERVICES, Symbols
from alatau.transport.service import methods
from tests.support.echo import rig

Drive = Callable[[Callable[[], Awaitable[None]]], None]
_INFO = methods(reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"])["ServerReflectionInfo"]
_FILES = (health_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR, status_pb2.DESCRIPTOR)


def _symbols(file: FileDescriptor) -> Iterator[str]:
    """Every name that the protocol lets one ask for."""
    for service in file.services_by_name.values():
        yield service.full_name
        for method in service.methods:
            yield f"{service.full_name}.{method.name}"
            yield f"{service.full_name}/{method.name}"
    for enum in file.enum_types_by_name.values():
        yield from _of_enum(enum, file.package)
    for message in file.message_types_by_name.values():
        yield from _of_message(message)


def _of_message(message: Descriptor) -> Iterator[str]:
    yield message.full_name
    yield from (member.full_name for member in (*message.fields, *message.oneofs))
    for enum in message.enum_types:
        yield from _of_enum(enum, message.full_name)
    for nested in message.nested_types:
        yield from _of_message(nested)


def _of_enum(enum: EnumDescriptor, scope: str) -> Iterator[str]:
    yield enum.full_name
    yield from (f"{scope}.{value.name}" for value in enum.values)


async def _files(channel: Channel, version: str, requests: list[reflection_pb2.ServerReflectionRequest]) -> list[str]:
    """The name of the file that each request is answered with; of an error, its code."""
    answers = []
    async with channel.stream(replace(_INFO, path=f"/{version}/ServerReflectionInfo")) as stream:
        for request in requests:
            await stream.send(request)
            answer = await anext(stream)
            assert answer.original_request == request
            described = answer.file_descriptor_response.file_descriptor_proto
            answers.append(FileDescriptorProto.FromString(described[0]).name if described else _code(answer))
    return answers


def _code(answer: reflection_pb2.ServerReflectionResponse) -> str:
    return Code(answer.error_response.error_code).name


@pytest.mark.parametrize("version", REFLECTION_SERVICES)
def test_every_kind_of_symbol_is_found(drive: Drive, version: str) -> None:
    """Services, methods in both forms, messages, nested ones, fields, oneofs, enums and their values."""
    expected = {symbol: file.name for file in _FILES for symbol in _symbols(file)}
    assert {"grpc.health.v1.Health.Check", "grpc.health.v1.Health/Check"} < set(expected)
    assert {"grpc.health.v1.HealthCheckResponse.SERVING", "google.rpc.ErrorInfo.MetadataEntry"} < set(expected)

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            requests = [reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol) for symbol in expected]
            assert dict(zip(expected, await _files(channel, version, requests), strict=True)) == expected

    drive(main)


@pytest.mark.parametrize("version", REFLECTION_SERVICES)
def test_what_is_not_there_is_not_found(drive: Drive, version: str) -> None:
    """And the stream goes on; a request for nothing is no request."""
    names = (
        "", ".", "/", "grpc.health.v1", "Health", "grpc.health.v1.Health.", "grpc.health.v1.Health.check",
        "grpc.health.v1.Health.Check.Check", "grpc.health.v1.HealthCheckRequest.Check",
        "grpc.health.v1.Health/" + "x" * 5_000,
    )  # fmt: skip

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            requests = [reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in names]
            answers = await _files(channel, version, [*requests, reflection_pb2.ServerReflectionRequest()])
            assert answers == ["NOT_FOUND"] * len(names) + ["INVALID_ARGUMENT"]

    drive(main)


@pytest.mark.parametrize("version", REFLECTION_SERVICES)
def test_files_come_by_name_with_all_that_they_import(drive: Drive, version: str) -> None:
    """What errors carry is there too: tools print it."""

    async def main() -> None:
        async with rig() as r, r.channel() as channel:
            requests = [
                reflection_pb2.ServerReflectionRequest(file_by_filename=name)
                for name in ("google/rpc/status.proto", "google/protobuf/any.proto", "none.proto")
            ]
            answers = await _files(channel, version, requests)
            assert answers == ["google/rpc/status.proto", "google/protobuf/any.proto", "NOT_FOUND"]

    drive(main)


def test_extensions_are_found_by_name_and_number() -> None:
    """The API has none; a file that has one is found by both."""
    pool = DescriptorPool()
    file = FileDescriptorProto(name="kite.proto", package="kite", syntax="proto2")
    base = file.message_type.add(name="Kite")
    base.extension_range.add(start=100, end=200)
    file.extension.add(name="tail", number=100, label=1, type=9, extendee=".kite.Kite")
    pool.AddSerializedFile(file.SerializeToString())
    symbols = Symbols(pool)
    assert symbols.FindFileContainingSymbol("kite.tail").name == "kite.proto"
    message = symbols.FindMessageTypeByName("kite.Kite")
    assert symbols.FindExtensionByNumber(message, 100).full_name == "kite.tail"
    assert [extension.number for extension in symbols.FindAllExtensions(message)] == [100]
