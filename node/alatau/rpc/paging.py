"""Page tokens and cursors: opaque to clients, bound to their request, checked before they are believed.

A token is base64url of 8 bytes of checksum and the RLP of a few numbers. The checksum is no secret: it catches a
token that was damaged, or is used with another request, and answers that with an error instead of a wrong page.
"""

import base64
import binascii

from google.protobuf.message import Message

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.rpc.failures import failure

_CHECKSUM_SIZE = 8
_TOKEN_SIZE_MAX = 256
"""Characters; five numbers of 64 bits take 72."""


def request_identity(request: Message) -> bytes:
    """What a page token is bound to: all fields of the request but those of paging."""
    copy = type(request)()
    copy.CopyFrom(request)
    copy.ClearField("page_token")
    copy.ClearField("page_size")
    return copy.DESCRIPTOR.full_name.encode() + copy.SerializeToString(deterministic=True)


def issue(identity: bytes, position: tuple[int, ...]) -> str:
    """The token of a position."""
    body = rlp.encode(position)
    return base64.urlsafe_b64encode(_checksum(identity, body) + body).decode().rstrip("=")


def redeem(token: str, identity: bytes, count: int, *, reason: str = "INVALID_PAGE_TOKEN") -> tuple[int, ...]:
    """The ``count`` numbers that a token holds.

    Raises:
        RpcError: the token is damaged, or was issued for another request.
    """
    refused = failure(reason, "the token was not issued for this request, or is damaged")
    if len(token) > _TOKEN_SIZE_MAX:
        raise refused
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        checksum, body = data[:_CHECKSUM_SIZE], data[_CHECKSUM_SIZE:]
        if checksum != _checksum(identity, body):
            raise refused
        return tuple(rlp.to_uint(item, 64) for item in rlp.to_list(rlp.decode(body), count))
    except (binascii.Error, ValueError) as error:
        raise refused from error


def _checksum(identity: bytes, body: bytes) -> bytes:
    return keccak256(identity + body)[:_CHECKSUM_SIZE]
