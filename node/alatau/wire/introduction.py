"""A node's key, told to those who know only its hash."""

from typing import Final

from google.protobuf.descriptor import ServiceDescriptor

from alatau.pb.p2p.v1 import introduction_service_pb2

INTRODUCTION_SERVICE: Final[ServiceDescriptor] = introduction_service_pb2.DESCRIPTOR.services_by_name[
    "IntroductionService"
]


def write_introduction(public_key: bytes) -> introduction_service_pb2.IntroduceRequest:
    """The request."""
    return introduction_service_pb2.IntroduceRequest(public_key=public_key)


def read_introduction(request: introduction_service_pb2.IntroduceRequest) -> bytes:
    """The key (SubjectPublicKeyInfo, DER) that the request brings."""
    return request.public_key


def introduced() -> introduction_service_pb2.IntroduceResponse:
    """The answer."""
    return introduction_service_pb2.IntroduceResponse()
