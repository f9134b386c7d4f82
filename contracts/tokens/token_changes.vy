# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title What the council decides about the token: issuers, the end of a pause, registry, reserve, recoveries, limits of
       payments, travel records
@notice An allowance, a limit or the threshold of records is lowered as soon as it is approved; all else waits for the
        delay, and the guardian vetoes it.
"""

from ..interfaces import IParticipantRegistry
from ..interfaces import IReserveBacking
from ..lib import decisions
from ..lib import pauses
from ..lib import typed_data
from . import balances
from . import issuance
from . import payment_limits
from . import recoveries

uses: balances
uses: decisions
uses: issuance
uses: pauses
uses: payment_limits
uses: recoveries
uses: typed_data


struct Change:
    action: uint256
    subject: address
    value: uint256
    tier: uint256
    payment: uint256
    day: uint256
    month: uint256
    terms: decisions.Terms


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(uint256)
    subject: indexed(address)
    value: uint256
    tier: uint256
    payment: uint256
    day: uint256
    month: uint256


SET_ALLOWANCE: constant(uint256) = 1
UNPAUSE: constant(uint256) = 2
SET_REGISTRY: constant(uint256) = 3
SET_RESERVE: constant(uint256) = 4
SET_LIMITS: constant(uint256) = 5
SET_RECOVERIES: constant(uint256) = 6
SET_TRAVEL_THRESHOLD: constant(uint256) = 7

CHANGE_TYPE: constant(bytes32) = keccak256(
    "TokenChange(string action,address subject,uint256 value,uint256 tier,uint256 payment,uint256 day,uint256 month,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

_changes: HashMap[bytes32, Change]


@external
@view
def change(id: bytes32) -> Change:
    """
    @param id A decision.
    @return What the decision `id` will do.
    """
    return self._changes[id]


@external
@view
def change_id(change: Change) -> bytes32:
    """
    @param change As in `propose_change`.
    @return The EIP-712 digest that council members sign for `change`.
    """
    return self._change_id(change)


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice A member puts an issuer's allowance (action 1), the end of a pause (2), another registry (3) or reserve (4), or
            the limits of a tier's payments (5), another contract for recoveries (6) or the threshold of travel records
            (7) before the council.
    @param change Which, about whom (1: the issuer, 3, 4 and 6: the contract), what an issuer may still mint (1) or from
           which amount on a payment needs a record (7: 1 to 2**128 - 1, which is none), a tier (1 to 253) and what its
           members may pay at once, in a day and in a month (5: all three, below 2**80 - 1 or 2**256 - 1 for no limit),
           and when.
    @return The decision's id.
    """
    decisions._check_member()
    assert change.action >= SET_ALLOWANCE and change.action <= SET_TRAVEL_THRESHOLD, "change: unknown action"
    if change.action == SET_LIMITS:
        payment_limits._check(change.tier, self._limits(change))
    elif change.action == SET_TRAVEL_THRESHOLD:
        balances._check_travel_threshold(change.value)
    id: bytes32 = self._change_id(change)
    # The delay depends on what holds now: a decision that became a raise since is refused below.
    delay: uint256 = decisions.delay
    if not self._raises(change):
        delay = 0
    decisions._open(id, change.terms, delay)
    self._changes[id] = change
    log ChangeProposed(
        id=id,
        action=change.action,
        subject=change.subject,
        value=change.value,
        tier=change.tier,
        payment=change.payment,
        day=change.day,
        month=change.month,
    )
    return id


@external
def execute_change(id: bytes32):
    """
    @notice Carry out an approved and ripe change; anyone may. What was paid before counts under new limits too.
    @param id The decision.
    """
    change: Change = self._changes[id]
    assert change.action != 0, "change: not proposed here"
    decisions._consume(id)
    delayed: bool = decisions.decision[id].delay >= decisions.delay
    assert delayed or not self._raises(change), "change: raises after all"
    if change.action == SET_ALLOWANCE:
        issuance._set_allowance(change.subject, change.value)
    elif change.action == UNPAUSE:
        pauses._lift()
        balances._heed_pause()
    elif change.action == SET_RESERVE:
        issuance._set_reserve(IReserveBacking(change.subject))
    elif change.action == SET_REGISTRY:
        balances._set_registry(IParticipantRegistry(change.subject))
    elif change.action == SET_RECOVERIES:
        recoveries._set_recoveries(change.subject)
    elif change.action == SET_TRAVEL_THRESHOLD:
        balances._set_travel_threshold(change.value)
    else:
        payment_limits._set(change.tier, self._limits(change))
        balances._forget_all()


@internal
@view
def _raises(change: Change) -> bool:
    """
    @param change What is proposed.
    @return Whether somebody could do more by it than now: an issuer mint more, a member of the tier pay more in any way,
            anybody pay more without a record.
    """
    if change.action == SET_ALLOWANCE:
        return change.value > issuance.issuer_allowance[change.subject]
    if change.action == SET_LIMITS:
        return payment_limits._raises(change.tier, self._limits(change))
    if change.action == SET_TRAVEL_THRESHOLD:
        return change.value > balances._travel_threshold()
    return True


@internal
@pure
def _limits(change: Change) -> payment_limits.Limits:
    return payment_limits.Limits(payment=change.payment, day=change.day, month=change.month)


@internal
@view
def _change_id(change: Change) -> bytes32:
    return typed_data._digest(
        keccak256(
            abi_encode(
                CHANGE_TYPE,
                self._action_hash(change.action),
                change.subject,
                change.value,
                change.tier,
                change.payment,
                change.day,
                change.month,
                decisions._terms_hash(change.terms),
            )
        )
    )


@internal
@pure
def _action_hash(action: uint256) -> bytes32:
    if action == SET_ALLOWANCE:
        return keccak256("set issuer allowance")
    if action == UNPAUSE:
        return keccak256("lift pause")
    if action == SET_REGISTRY:
        return keccak256("set registry")
    if action == SET_RESERVE:
        return keccak256("set reserve")
    if action == SET_LIMITS:
        return keccak256("set payment limits")
    if action == SET_RECOVERIES:
        return keccak256("set recoveries")
    return keccak256("set travel threshold")
