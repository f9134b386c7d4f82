# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title What parties of a channel sign, and how it is checked
@notice EIP-712 typed data in the domain of the contract that uses this module, one type per purpose: chain and
        contract are in the domain, the channel in every message, the direction in the payer. None can be used for
        another. The same messages are in node/alatau/channels/messages.py.
"""

from ..lib import signature_schemes
from ..lib import typed_data
from . import locks

uses: typed_data


struct Parties:
    a: address
    b: address
    salt: bytes32


struct Claim:
    payer: address
    nonce: uint256
    transferred: uint256
    locks: DynArray[locks.Lock, locks.LOCKS_MAX]
    signed: Bytes[1024]
    receipt: Bytes[1024]


struct CloseRequest:
    party: address
    deadline: uint256
    signed: Bytes[1024]


struct ClaimOrder:
    account: address
    receiver: address
    amount: uint256
    nonce: uint256
    deadline: uint256


VOUCHER_TYPE: constant(bytes32) = keccak256(
    "Voucher(bytes32 channelId,address payer,uint256 nonce,uint256 transferred,bytes32 locksHash)"
)
RECEIPT_TYPE: constant(bytes32) = keccak256("Receipt(bytes32 channelId,bytes32 voucherHash)")
WITHDRAW_TYPE: constant(bytes32) = keccak256(
    "Withdraw(bytes32 channelId,address participant,uint256 total,uint256 deadline)"
)
COOPERATIVE_CLOSE_TYPE: constant(bytes32) = keccak256(
    "CooperativeClose(bytes32 channelId,uint256 payoutA,uint256 payoutB,uint256 deadline)"
)
CLOSE_REQUEST_TYPE: constant(bytes32) = keccak256(
    "CloseRequest(bytes32 channelId,address party,uint256 deadline)"
)
CLAIM_ORDER_TYPE: constant(bytes32) = keccak256(
    "ClaimOrder(address account,address receiver,uint256 amount,uint256 nonce,uint256 deadline)"
)


@internal
@view
def _id(parties: Parties) -> bytes32:
    """
    @param parties The two ends and the salt.
    @return The id of their channel.
    """
    return keccak256(abi_encode(chain.id, self, parties.a, parties.b, parties.salt))


@internal
@view
def _check(struct_hash: bytes32, signer: address, given: Bytes[1024]):
    """
    @param struct_hash Of the message.
    @param signer Who must have signed it.
    @param given The signature.
    """
    assert signature_schemes._signed_by(
        typed_data._digest(struct_hash), signer, given
    ), "channels: bad signature"


@internal
@view
def _check_claim(id: bytes32, payee: address, claim: Claim, locks_hash: bytes32):
    """
    @dev A voucher counts from its payee; from anyone else with the payee's receipt, so that nobody can overwrite
         the other's claim and a watchtower needs nobody's trust.
    @param id The channel.
    @param payee Whom the voucher pays.
    @param claim The voucher with its signatures.
    @param locks_hash Hash of its locks.
    """
    voucher_hash: bytes32 = keccak256(
        abi_encode(VOUCHER_TYPE, id, claim.payer, claim.nonce, claim.transferred, locks_hash)
    )
    assert signature_schemes._voucher_signed_by(
        typed_data._digest(voucher_hash),
        claim.payer,
        claim.signed,
        typed_data._domain(),
        id,
        claim.transferred + locks._sum(claim.locks),
    ), "channels: bad signature"
    if msg.sender != payee:
        digest: bytes32 = typed_data._digest(keccak256(abi_encode(RECEIPT_TYPE, id, voucher_hash)))
        assert signature_schemes._signed_by(digest, payee, claim.receipt), "channels: bad receipt"


@internal
@view
def _check_withdraw(
    id: bytes32, participant: address, total: uint256, deadline: uint256, other: address, consent: Bytes[1024]
):
    """
    @param id The channel.
    @param participant Who takes money out.
    @param total All that it ever took out, this time included.
    @param deadline Last second of the consent.
    @param other Who consents.
    @param consent Its signature.
    """
    assert block.timestamp <= deadline, "channels: too late"
    self._check(keccak256(abi_encode(WITHDRAW_TYPE, id, participant, total, deadline)), other, consent)


@internal
@view
def _check_request(id: bytes32, parties: Parties, request: CloseRequest):
    """
    @param id The channel.
    @param parties Its ends.
    @param request One of them asks for the settlement to begin: by calling, or by its signature.
    """
    assert request.party == parties.a or request.party == parties.b, "channels: not a party"
    if msg.sender != request.party:
        assert block.timestamp <= request.deadline, "channels: too late"
        self._check(
            keccak256(abi_encode(CLOSE_REQUEST_TYPE, id, request.party, request.deadline)),
            request.party,
            request.signed,
        )


@internal
@view
def _check_agreement(
    id: bytes32,
    parties: Parties,
    payout_a: uint256,
    payout_b: uint256,
    deadline: uint256,
    signature_a: Bytes[1024],
    signature_b: Bytes[1024],
):
    """
    @param id The channel.
    @param parties Its ends.
    @param payout_a What a gets.
    @param payout_b What b gets.
    @param deadline Last second of the agreement.
    @param signature_a Signature of a.
    @param signature_b Signature of b.
    """
    assert block.timestamp <= deadline, "channels: too late"
    digest: bytes32 = typed_data._digest(
        keccak256(abi_encode(COOPERATIVE_CLOSE_TYPE, id, payout_a, payout_b, deadline))
    )
    assert signature_schemes._signed_by(digest, parties.a, signature_a), "channels: bad signature of a"
    assert signature_schemes._signed_by(digest, parties.b, signature_b), "channels: bad signature of b"


@internal
@view
def _check_order(order: ClaimOrder, signed: Bytes[1024]):
    """
    @param order Where an account wants its credit paid.
    @param signed The account's signature.
    """
    assert block.timestamp <= order.deadline, "channels: too late"
    self._check(
        keccak256(
            abi_encode(
                CLAIM_ORDER_TYPE, order.account, order.receiver, order.amount, order.nonce, order.deadline
            )
        ),
        order.account,
        signed,
    )
