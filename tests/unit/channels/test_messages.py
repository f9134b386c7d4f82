"""Channel messages: digests as any EIP-712 library computes them, and signatures that fit one purpose only."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from alatau.channels.calls import compact_signature
from alatau.channels.errors import OutOfRangeError
from alatau.channels.messages import (
    ClaimOrder,
    CloseRequest,
    CooperativeClose,
    Domain,
    Lock,
    Parties,
    Voucher,
    Withdraw,
    channel_id,
    channels_domain,
    claim_order_digest,
    close_request_digest,
    cooperative_close_digest,
    locks_hash,
    receipt_digest,
    sign_voucher,
    signed_by,
    voucher_digest,
    voucher_hash,
    withdraw_digest,
)
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import ORDER, PrivateKey

RESIDENT = PrivateKey(b"\x01" * 32)
HUB = PrivateKey(b"\x02" * 32)
CONTRACT = bytes.fromhex("00000000000000000000000000000000a1a7a007")
DOMAIN = channels_domain(7773, CONTRACT)
PARTIES = Parties(RESIDENT.address, HUB.address, bytes(31) + b"\x05")
ID = channel_id(DOMAIN, PARTIES)
VOUCHER = Voucher(ID, RESIDENT.address, 3, 1_500)
DOMAIN_FIELDS = {
    "name": "Alatau CityChannels",
    "version": "1",
    "chainId": 7773,
    "verifyingContract": "0x" + CONTRACT.hex(),
}


def wallet_digest(kind: str, fields: list[tuple[str, str]], message: dict[str, object]) -> bytes:
    """The digest that eth-account signs."""
    signable = encode_typed_data(DOMAIN_FIELDS, {kind: [{"type": t, "name": n} for t, n in fields]}, message)
    return keccak256(b"\x19\x01" + signable.header + signable.body)


def test_voucher_digest_is_the_one_a_wallet_signs() -> None:
    """A phone wallet that knows only EIP-712 signs vouchers that we accept."""
    fields = [
        ("bytes32", "channelId"),
        ("address", "payer"),
        ("uint256", "nonce"),
        ("uint256", "transferred"),
        ("bytes32", "locksHash"),
    ]
    message = {
        "channelId": ID,
        "payer": RESIDENT.address,
        "nonce": 3,
        "transferred": 1_500,
        "locksHash": bytes(32),
    }
    assert wallet_digest("Voucher", fields, message) == voucher_digest(DOMAIN, VOUCHER)


def test_receipt_digest_is_the_one_a_wallet_signs() -> None:
    """Receipts are plain EIP-712 too."""
    fields = [("bytes32", "channelId"), ("bytes32", "voucherHash")]
    message = {"channelId": ID, "voucherHash": voucher_hash(VOUCHER)}
    assert wallet_digest("Receipt", fields, message) == receipt_digest(DOMAIN, VOUCHER)


def test_withdraw_and_close_digests_are_the_ones_a_wallet_signs() -> None:
    """So are consents to withdrawals and cooperative closes."""
    fields = [("bytes32", "channelId"), ("address", "participant"), ("uint256", "total"), ("uint256", "deadline")]
    message = {"channelId": ID, "participant": HUB.address, "total": 7, "deadline": 99}
    withdraw = Withdraw(ID, HUB.address, 7, 99)
    assert wallet_digest("Withdraw", fields, message) == withdraw_digest(DOMAIN, withdraw)
    fields = [("bytes32", "channelId"), ("uint256", "payoutA"), ("uint256", "payoutB"), ("uint256", "deadline")]
    message = {"channelId": ID, "payoutA": 1, "payoutB": 2, "deadline": 99}
    close = CooperativeClose(ID, 1, 2, 99)
    assert wallet_digest("CooperativeClose", fields, message) == cooperative_close_digest(DOMAIN, close)


def test_wallet_signature_is_recognised() -> None:
    """A signature made by eth-account counts as the payer's."""
    digest = voucher_digest(DOMAIN, VOUCHER)
    made = Account.from_key(RESIDENT.secret).unsafe_sign_hash(digest)
    signature = made.r.to_bytes(32, "big") + made.s.to_bytes(32, "big") + bytes((made.v - 27,))
    assert signed_by(digest, signature, RESIDENT.address)


def test_digests_differ_by_chain_contract_channel_direction_and_type() -> None:
    """Nothing signed for one purpose can be replayed for another."""

    def domain(chain: int, contract: bytes) -> Domain:
        return channels_domain(chain, contract)

    other_channel = Voucher(bytes(32), RESIDENT.address, 3, 1_500)
    other_direction = Voucher(ID, HUB.address, 3, 1_500)
    digests = {
        voucher_digest(DOMAIN, VOUCHER),
        voucher_digest(domain(7774, CONTRACT), VOUCHER),
        voucher_digest(domain(7773, b"\x09" * 20), VOUCHER),
        voucher_digest(DOMAIN, other_channel),
        voucher_digest(DOMAIN, other_direction),
        receipt_digest(DOMAIN, VOUCHER),
    }
    assert len(digests) == 6


def test_lock_list_hash_depends_on_order() -> None:
    """A reordered list of locks is another list."""
    first, second = Lock(b"\x01" * 32, 5, 100), Lock(b"\x02" * 32, 6, 100)
    assert locks_hash((first, second)) != locks_hash((second, first))
    assert locks_hash(()) == bytes(32)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:64],
        lambda s: s + b"\x00",
        lambda _: bytes(65),
        lambda s: s[:32] + (ORDER - int.from_bytes(s[32:64], "big")).to_bytes(32, "big") + bytes((1 - s[64],)),
        lambda s: bytes((s[0] ^ 1,)) + s[1:],
    ],
    ids=["short", "long", "zero", "malleated", "changed"],
)
def test_bad_signatures_are_nobodys(spoil: object) -> None:
    """A malformed, zero, malleated or changed signature is refused, never an exception."""
    signed = sign_voucher(DOMAIN, VOUCHER, RESIDENT.sign)
    digest = voucher_digest(DOMAIN, VOUCHER)
    assert signed_by(digest, signed.signature, RESIDENT.address)
    assert not signed_by(digest, spoil(signed.signature), RESIDENT.address)  # type: ignore[operator]


def test_compact_signature_carries_parity_in_the_top_bit() -> None:
    """EIP-2098: s is below half the order, so its top bit is free."""
    signature = bytes(31) + b"\x07" + bytes(31) + b"\x09" + b"\x01"
    assert compact_signature(signature) == bytes(31) + b"\x07" + b"\x80" + bytes(30) + b"\x09"


def test_requests_and_orders_are_the_ones_a_wallet_signs() -> None:
    """A request to close and an order to pay a credit elsewhere are plain EIP-712 too."""
    fields = [("bytes32", "channelId"), ("address", "party"), ("uint256", "deadline")]
    message = {"channelId": ID, "party": HUB.address, "deadline": 99}
    assert wallet_digest("CloseRequest", fields, message) == close_request_digest(
        DOMAIN, CloseRequest(ID, HUB.address, 99)
    )
    fields = [("address", "account"), ("address", "receiver")]
    fields += [("uint256", name) for name in ("amount", "nonce", "deadline")]
    message = {"account": HUB.address, "receiver": RESIDENT.address, "amount": 5, "nonce": 1, "deadline": 99}
    order = ClaimOrder(HUB.address, RESIDENT.address, 5, 1, 99)
    assert wallet_digest("ClaimOrder", fields, message) == claim_order_digest(DOMAIN, order)


@pytest.mark.parametrize("value", [-1, 2**256, 2**256 + 50])
def test_numbers_are_never_taken_modulo(value: int) -> None:
    """A voucher over 2^256 + 50 is not the voucher over 50."""
    for message in (
        Voucher(ID, RESIDENT.address, value, 5),
        Voucher(ID, RESIDENT.address, 1, value),
        Voucher(ID, RESIDENT.address, 1, 5, (Lock(bytes(32), value, 9),)),
        Voucher(ID, RESIDENT.address, 1, 5, (Lock(bytes(32), 9, value),)),
    ):
        with pytest.raises(OutOfRangeError) as caught:
            voucher_digest(DOMAIN, message)
        assert caught.value.value == value
    with pytest.raises(OutOfRangeError):
        withdraw_digest(DOMAIN, Withdraw(ID, HUB.address, value, 99))
    with pytest.raises(OutOfRangeError):
        cooperative_close_digest(DOMAIN, CooperativeClose(ID, 1, 2, value))
