"""What a party signs to a hub besides money: that a connection is its own, that it may see its statement."""

from typing import Final

from alatau.channels.messages import Domain, uint_word
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest

_ATTACH_TYPE: Final = type_hash("Attach(bytes32 channelId,bytes32 challenge)")
_STATEMENT_TYPE: Final = type_hash("Statement(bytes32 channelId,uint256 time)")


def attach_digest(domain: Domain, channel_id: bytes, challenge: bytes) -> bytes:
    """What is signed to attach; ``challenge`` is 32 bytes that the hub drew for this connection."""
    return typed_digest(domain.separator, struct_hash(_ATTACH_TYPE, channel_id, challenge))


def statement_digest(domain: Domain, channel_id: bytes, time: int) -> bytes:
    """What is signed to read a statement at ``time``, seconds since 1970."""
    return typed_digest(domain.separator, struct_hash(_STATEMENT_TYPE, channel_id, uint_word(time)))
