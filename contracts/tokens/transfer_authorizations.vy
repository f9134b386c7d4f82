# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Transfers by signature, carried by anyone (EIP-3009)
@notice The payer signs whom, how much, from when until when, and a nonce of its choice that counts once; it needs no
        gas and no order among its authorizations. Nonces are apart from those of permits (EIP-2612).
        `transferWithAuthorization`, `receiveWithAuthorization` and `cancelAuthorization` take secp256k1 as the standard has
        it; `transfer_signed`, `receive_signed` and `cancel_signed` the same messages, signed in any scheme.
@dev Vyper has no two functions of one name, hence other names for the second form.
"""

from ..lib import signature
from ..lib import signature_schemes
from ..lib import typed_data
from . import balances

uses: balances
uses: typed_data


event AuthorizationUsed:
    authorizer: indexed(address)
    nonce: indexed(bytes32)


event AuthorizationCanceled:
    authorizer: indexed(address)
    nonce: indexed(bytes32)


struct Authorization:
    sender: address
    receiver: address
    amount: uint256
    valid_after: uint256
    valid_before: uint256
    nonce: bytes32


TRANSFER_TYPE: constant(bytes32) = keccak256(
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
RECEIVE_TYPE: constant(bytes32) = keccak256(
    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
CANCEL_TYPE: constant(bytes32) = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)")

# authorizer -> nonce -> whether it was used or cancelled
authorizationState: public(HashMap[address, HashMap[bytes32, bool]])


@external
def transferWithAuthorization(
    sender: address,
    receiver: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    nonce: bytes32,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    """
    @notice Pay as the sender has signed; anyone may carry it.
    @param sender Who signed and pays.
    @param receiver As in `transfer`.
    @param amount As in `transfer`.
    @param valid_after The signature counts after this second.
    @param valid_before And before this one.
    @param nonce Any word that the sender has not used before.
    @param v Signature's v, 27 or 28.
    @param r Signature's r.
    @param s Signature's s, in the lower half of the curve's order.
    """
    given: Authorization = Authorization(
        sender=sender,
        receiver=receiver,
        amount=amount,
        valid_after=valid_after,
        valid_before=valid_before,
        nonce=nonce,
    )
    self._carry_out(TRANSFER_TYPE, given, signature._joined(v, r, s))


@external
def transfer_signed(given: Authorization, signed: Bytes[1024]):
    """
    @notice Pay as the sender has signed, in any scheme; anyone may carry it.
    @param given Sender, receiver, amount, the seconds after and before which it counts, an unused nonce.
    @param signed The sender's signature of `TransferWithAuthorization`.
    """
    self._carry_out(TRANSFER_TYPE, given, signed)


@external
def receiveWithAuthorization(
    sender: address,
    receiver: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    nonce: bytes32,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    """
    @notice Take what the sender has signed away to the caller: nobody can carry it before him, and a contract can do
            more in the same step.
    @param sender Who signed and pays.
    @param receiver The caller.
    @param amount As in `transfer`.
    @param valid_after The signature counts after this second.
    @param valid_before And before this one.
    @param nonce Any word that the sender has not used before.
    @param v Signature's v, 27 or 28.
    @param r Signature's r.
    @param s Signature's s, in the lower half of the curve's order.
    """
    given: Authorization = Authorization(
        sender=sender,
        receiver=receiver,
        amount=amount,
        valid_after=valid_after,
        valid_before=valid_before,
        nonce=nonce,
    )
    self._receive(given, signature._joined(v, r, s))


@external
def receive_signed(given: Authorization, signed: Bytes[1024]):
    """
    @notice As `receiveWithAuthorization`, signed in any scheme.
    @param given As in `transfer_signed`; the receiver is the caller.
    @param signed The sender's signature of `ReceiveWithAuthorization`.
    """
    self._receive(given, signed)


@external
def cancelAuthorization(authorizer: address, nonce: bytes32, v: uint8, r: bytes32, s: bytes32):
    """
    @notice End an authorization before it is used; anyone may carry it.
    @param authorizer Who signed, and whose authorization it is.
    @param nonce The authorization's.
    @param v Signature's v, 27 or 28.
    @param r Signature's r.
    @param s Signature's s, in the lower half of the curve's order.
    """
    self._cancel(authorizer, nonce, signature._joined(v, r, s))


@external
def cancel_signed(authorizer: address, nonce: bytes32, signed: Bytes[1024]):
    """
    @notice As `cancelAuthorization`, signed in any scheme.
    @param authorizer Who signed, and whose authorization it is.
    @param nonce The authorization's.
    @param signed The authorizer's signature of `CancelAuthorization`.
    """
    self._cancel(authorizer, nonce, signed)


@internal
def _receive(given: Authorization, signed: Bytes[1024]):
    """
    @param given What the sender has signed away to the caller.
    @param signed The signature, of any scheme.
    """
    assert given.receiver == msg.sender, "authorization: caller is not the receiver"
    self._carry_out(RECEIVE_TYPE, given, signed)


@internal
def _carry_out(kind: bytes32, given: Authorization, signed: Bytes[1024]):
    """
    @param kind Which of the two messages.
    @param given What it says.
    @param signed The sender's signature, of any scheme.
    """
    self._redeem(given, keccak256(abi_encode(kind, given)), signed)
    balances._move(given.sender, given.receiver, given.amount)


@internal
def _redeem(given: Authorization, struct_hash: bytes32, signed: Bytes[1024]):
    """
    @param given What the sender has signed, now or never.
    @param struct_hash Of the message in which it is said.
    @param signed The sender's signature, of any scheme.
    """
    assert block.timestamp > given.valid_after, "authorization: too early"
    assert block.timestamp < given.valid_before, "authorization: too late"
    self._use(given.sender, given.nonce, struct_hash, signed)
    log AuthorizationUsed(authorizer=given.sender, nonce=given.nonce)


@internal
def _cancel(authorizer: address, nonce: bytes32, signed: Bytes[1024]):
    """
    @param authorizer Who has signed that it ends.
    @param nonce The authorization's.
    @param signed The signature, of any scheme.
    """
    self._use(authorizer, nonce, keccak256(abi_encode(CANCEL_TYPE, authorizer, nonce)), signed)
    log AuthorizationCanceled(authorizer=authorizer, nonce=nonce)


@internal
def _use(authorizer: address, nonce: bytes32, struct_hash: bytes32, signed: Bytes[1024]):
    """
    @param authorizer Who must have signed, and whose nonce it is.
    @param nonce It counts once.
    @param struct_hash Of the message.
    @param signed The signature, of any scheme.
    """
    digest: bytes32 = typed_data._digest(struct_hash)
    assert signature_schemes._verified(digest, authorizer, signed), "authorization: bad signature"
    assert not self.authorizationState[authorizer][nonce], "authorization: used or cancelled"
    self.authorizationState[authorizer][nonce] = True
