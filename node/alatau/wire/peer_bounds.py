"""What a message of a peer may hold: one table, in which every field that could be long has its bound.

A message that exceeds it is refused before it is parsed (``wire.bounds``), and its sender is dropped.
"""

from collections.abc import Mapping
from typing import Final

from alatau.pb.p2p.v1 import introduction_service_pb2, peer_service_pb2
from alatau.types.validator import VALIDATORS_MAX
from alatau.wire.bounds import Bound, Bounds, Plan, check, plan

VOTES_MAX: Final = 2 * VALIDATORS_MAX
"""Votes in one message: prevotes and precommits of the largest set."""
COMMIT_SIGNATURES_MAX: Final = VALIDATORS_MAX
KEYS_MAX: Final = 1_024
"""Keys in one message: every member of a large network."""
KEY_BYTES_MAX: Final = 128
"""A P-256 key takes 91."""
AGENT_BYTES_MAX: Final = 128
REASON_BYTES_MAX: Final = 64
DETAIL_BYTES_MAX: Final = 512
TRANSACTIONS_MAX: Final = 1_024
"""Transactions in a batch: twice what a node sends."""
TRANSACTION_BYTES_MAX: Final = 128 * 1024
"""Longest transaction passed on; the pool's own limit, which every Ethereum client shares."""
BATCH_BYTES_MAX: Final = 1024 * 1024
"""Longest batch: four times what a node sends, or eight of the longest transactions."""
RECIPIENTS_MAX: Final = 1_024
BLOCK_BYTES_MAX: Final = 64 * 1024 * 1024
"""The most that a genesis can allow; the receiver's own limit for all messages is by what its genesis allows."""

_HASH: Final = Bound(32)
_ADDRESS: Final = Bound(20)
_SIGNATURE: Final = Bound(65)
_BLOCK: Final = Bound(BLOCK_BYTES_MAX, reason="BLOCK_TOO_LARGE")

BOUNDS: Final[Bounds] = {
    "alatau.types.v1.Vote": {"block_hash": _HASH, "validator": _ADDRESS, "signature": _SIGNATURE},
    "alatau.types.v1.Proposal": {"block_hash": _HASH, "proposer": _ADDRESS, "signature": _SIGNATURE},
    "alatau.types.v1.CommitSignature": {"validator": _ADDRESS, "signature": _SIGNATURE},
    "alatau.types.v1.Commit": {"block_hash": _HASH, "signatures": Bound(count_max=COMMIT_SIGNATURES_MAX)},
    "alatau.p2p.v1.Hello": {"genesis_hash": _HASH, "agent": Bound(AGENT_BYTES_MAX), "genesis_file_hash": _HASH},
    "alatau.p2p.v1.Goodbye": {"reason": Bound(REASON_BYTES_MAX), "detail": Bound(DETAIL_BYTES_MAX)},
    "alatau.p2p.v1.Votes": {"votes": Bound(count_max=VOTES_MAX)},
    "alatau.p2p.v1.RoundCertificate": {"votes": Bound(count_max=VOTES_MAX)},
    "alatau.p2p.v1.Status": {"tip_hash": _HASH},
    "alatau.p2p.v1.ProposalRequest": {"block_hash": _HASH},
    "alatau.p2p.v1.PublicKeys": {"keys": Bound(KEY_BYTES_MAX, KEYS_MAX)},
    "alatau.p2p.v1.ProposedBlock": {"block": _BLOCK, "proof_of_lock": Bound(count_max=VOTES_MAX)},
    "alatau.p2p.v1.TransactionsRequest": {"batch": Bound(BATCH_BYTES_MAX)},
    "alatau.p2p.v1.TransactionsResponse": {"batch": Bound(BATCH_BYTES_MAX)},
    "alatau.p2p.v1.TransactionBatch": {
        "transactions": Bound(TRANSACTION_BYTES_MAX, TRANSACTIONS_MAX),
        "recipients": Bound(32, RECIPIENTS_MAX),
    },
    "alatau.p2p.v1.FetchBlocksResponse": {"block": _BLOCK},
    "alatau.p2p.v1.IntroduceRequest": {"public_key": Bound(KEY_BYTES_MAX)},
}


def _plans() -> Mapping[str, Plan]:
    services = (
        *peer_service_pb2.DESCRIPTOR.services_by_name.values(),
        *introduction_service_pb2.DESCRIPTOR.services_by_name.values(),
    )
    messages = [m for s in services for method in s.methods for m in (method.input_type, method.output_type)]
    return {message.full_name: plan(message, BOUNDS) for message in messages}


PLANS: Final = _plans()
"""Of every message that a method takes or gives, by its full name."""


def check_peer_message(name: str, data: bytes) -> None:
    """Refuse bytes that are no message of that full name, or one beyond its bounds; raises ``WireError``."""
    check(PLANS[name], data)
