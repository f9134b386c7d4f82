"""Server reflection, versions v1 and v1alpha, of the services that a server tells of and of nothing else.

Both versions are the same messages under two names (https://grpc.io/docs/guides/reflection/); the library has v1alpha
only, so v1 is its handler under the other path, with a descriptor made of the other's. What answers come from is a pool
of its own: the process's knows the messages of peers too. It also has what errors carry, so that tools can print it.
"""

from collections.abc import Sequence
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

REFLECTION_SERVICES: Final = ("grpc.reflection.v1.ServerReflection", reflection.SERVICE_NAME)
"""Full names, the newer first."""
_METHOD: Final = "ServerReflectionInfo"


def reflection_handlers(services: Sequence[str]) -> dict[str, grpc.RpcMethodHandler]:
    """Handlers by path that tell of ``services``, of health and of themselves."""
    names = [*services, health.SERVICE_NAME, *REFLECTION_SERVICES]
    servicer = reflection.aio.ReflectionServicer(names, Symbols(_pool_of(services)))
    taken: dict[str, grpc.RpcMethodHandler] = {}

    class _Taker:
        """What generated code adds its handlers to."""

        def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
            """Adds nothing: the same come by name."""

        def add_registered_method_handlers(self, _service: str, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
            """Take them."""
            taken.update(handlers)

    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, _Taker())
    return {f"/{name}/{_METHOD}": taken[_METHOD] for name in REFLECTION_SERVICES}


class Symbols:
    """A pool that finds every kind of symbol that the protocol has; asked by the library under the pool's own names."""

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self._pool = pool
        self.FindFileByName = pool.FindFileByName
        self.FindMessageTypeByName = pool.FindMessageTypeByName
        self.FindExtensionByNumber = pool.FindExtensionByNumber
        self.FindAllExtensions = pool.FindAllExtensions

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802  the library's name
        """The file that defines a service, message, enum or one of its values, field or extension; or a method.

        The pool knows no methods, which tools ask for as ``package.Service.Method`` or, as on the wire,
        ``package.Service/Method``.

        Raises:
            KeyError: nothing has this name.
        """
        service, _, method = symbol.replace("/", ".").rpartition(".")
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            found = self._pool.FindServiceByName(service)
        return found.methods_by_name[method].containing_service.file


def _pool_of(services: Sequence[str]) -> descriptor_pool.DescriptorPool:
    """A pool with the files that define ``services``, health, reflection and errors, and what those import."""
    pool, known, added = descriptor_pool.DescriptorPool(), descriptor_pool.Default(), set[str]()

    def add(file: FileDescriptor) -> None:
        if file.name in added:
            return
        added.add(file.name)
        for dependency in file.dependencies:
            add(dependency)
        pool.AddSerializedFile(file.serialized_pb)

    for name in services:
        try:
            add(known.FindServiceByName(name).file)
        except KeyError:  # served without a definition, as in tests
            continue
    for file in (health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR, status_pb2.DESCRIPTOR):
        add(file)
    pool.AddSerializedFile(_version_1().SerializeToString())
    return pool


def _version_1() -> FileDescriptorProto:
    """The definition of v1: that of v1alpha in another package."""
    file = FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
    file.name, file.package = "grpc/reflection/v1/reflection.proto", "grpc.reflection.v1"
    for message in file.message_type:
        for field in (field for field in message.field if field.type_name):
            field.type_name = _renamed(field.type_name)
    for service in file.service:
        for method in service.method:
            method.input_type, method.output_type = _renamed(method.input_type), _renamed(method.output_type)
    return file


def _renamed(type_name: str) -> str:
    return type_name.replace(".grpc.reflection.v1alpha.", ".grpc.reflection.v1.", 1)
