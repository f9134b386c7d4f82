# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Transfers that say what for, and whose record stands behind them
@notice Every way to pay has a form that carries a purpose and the hash of a travel record. From the threshold on a payment
        between two accounts needs the record (FATF recommendation 16): an IVMS101 message about originator and beneficiary,
        encrypted for the counterparty and sent to it off the chain. Contracts are exempt: who they pay and why is in
        their own books.
@dev Purposes and hashes are told in events as they are, and not checked: what they mean is between the parties and their
     supervisor. All zeros is none.
"""

from . import allowances
from . import balances
from . import transfer_authorizations

uses: allowances
uses: balances
uses: transfer_authorizations


event Purpose:
    sender: indexed(address)
    receiver: indexed(address)
    purpose: indexed(bytes32)
    amount: uint256


event TravelRecord:
    sender: indexed(address)
    receiver: indexed(address)
    record_hash: indexed(bytes32)
    amount: uint256


RECORDED_TYPE: constant(bytes32) = keccak256(
    "RecordedTransfer(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce,bytes32 purpose,bytes32 recordHash)"
)


@external
@view
def travel_threshold() -> uint256:
    """
    @return The amount from which a payment between accounts needs a travel record; 2**128 - 1 for none.
    """
    return balances._travel_threshold()


@external
def transfer_with_purpose(receiver: address, amount: uint256, purpose: bytes32) -> bool:
    """
    @notice Pay with a tag that says what for: a budget line, an invoice's hash.
    @param receiver As in `transfer`.
    @param amount As in `transfer`.
    @param purpose The tag.
    @return True: what fails reverts.
    """
    self._pay(msg.sender, receiver, amount, purpose, empty(bytes32))
    return True


@external
def transfer_recorded(receiver: address, amount: uint256, purpose: bytes32, record_hash: bytes32) -> bool:
    """
    @notice `transfer` with a purpose and a travel record.
    @param receiver As in `transfer`.
    @param amount As in `transfer`.
    @param purpose The tag; zero for none.
    @param record_hash keccak256 of the encrypted record; zero for none, below the threshold.
    @return True: what fails reverts.
    """
    self._pay(msg.sender, receiver, amount, purpose, record_hash)
    return True


@external
def transfer_from_recorded(
    owner: address, receiver: address, amount: uint256, purpose: bytes32, record_hash: bytes32
) -> bool:
    """
    @notice `transferFrom` with a purpose and a travel record.
    @param owner As in `transferFrom`.
    @param receiver As in `transfer`.
    @param amount As in `transferFrom`.
    @param purpose As in `transfer_recorded`.
    @param record_hash As in `transfer_recorded`.
    @return True: what fails reverts.
    """
    allowances._spend(owner, amount)
    self._pay(owner, receiver, amount, purpose, record_hash)
    return True


@external
def transfer_signed_recorded(
    given: transfer_authorizations.Authorization,
    purpose: bytes32,
    record_hash: bytes32,
    signed: Bytes[1024],
):
    """
    @notice `transfer_signed` with a purpose and a travel record, which the sender has signed too; anyone may carry it.
    @param given As in `transfer_signed`; its nonce is one of the sender's authorizations.
    @param purpose As in `transfer_recorded`.
    @param record_hash As in `transfer_recorded`.
    @param signed The sender's signature of `RecordedTransfer`, of any scheme.
    """
    transfer_authorizations._redeem(
        given, keccak256(abi_encode(RECORDED_TYPE, given, purpose, record_hash)), signed
    )
    self._pay(given.sender, given.receiver, given.amount, purpose, record_hash)


@internal
def _pay(sender: address, receiver: address, amount: uint256, purpose: bytes32, record_hash: bytes32):
    """
    @param sender Who pays; its consent was checked.
    @param receiver Who is paid.
    @param amount Token units.
    @param purpose The tag.
    @param record_hash Of the record.
    """
    balances._move(sender, receiver, amount, record_hash != empty(bytes32))
    if purpose != empty(bytes32):
        log Purpose(sender=sender, receiver=receiver, purpose=purpose, amount=amount)
    if record_hash != empty(bytes32):
        log TravelRecord(sender=sender, receiver=receiver, record_hash=record_hash, amount=amount)
