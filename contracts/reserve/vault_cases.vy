# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Confiscated assets and the court's word
@notice         locked -- the court decides --> forfeited or returnable, unconfirmed
                unconfirmed -- the prosecutor confirms, starts the delay --> confirmed -- the delay passes --> final
                unconfirmed, returnable -- the court decides anew --> unconfirmed
                not final -- the guardian vetoes, once in a case --> locked

        Neither office moves anything alone. An order of return stands while both offices are held by who gave it, and
        the court may name another owner until the case is empty: nobody's refusal to receive strands what he owns.
        After a veto the next verdict waits for the large delay, and the guardian has no second word.
"""

from ..lib import decisions
from ..lib import journal
from . import vault_roles

uses: decisions
uses: journal
uses: vault_roles


flag CaseState:
    LOCKED
    FORFEITED
    RETURNABLE


struct Case:
    state: CaseState
    owner: address
    order_hash: bytes32
    # zero until the prosecutor has confirmed
    ready_at: uint256
    vetoed: bool
    # numbers of the grants under which court and prosecutor acted
    court: uint256
    prosecutor: uint256


event CaseDecided:
    case_id: indexed(bytes32)
    state: CaseState
    owner: address
    order_hash: bytes32


event CaseConfirmed:
    case_id: indexed(bytes32)
    order_hash: bytes32
    ready_at: uint256


event CaseVetoed:
    case_id: indexed(bytes32)
    guardian: indexed(address)


cases: public(HashMap[bytes32, Case])
large_delay: public(immutable(uint256))


@deploy
def __init__(large_delay_: uint256):
    """
    @param large_delay_ Seconds before a verdict is final that follows a veto.
    """
    large_delay = large_delay_


@external
def forfeit(case_id: bytes32, order_hash: bytes32):
    """
    @notice The court's verdict: what the case holds may be released like other assets, once it is confirmed and final.
    @param case_id The case.
    @param order_hash Hash of the court's order.
    """
    self._decide(case_id, CaseState.FORFEITED, empty(address), order_hash)


@external
def order_return(case_id: bytes32, owner: address, order_hash: bytes32):
    """
    @notice The court reverses a confiscation: what the case holds goes back, once it is confirmed and final. Again for
            a case that is to be returned: to another owner.
    @param case_id The case.
    @param owner Who gets it.
    @param order_hash Hash of the court's order.
    """
    assert owner != empty(address) and owner != self, "case: no owner"
    self._decide(case_id, CaseState.RETURNABLE, owner, order_hash)


@external
def confirm_case(case_id: bytes32, owner: address, order_hash: bytes32):
    """
    @notice The prosecutor confirms the court's verdict; starts the delay.
    @param case_id The case.
    @param owner As the court named him; zero for a forfeiture.
    @param order_hash As the court gave it: what is confirmed cannot be exchanged meanwhile.
    """
    prosecutor: uint256 = vault_roles._check_role(vault_roles.Role.PROSECUTOR)
    decided: Case = self.cases[case_id]
    # Nothing decided has no order.
    open: bool = decided.order_hash != empty(bytes32) and decided.ready_at == 0
    assert open and decided.owner == owner and decided.order_hash == order_hash, "case: decided otherwise"
    delay: uint256 = decisions.delay
    if decided.vetoed:
        delay = large_delay
    ready_at: uint256 = block.timestamp + delay
    self.cases[case_id].ready_at = ready_at
    self.cases[case_id].prosecutor = prosecutor
    journal._extend(keccak256("confirm case"), keccak256(abi_encode(case_id, order_hash, ready_at)))
    log CaseConfirmed(case_id=case_id, order_hash=order_hash, ready_at=ready_at)


@external
def veto_return(case_id: bytes32):
    """
    @notice The guardian takes a verdict that is not final back to the court, once in a case.
    @param case_id The case.
    """
    decisions._check_guardian()
    decided: Case = self.cases[case_id]
    # Nothing decided has no order.
    open: bool = decided.order_hash != empty(bytes32) and not self._final(decided)
    assert open and not decided.vetoed, "case: nothing to veto"
    self.cases[case_id] = Case(
        state=CaseState.LOCKED,
        owner=empty(address),
        order_hash=empty(bytes32),
        ready_at=0,
        vetoed=True,
        court=0,
        prosecutor=0,
    )
    journal._extend(keccak256("veto case"), keccak256(abi_encode(case_id, msg.sender)))
    log CaseVetoed(case_id=case_id, guardian=msg.sender)


@internal
def _decide(case_id: bytes32, state: CaseState, owner: address, order_hash: bytes32):
    court: uint256 = vault_roles._check_role(vault_roles.Role.COURT)
    before: Case = self.cases[case_id]
    unconfirmed: bool = before.state != empty(CaseState) and before.ready_at == 0
    # What is to be returned is the owner's: another owner may be named, but it is not forfeited any more.
    redirected: bool = before.state == CaseState.RETURNABLE and state == CaseState.RETURNABLE
    assert unconfirmed or redirected, "case: not locked"
    assert order_hash != empty(bytes32), "case: no order"
    self.cases[case_id] = Case(
        state=state,
        owner=owner,
        order_hash=order_hash,
        ready_at=0,
        vetoed=before.vetoed,
        court=court,
        prosecutor=0,
    )
    journal._extend(keccak256("decide case"), keccak256(abi_encode(case_id, state, owner, order_hash)))
    log CaseDecided(case_id=case_id, state=state, owner=owner, order_hash=order_hash)


@internal
def _lock(case_id: bytes32):
    """
    @dev What is confiscated comes under lock; a decided case takes no more.
    """
    assert case_id != empty(bytes32), "case: none named"
    state: CaseState = self.cases[case_id].state
    assert state == empty(CaseState) or state == CaseState.LOCKED, "case: decided"
    self.cases[case_id].state = CaseState.LOCKED


@internal
@view
def _final(decided: Case) -> bool:
    return decided.ready_at != 0 and block.timestamp >= decided.ready_at


@internal
@view
def _check_forfeited(case_id: bytes32):
    decided: Case = self.cases[case_id]
    assert decided.state == CaseState.FORFEITED and self._final(decided), "case: no final verdict"


@internal
@view
def _returned_to(case_id: bytes32) -> address:
    """
    @return To whom a case goes back now; reverts if it does not.
    """
    decided: Case = self.cases[case_id]
    assert decided.state == CaseState.RETURNABLE, "case: no return ordered"
    assert self._final(decided), "case: not ripe"
    offices: bool = vault_roles._stands(decided.court) and vault_roles._stands(decided.prosecutor)
    assert offices, "case: office withdrawn"
    return decided.owner
