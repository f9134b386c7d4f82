"""How members get to know the keys behind the hashes that the registry keeps.

A validator's key is learnt from its endpoint (``transport.key_discovery``). An observer has none; it introduces
itself to one node, on a listener that asks for no certificate, and the members tell each other.
"""

from collections.abc import Callable, Iterable
from typing import Final

from google.protobuf.descriptor import ServiceDescriptor

from alatau.p2p.methods import within_bounds
from alatau.pb.p2p.v1 import introduction_service_pb2 as _pb
from alatau.transport.call import Call
from alatau.transport.certificates import NODE_NAME, trust_anchor
from alatau.transport.channel import open_channel
from alatau.transport.credentials import ClientTls
from alatau.transport.errors import Code, RpcError
from alatau.transport.service import Service, bind, methods

_SERVICE: Final[ServiceDescriptor] = _pb.DESCRIPTOR.services_by_name["IntroductionService"]
_INTRODUCE = methods(_SERVICE, within_bounds)["Introduce"]
_TIMEOUT_S = 10.0


class IntroductionHandlers:
    """Serves ``IntroductionService``."""

    def __init__(self, learn: Callable[[bytes], bool]) -> None:
        self._learn = learn

    async def introduce(self, request: _pb.IntroduceRequest, _call: Call) -> _pb.IntroduceResponse:
        """Take a key (SubjectPublicKeyInfo, DER) whose hash is registered."""
        if not self._learn(request.public_key):
            raise RpcError(
                Code.PERMISSION_DENIED, "the registry admits no member with this key", reason="KEY_NOT_TRUSTED"
            )
        return _pb.IntroduceResponse()


def introduction_service(learn: Callable[[bytes], bool]) -> Service:
    """The service, for a listener without client certificates; ``learn`` is ``Network.learn_key``."""
    return bind(_SERVICE, IntroductionHandlers(learn), within_bounds, described=False)


async def introduce(own_public_key: bytes, target: str, node_public_keys: Iterable[bytes]) -> None:
    """Tell our key to the node at ``target``, a listener without client certificates, that has one of these keys.

    Raises:
        RpcError: KEY_NOT_TRUSTED until the registry has the hash; UNAVAILABLE where none of the nodes answers.
    """
    tls = ClientTls(b"".join(map(trust_anchor, node_public_keys)), server_name=NODE_NAME)
    async with open_channel(target, tls) as channel:
        await channel.unary(_INTRODUCE, _pb.IntroduceRequest(public_key=own_public_key), timeout_s=_TIMEOUT_S)
