# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Changes of the vault: what lowers risk is instant, what raises it is endorsed, approved and delayed
@notice Whoever has a part in the vault proposes a change. The oversight endorses, and then the council approves, what
        raises risk; either of them alone decides what lowers it. Whether a change lowers risk is asked when it is proposed
        and again when it is executed: one that turned into a raise is refused.
"""

from ..interfaces import ICouncil
from ..interfaces import ILimitTiers
from ..lib import decisions
from ..lib import journal
from ..lib import typed_data
from . import vault_books
from . import vault_gates
from . import vault_roles

uses: decisions
uses: journal
uses: typed_data
uses: vault_books
uses: vault_gates
uses: vault_roles


flag Action:
    ALLOW_DESTINATION
    FORBID_DESTINATION
    SET_LIMITS
    GRANT_ROLE
    WITHDRAW_ROLE
    LIFT_PAUSE
    PROLONG_PAUSE
    SET_OVERSIGHT
    SET_POSITIONS


struct Change:
    action: Action
    subject: address
    value: uint256
    capacity: uint256
    leak_per_second: uint256
    terms: decisions.Terms


event ChangeProposed:
    id: indexed(bytes32)
    action: indexed(Action)
    subject: indexed(address)
    value: uint256
    capacity: uint256
    leak_per_second: uint256


event Changed:
    id: indexed(bytes32)
    action: indexed(Action)
    subject: indexed(address)
    value: uint256
    capacity: uint256
    leak_per_second: uint256


CHANGE_TYPE: constant(bytes32) = keccak256(
    "VaultChange(string action,address subject,uint256 value,uint256 capacity,uint256 leakPerSecond,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

_changes: HashMap[bytes32, Change]


@external
@view
def change(id: bytes32) -> Change:
    """
    @param id The decision.
    @return What the decision `id` will change.
    """
    return self._changes[id]


@external
@view
def change_id(change: Change) -> bytes32:
    """
    @param change A change.
    @return The EIP-712 digest that council members sign for `change`.
    """
    return self._change_id(change)


@external
def propose_body(body: ICouncil, terms: decisions.Terms) -> bytes32:
    """
    @notice Propose that another council succeed this one; endorsed, approved, delayed.
    @param body The successor.
    @param terms When, and under which policy.
    @return The decision's id.
    """
    vault_roles._check_known(msg.sender)
    id: bytes32 = decisions._propose_body(body, terms)
    vault_roles.endorsement_needed[id] = True
    journal._extend(keccak256("propose body"), id)
    return id


@external
def replace_body(body: ICouncil, terms: decisions.Terms):
    """
    @notice Carry out an approved succession; anyone may.
    @param body The successor, as approved.
    @param terms As approved.
    """
    id: bytes32 = decisions._body_id(body, terms)
    vault_roles._check_endorsed(id)
    decisions._replace_body(body, terms)
    vault_roles._check_two_councils()
    journal._extend(keccak256("replace body"), id)


@external
def propose_change(change: Change) -> bytes32:
    """
    @notice Put a destination, a limit, a role, a pause or a pointer before the council; whoever has a part in the
            vault may.
    @param change What is to be changed.
    @return The decision's id.
    """
    vault_roles._check_known(msg.sender)
    # One act, not several at once: its word is signed.
    action_hash: bytes32 = self._action_hash(change.action)
    lowers: bool = self._lowers_risk(change)
    delay: uint256 = decisions.delay
    if lowers:
        delay = 0
    id: bytes32 = self._change_id(change)
    decisions._open(id, change.terms, delay)
    self._changes[id] = change
    vault_roles.endorsement_needed[id] = not lowers
    journal._extend(keccak256("propose change"), id)
    log ChangeProposed(
        id=id,
        action=change.action,
        subject=change.subject,
        value=change.value,
        capacity=change.capacity,
        leak_per_second=change.leak_per_second,
    )
    return id


@external
def execute_change(id: bytes32):
    """
    @notice Carry out an approved and ripe change; anyone may. What lowers risk needs no approval of the council
            where the oversight has endorsed it.
    @param id The decision.
    """
    change: Change = self._changes[id]
    assert change.action != empty(Action), "change: not proposed here"
    lowers: bool = self._lowers_risk(change)
    endorsed: bool = vault_roles._endorsed(id)
    if lowers and endorsed and decisions.decision[id].state == decisions.State.PROPOSED:
        decisions.decision[id].state = decisions.State.APPROVED
        decisions.decision[id].ready_at = decisions.decision[id].not_before
    decisions._consume(id)
    waited: bool = decisions.decision[id].delay >= decisions.delay and endorsed
    assert waited or lowers, "change: raises after all"
    self._carry_out(change)
    journal._extend(keccak256("change"), id)
    log Changed(
        id=id,
        action=change.action,
        subject=change.subject,
        value=change.value,
        capacity=change.capacity,
        leak_per_second=change.leak_per_second,
    )


@internal
def _carry_out(change: Change):
    if change.action == Action.ALLOW_DESTINATION:
        vault_gates._allow(change.subject)
    elif change.action == Action.FORBID_DESTINATION:
        vault_gates.destination_allowed[change.subject] = False
    elif change.action == Action.SET_LIMITS:
        vault_books._set_limits(change.subject, change.capacity, change.leak_per_second, change.value)
    elif change.action == Action.GRANT_ROLE:
        vault_roles._grant(change.subject, convert(change.value, vault_roles.Role))
    elif change.action == Action.WITHDRAW_ROLE:
        vault_roles._withdraw(change.subject)
    elif change.action == Action.LIFT_PAUSE:
        vault_gates._lift()
    elif change.action == Action.PROLONG_PAUSE:
        vault_gates._prolong(change.value)
    elif change.action == Action.SET_OVERSIGHT:
        vault_roles._set_oversight(ICouncil(change.subject))
    else:
        vault_gates._set_positions(ILimitTiers(change.subject))


@internal
@view
def _lowers_risk(change: Change) -> bool:
    if change.action == Action.SET_LIMITS:
        return vault_books._lowers_limits(
            change.subject, change.capacity, change.leak_per_second, change.value
        )
    if change.action == Action.WITHDRAW_ROLE:
        # Not those of court and prosecutor, on whom others rely to get back what is theirs.
        role: vault_roles.Role = vault_roles.role_of[change.subject]
        return role != vault_roles.Role.COURT and role != vault_roles.Role.PROSECUTOR
    return change.action == Action.FORBID_DESTINATION or change.action == Action.PROLONG_PAUSE


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
                change.capacity,
                change.leak_per_second,
                decisions._terms_hash(change.terms),
            )
        )
    )


@internal
@view
def _action_hash(action: Action) -> bytes32:
    if action == Action.ALLOW_DESTINATION:
        return keccak256("allow destination")
    if action == Action.FORBID_DESTINATION:
        return keccak256("forbid destination")
    if action == Action.SET_LIMITS:
        return keccak256("set limits")
    if action == Action.GRANT_ROLE:
        return keccak256("grant role")
    if action == Action.WITHDRAW_ROLE:
        return keccak256("withdraw role")
    if action == Action.LIFT_PAUSE:
        return keccak256("lift pause")
    if action == Action.PROLONG_PAUSE:
        return keccak256("prolong pause")
    if action == Action.SET_OVERSIGHT:
        return keccak256("set oversight")
    assert action == Action.SET_POSITIONS, "change: unknown action"
    return keccak256("set positions")
