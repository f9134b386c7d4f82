"""The descriptor of ``PeerService``: which methods there are and what they carry."""

from typing import Final

from google.protobuf.descriptor import ServiceDescriptor

from alatau.pb.p2p.v1 import peer_service_pb2

PEER_SERVICE: Final[ServiceDescriptor] = peer_service_pb2.DESCRIPTOR.services_by_name["PeerService"]
