"""What a party signs to a hub besides money: that a connection is its own, that it may see its statement."""

from typing import Final

from alatau.channels.delegation import is_by_device, lent_cap
from alatau.channels.messages import Domain, signed_by, uint_word
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest

_ATTACH_TYPE: Final = type_hash("Attach(bytes32 channelId,bytes32 challenge)")
_STATEMENT_TYPE: Final = type_hash("Statement(bytes32 channelId,uint256 time)")


def attach_digest(domain: Domain, channel_id: bytes, challenge: bytes) -> bytes:
    """What is signed to attach; ``challenge`` is 32 bytes that the hub drew for this connection."""
    return typed_digest(domain.separator, struct_hash(_ATTACH_TYPE, channel_id, challenge))


def statement_digest(domain: Domain, channel_id: bytes, time: int) -> bytes:
    """What is signed to read a statement at ``time``, seconds since 1970."""
    return typed_digest(domain.separator, struct_hash(_STATEMENT_TYPE, channel_id, uint_word(time)))


def attached_by(domain: Domain, channel_id: bytes, digest: bytes, signature: bytes, party: bytes) -> bool:
    """Whether the party itself, or a device that it lent anything to in this channel, signed to attach.

    A device may: it pays from the channel without asking its owner, and has to see what it pays from. What it learns
    and can keep busy is what the owner's phone has anyway; it signs nothing by it that the cap does not bound.
    """
    if not is_by_device(signature):
        return signed_by(digest, signature, party, domain.rp_id_hash)
    return lent_cap(domain, channel_id, party, digest, signature) is not None
