# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title What the council decides about the token: issuers, the end of a pause, registry and reserve
@notice An allowance is lowered as soon as it is approved; all else waits for the delay, and the guardian vetoes it.
"""

from ..interfaces import IParticipantRegistry
from ..interfaces import IReserveBacking
from ..lib import decisions
from ..lib import pauses
from ..lib import typed_data
from . import balances
from . import issuance

uses: balances
uses: decisions
uses: issuance
uses: pauses
uses: typed_data


struct Change:
    action: uint256
    subject: address
    value: uint256
    terms: decisions.Terms


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(uint256)
    subject: indexed(address)
    value: uint256


SET_ALLOWANCE: constant(uint256) = 1
UNPAUSE: constant(uint256) = 2
SET_REGISTRY: constant(uint256) = 3
SET_RESERVE: constant(uint256) = 4

CHANGE_TYPE: constant(bytes32) = keccak256(
    "TokenChange(string action,address subject,uint256 value,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
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
    @notice A member puts an issuer's allowance (action 1), the end of a pause (2), another registry (3) or reserve (4)
            before the council.
    @param change Which, about whom (1: the issuer, 3 and 4: the contract), what an issuer may still mint (1), and when.
    @return The decision's id.
    """
    decisions._check_member()
    assert change.action >= SET_ALLOWANCE and change.action <= SET_RESERVE, "change: unknown action"
    id: bytes32 = self._change_id(change)
    # The delay depends on the allowance of now: a decision that became a raise since is refused below.
    delay: uint256 = decisions.delay
    if change.action == SET_ALLOWANCE and not self._raises(change):
        delay = 0
    decisions._open(id, change.terms, delay)
    self._changes[id] = change
    log ChangeProposed(id=id, action=change.action, subject=change.subject, value=change.value)
    return id


@external
def execute_change(id: bytes32):
    """
    @notice Carry out an approved and ripe change; anyone may.
    @param id The decision.
    """
    change: Change = self._changes[id]
    assert change.action != 0, "change: not proposed here"
    decisions._consume(id)
    if change.action == SET_ALLOWANCE:
        delayed: bool = decisions.decision[id].delay >= decisions.delay
        assert delayed or not self._raises(change), "change: raises after all"
        issuance._set_allowance(change.subject, change.value)
    elif change.action == UNPAUSE:
        pauses._lift()
        balances._heed_pause()
    elif change.action == SET_RESERVE:
        issuance._set_reserve(IReserveBacking(change.subject))
    else:
        balances._set_registry(IParticipantRegistry(change.subject))


@internal
@view
def _raises(change: Change) -> bool:
    """
    @param change Of an issuer's allowance.
    @return Whether the issuer could mint more by it than now.
    """
    return change.value > issuance.issuer_allowance[change.subject]


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
    return keccak256("set reserve")
