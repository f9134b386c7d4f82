"""Bad transactions submitted to a real node: each has its reason, and what was accepted before is kept."""

from typing import Any

import pytest

from alatau.client import RpcError, SyncClient
from alatau.client.submitting import Refused
from alatau.codec import rlp
from alatau.crypto.secp256k1 import ORDER, PrivateKey
from alatau.types.transaction import TransactionType
from alatau_devnet import accounts
from alatau_devnet.network import Devnet
from alatau_devnet.watch import client_of
from tests.support.transactions import signed

pytestmark = pytest.mark.e2e

SENDER = accounts.key_of("resident_1")
STRANGER = PrivateKey(b"\x77" * 32)
"""Nobody registered it."""


def payment(network: int, key: PrivateKey = SENDER, **changes: Any) -> bytes:
    """A signed transfer of nothing on a network, or what ``changes`` make of it."""
    terms = {"chain_id": network, "gas_limit": 60_000, "to": SENDER.address, "value": 0}
    return signed(key, **terms | changes).encoded


def high_s(raw: bytes) -> bytes:
    """The same transaction with the other, malleable signature."""
    s = int.from_bytes(raw[-32:], "big")
    return raw[:-32] + (ORDER - s).to_bytes(32, "big")


def without_signature(raw: bytes) -> bytes:
    """The same transaction with r and s zero."""
    fields = rlp.decode_list(raw[1:])
    return raw[:1] + rlp.encode([*fields[:-2], b"", b""])


def reason_of(client: SyncClient, raw: bytes) -> str | None:
    """Why the node refuses a transaction; None if it takes it."""
    try:
        client.submit(raw)
    except RpcError as error:
        return error.reason
    return None


def test_each_bad_transaction_has_its_reason(lone_validator: Devnet) -> None:
    """Malformed, unsigned, malleable, for another chain, too large, too dear, not allowed, used up, too far ahead."""
    chain_id = lone_validator.chain_id
    bad = {
        "empty list": (b"\xc0", "TRANSACTION_MALFORMED"),
        "unknown type": (b"\x05\xc0", "TRANSACTION_MALFORMED"),
        "trailing byte": (payment(chain_id) + b"\x00", "TRANSACTION_MALFORMED"),
        "unsigned": (rlp.encode((0, 0, 60_000, SENDER.address, 0, b"")), "TRANSACTION_MALFORMED"),
        "empty signature": (without_signature(payment(chain_id)), "SIGNATURE_INVALID"),
        "high s": (high_s(payment(chain_id)), "SIGNATURE_INVALID"),
        "other chain": (payment(1), "WRONG_CHAIN"),
        "no chain": (payment(chain_id, type=TransactionType.LEGACY, chain_id=None), "WRONG_CHAIN"),
        "blob": (payment(chain_id, type=TransactionType.BLOB), "TRANSACTION_TYPE_UNSUPPORTED"),
        "too large": (payment(chain_id, data=bytes(131_072), gas_limit=10_000_000), "TRANSACTION_TOO_LARGE"),
        "too much gas": (payment(chain_id, gas_limit=16_777_217), "GAS_LIMIT_TOO_HIGH"),
        "too little gas": (payment(chain_id, gas_limit=20_999), "INTRINSIC_GAS_TOO_LOW"),
        "tip above cap": (payment(chain_id, max_priority_fee_per_gas=1), "TRANSACTION_INVALID"),
        "no money": (payment(chain_id, value=10**30), "INSUFFICIENT_FUNDS"),
        "nobody": (payment(chain_id, STRANGER), "SENDER_NOT_PERMITTED"),
        "may not deploy": (payment(chain_id, to=None, data=b"\x00"), "SENDER_NOT_PERMITTED"),
        "gap": (payment(chain_id, nonce=100_000), "NONCE_GAP_TOO_LARGE"),
    }
    with client_of(lone_validator.nodes[0]) as client:
        found = {name: reason_of(client, raw) for name, (raw, _) in bad.items()}
        assert found == {name: reason for name, (_, reason) in bad.items()}
        batch = client.submit_many([raw for raw, _ in bad.values()])
        assert [outcome.reason for outcome in batch if isinstance(outcome, Refused)] == list(found.values())
        good = client.submit_and_wait(payment(chain_id))
        assert good.succeeded
        assert reason_of(client, payment(chain_id, gas_limit=61_000)) == "NONCE_TOO_LOW"
        assert reason_of(client, payment(chain_id)) is None
        assert client.account(SENDER.address).account.nonce == 1
