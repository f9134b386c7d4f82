"""Page tokens and cursors: opaque to clients, bound to their request and network, checked before they are believed.

Both are base64url of 16 bytes of authentication and the RLP of a few numbers.

A **page token** is authenticated with a key of the node's own: only this node has issued it, for this method, these
fields and this network. It can therefore hold whatever a listing needs to go on, and nobody can make one up.

A **cursor** is for days, and for any node of the network: who follows logs goes on at another node where its own is
down. It says nothing but from which height on, which anybody may ask for in plain, so what it needs is no secret; its
checksum binds it to the filter and the network, and answers one that is damaged or belongs elsewhere with an error
instead of a stream with a gap in it.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from google.protobuf.message import Message

from alatau.codec import rlp
from alatau.rpc.failures import failure
from alatau.storage.store import Store
from alatau.transport.errors import FieldViolation

_CHECKSUM_SIZE = 16
_TOKEN_SIZE_MAX = 256
"""Characters; five numbers of 64 bits take 83."""
_CURSOR_KEY = b"alatau.api.v1.SubscribeLogs cursor"
"""Known to everybody: see above."""


class Tokens:
    """Issues and redeems the tokens of one node."""

    def __init__(self, store: Store, key: bytes | None = None) -> None:
        """With ``key``, at least 16 secret bytes, tokens stay good over restarts; without, for this process."""
        self._store = store
        self._key = secrets.token_bytes(32) if key is None else key

    def issue(self, identity: bytes, position: Sequence[int]) -> str:
        """The page token of a position."""
        return self._issue(self._key, identity, position)

    def redeem(self, token: str, identity: bytes, count: int) -> tuple[int, ...]:
        """The ``count`` numbers that a page token holds; raises INVALID_PAGE_TOKEN."""
        return self._redeem(self._key, token, identity, count, "INVALID_PAGE_TOKEN", "page_token")

    def issue_cursor(self, identity: bytes, height: int, log_index: int = 0) -> str:
        """The cursor that goes on at a log of a height."""
        return self._issue(_CURSOR_KEY, identity, (height, log_index))

    def redeem_cursor(self, token: str, identity: bytes) -> tuple[int, int]:
        """The height, and the index of the log in its block, at which a cursor goes on; raises INVALID_CURSOR."""
        height, log_index = self._redeem(_CURSOR_KEY, token, identity, 2, "INVALID_CURSOR", "cursor")
        return height, log_index

    def _issue(self, key: bytes, identity: bytes, position: Sequence[int]) -> str:
        body = rlp.encode(tuple(position))
        return base64.urlsafe_b64encode(self._checksum(key, identity, body) + body).decode().rstrip("=")

    def _redeem(self, key: bytes, token: str, identity: bytes, count: int, reason: str, field: str) -> tuple[int, ...]:
        wrong = "was not issued for this request by this network, or is damaged"
        refused = failure(reason, f"the token {wrong}", violations=[FieldViolation(field, wrong, reason)])
        if len(token) > _TOKEN_SIZE_MAX:
            raise refused
        try:
            data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            checksum, body = data[:_CHECKSUM_SIZE], data[_CHECKSUM_SIZE:]
            if not hmac.compare_digest(checksum, self._checksum(key, identity, body)):
                raise refused
            return tuple(rlp.to_uint(item, 64) for item in rlp.to_list(rlp.decode(body), count))
        except (binascii.Error, ValueError) as error:
            raise refused from error

    def _checksum(self, key: bytes, identity: bytes, body: bytes) -> bytes:
        message = rlp.encode((self._store.genesis_hash or b"", identity, body))
        return hmac.digest(key, message, hashlib.sha256)[:_CHECKSUM_SIZE]


def request_identity(request: Message) -> bytes:
    """What a page token is bound to: the method's request and all its fields but those of paging."""
    copy = type(request)()
    copy.CopyFrom(request)
    copy.ClearField("page_token")
    copy.ClearField("page_size")
    return copy.DESCRIPTOR.full_name.encode() + b"\0" + copy.SerializeToString(deterministic=True)


def filter_identity(addresses: Sequence[bytes], topics: Sequence[Sequence[bytes]]) -> bytes:
    """What a log cursor is bound to: the conditions, in whatever order their values were given."""
    positions = [sorted(set(position)) for position in topics]
    while positions and not positions[-1]:
        positions.pop()
    return rlp.encode((sorted(set(addresses)), positions))
