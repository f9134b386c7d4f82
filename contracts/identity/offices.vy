# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Public roles, and what the council decides about them and about listeners
@notice One account has one role, so that incompatible ones never meet. The council grants a role after the delay and
        withdraws it at once; its guardian vetoes.
"""

from ..interfaces import IStatusListener
from ..lib import decisions
from ..lib import handover
from ..lib import typed_data
from . import status_listeners

uses: decisions
uses: handover
uses: status_listeners
uses: typed_data


struct RoleGrant:
    holder: address
    role: uint256


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


event RoleChanged:
    holder: indexed(address)
    role: uint256


REGISTRAR: constant(uint256) = 1
LICENSOR: constant(uint256) = 2
COMPLIANCE: constant(uint256) = 3
COURT: constant(uint256) = 4

GRANT_ROLE: constant(uint256) = 1
WITHDRAW_ROLE: constant(uint256) = 2
ADD_LISTENER: constant(uint256) = 3
REMOVE_LISTENER: constant(uint256) = 4

CHANGE_TYPE: constant(bytes32) = keccak256(
    "RegistryChange(string action,address subject,uint256 value,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

_role_of: HashMap[address, uint256]
_changes: HashMap[bytes32, Change]


@deploy
def __init__(roles: DynArray[RoleGrant, 16]):
    """
    @param roles The first holders: 1 registrar, 2 licensor, 3 compliance, 4 court.
    """
    for grant: RoleGrant in roles:
        self._grant(grant.holder, grant.role)


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
    @notice A member puts a grant or withdrawal of a role, or a listener, before the council.
    @param change What, whom, which role, and when.
    @return The decision's id.
    """
    decisions._check_member()
    assert change.action >= GRANT_ROLE and change.action <= REMOVE_LISTENER, "change: unknown action"
    id: bytes32 = self._change_id(change)
    delay: uint256 = decisions.delay
    if change.action == WITHDRAW_ROLE:
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
    handover._check_in_office()
    decisions._consume(id)
    if change.action == GRANT_ROLE:
        self._grant(change.subject, change.value)
    elif change.action == WITHDRAW_ROLE:
        assert self._role_of[change.subject] != 0, "role: none"
        self._role_of[change.subject] = 0
        log RoleChanged(holder=change.subject, role=0)
    elif change.action == ADD_LISTENER:
        status_listeners._add(IStatusListener(change.subject))
    else:
        status_listeners._remove(IStatusListener(change.subject))


@internal
@view
def _check_registrar():
    assert self._role_of[msg.sender] == REGISTRAR, "only the registrar"


@internal
@view
def _check_licensor():
    assert self._role_of[msg.sender] == LICENSOR, "only the licensor"


@internal
@view
def _check_compliance():
    assert self._role_of[msg.sender] == COMPLIANCE, "only compliance"


@internal
@view
def _check_court():
    assert self._role_of[msg.sender] == COURT, "only the court"


@internal
def _grant(holder: address, role: uint256):
    assert holder != empty(address), "role: no holder"
    assert role >= REGISTRAR and role <= COURT, "role: unknown"
    assert self._role_of[holder] == 0, "role: holder has one"
    self._role_of[holder] = role
    log RoleChanged(holder=holder, role=role)


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
    if action == GRANT_ROLE:
        return keccak256("grant role")
    if action == WITHDRAW_ROLE:
        return keccak256("withdraw role")
    if action == ADD_LISTENER:
        return keccak256("add listener")
    return keccak256("remove listener")
