"""What a tower stores, as bytes: RLP lists, frozen by ``tests/unit/tower/test_records.py``.

=================  =====================================================================================
record             fields, in order
=================  =====================================================================================
channel            a, b, salt, phase, settle block, settle time, submitted of a, of b, settled block
submitted          nonce, locks
lock               secret hash, amount, expiry block
protection         payer, nonce, transferred, locks, signature, receipt (the channel is in the key)
close request      party, deadline, signature (the channel is in the key)
=================  =====================================================================================
"""

from collections.abc import Sequence
from typing import Final

from alatau.channels.messages import CloseRequest, Lock, Parties, SignedVoucher, Voucher
from alatau.channels.protection import Protection, SignedCloseRequest
from alatau.channels.state import Phase, Window
from alatau.channels.watching import Submitted, WatchedChannel
from alatau.codec import rlp

_PHASES: Final = {Phase.OPEN: 0, Phase.CLOSING: 1, Phase.SETTLED: 2}
_PHASE_OF: Final = {number: phase for phase, number in _PHASES.items()}


def encode_channel(channel: WatchedChannel) -> bytes:
    """A channel as the chain tells it."""
    parties, window = channel.parties, channel.window or Window(0, 0)
    return rlp.encode(
        [
            *(parties.a, parties.b, parties.salt),
            _PHASES[channel.phase],
            *(window.settle_block, window.settle_time),
            *(_submitted_item(channel.ab), _submitted_item(channel.ba)),
            channel.settled_block,
        ]
    )


def decode_channel(data: bytes) -> WatchedChannel:
    """The same back; raises ``RlpError`` for bytes that this program has not written."""
    a, b, salt, phase, block, time, ab, ba, settled = rlp.to_list(rlp.decode(data), 9)
    window = Window(rlp.to_uint(block, 64), rlp.to_uint(time))
    return WatchedChannel(
        Parties(rlp.to_bytes(a, 20), rlp.to_bytes(b, 20), rlp.to_bytes(salt, 32)),
        _PHASE_OF[rlp.to_uint(phase, 8)],
        window if window.settle_block else None,
        _read_submitted(ab),
        _read_submitted(ba),
        rlp.to_uint(settled, 64),
    )


def encode_protection(protection: Protection) -> bytes:
    """A voucher with its receipt."""
    voucher = protection.voucher
    return rlp.encode(
        [
            voucher.payer,
            voucher.nonce,
            voucher.transferred,
            _lock_items(voucher.locks),
            protection.signed.signature,
            protection.receipt,
        ]
    )


def decode_protection(channel_id: bytes, parties: Parties, data: bytes) -> Protection:
    """The same back, of the channel whose key it lay under; raises ``RlpError``."""
    payer, nonce, transferred, locks, signature, receipt = rlp.to_list(rlp.decode(data), 6)
    voucher = Voucher(
        channel_id, rlp.to_bytes(payer, 20), rlp.to_uint(nonce, 64), rlp.to_uint(transferred), _read_locks(locks)
    )
    return Protection(parties, SignedVoucher(voucher, rlp.to_bytes(signature)), rlp.to_bytes(receipt))


def encode_close_request(signed: SignedCloseRequest) -> bytes:
    """A party's request to close."""
    return rlp.encode([signed.request.party, signed.request.deadline, signed.signature])


def decode_close_request(channel_id: bytes, parties: Parties, data: bytes) -> SignedCloseRequest:
    """The same back; raises ``RlpError``."""
    party, deadline, signature = rlp.to_list(rlp.decode(data), 3)
    request = CloseRequest(channel_id, rlp.to_bytes(party, 20), rlp.to_uint(deadline, 64))
    return SignedCloseRequest(parties, request, rlp.to_bytes(signature))


def _submitted_item(submitted: Submitted) -> rlp.Item:
    return [submitted.nonce, _lock_items(submitted.locks)]


def _read_submitted(item: rlp.Decoded) -> Submitted:
    nonce, locks = rlp.to_list(item, 2)
    return Submitted(rlp.to_uint(nonce, 64), _read_locks(locks))


def _lock_items(locks: Sequence[Lock]) -> rlp.Item:
    return [[lock.secret_hash, lock.amount, lock.expiry_block] for lock in locks]


def _read_locks(item: rlp.Decoded) -> tuple[Lock, ...]:
    locks = []
    for entry in rlp.to_list(item):
        secret_hash, amount, expiry_block = rlp.to_list(entry, 3)
        locks.append(Lock(rlp.to_bytes(secret_hash, 32), rlp.to_uint(amount), rlp.to_uint(expiry_block, 64)))
    return tuple(locks)
