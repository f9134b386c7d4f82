# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Who may do what in the vault, and that nobody does two things
@notice Duties are kept apart by persons, not by titles:
        * an account has at most one role, and none while it sits in a council of the vault or guards it. Both are asked
          when a role is granted and again whenever it is used, because councils change without asking the vault;
        * who holds a role approves nothing here;
        * what raises risk needs two councils: the board approves it, the oversight endorses it before, and nobody
          counts in both, whoever sits in both;
        * what a role's holder has begun ends when the role is withdrawn, also if it is granted again.
"""

from ..interfaces import ICouncil
from ..lib import decisions

uses: decisions


flag Role:
    PROPOSER
    CUSTODIAN
    COURT
    AUDITOR
    PROSECUTOR


struct RoleGrant:
    holder: address
    role: Role


event RoleGranted:
    holder: indexed(address)
    role: Role
    grant: uint256


event RoleWithdrawn:
    holder: indexed(address)
    role: Role


event Endorsed:
    id: indexed(bytes32)
    oversight: indexed(address)


event OversightReplaced:
    oversight: indexed(address)


VERSION_BITS: constant(uint256) = 96

oversight: public(ICouncil)
role_of: public(HashMap[address, Role])
# decision -> whether the oversight must have endorsed it before the board approves
endorsement_needed: public(HashMap[bytes32, bool])
# decision -> the oversight that endorsed it, and its policy version in the lower 96 bits
_endorsed_by: HashMap[bytes32, uint256]
# decision -> who endorsed it, and so cannot approve it
_endorser: HashMap[bytes32, HashMap[address, bool]]
# holder -> number of the grant that he acts under; grant -> its holder, nobody after it was withdrawn
_grant_of: HashMap[address, uint256]
_holder_of: HashMap[uint256, address]
_grants: uint256


@deploy
def __init__(oversight: ICouncil, grants: DynArray[RoleGrant, 16]):
    """
    @param oversight The council whose endorsement everything needs that raises risk.
    @param grants First holders of roles.
    """
    self.oversight = oversight
    self._check_two_councils()
    for grant: RoleGrant in grants:
        self._grant(grant.holder, grant.role)


@internal
@view
def _check_role(role: Role) -> uint256:
    """
    @dev The caller holds `role` and is free of councils. Returns the number of the grant.
    """
    assert self.role_of[msg.sender] == role, "role: not yours"
    self._check_apart(msg.sender)
    return self._grant_of[msg.sender]


@internal
@view
def _check_apart(account: address):
    """
    @dev Who decides does nothing else.
    """
    assert not self._decides(account), "role: sits in a council"


@internal
@view
def _check_known(account: address):
    """
    @dev What is proposed is kept for ever, so only people with a part in the vault propose.
    """
    known: bool = self.role_of[account] != empty(Role)
    assert known or self._decides(account), "vault: no part in it"


@internal
@view
def _decides(account: address) -> bool:
    """
    @dev Whether it sits in a council of the vault, or guards one.
    """
    for council: ICouncil in [decisions.body, self.oversight]:
        if staticcall council.is_member(account) or account == staticcall council.guardian():
            return True
    return False


@internal
@view
def _stands(grant: uint256) -> bool:
    """
    @dev Whether the role that was used under this number is still held.
    """
    return self._holder_of[grant] != empty(address)


@internal
def _grant(holder: address, role: Role):
    bits: uint256 = convert(role, uint256)
    one: bool = bits != 0 and bits & (bits - 1) == 0
    assert one and holder != empty(address), "role: unknown"
    assert self.role_of[holder] == empty(Role), "role: holder has one"
    self._check_apart(holder)
    grant: uint256 = self._grants + 1
    self._grants = grant
    self._grant_of[holder] = grant
    self._holder_of[grant] = holder
    self.role_of[holder] = role
    log RoleGranted(holder=holder, role=role, grant=grant)


@internal
def _withdraw(holder: address):
    role: Role = self.role_of[holder]
    assert role != empty(Role), "role: none"
    self._holder_of[self._grant_of[holder]] = empty(address)
    self._grant_of[holder] = 0
    self.role_of[holder] = empty(Role)
    log RoleWithdrawn(holder=holder, role=role)


@internal
def _set_oversight(oversight: ICouncil):
    decisions._check_body(oversight)
    self.oversight = oversight
    self._check_two_councils()
    log OversightReplaced(oversight=oversight.address)


@internal
@view
def _check_two_councils():
    assert self.oversight.address != decisions.body.address, "oversight: is the council"


@internal
def _endorse(id: bytes32, approvals: DynArray[ICouncil.Approval, 16]):
    """
    @dev Keep who endorsed, so that the same person cannot approve too.
    """
    version: uint256 = decisions._verified(self.oversight, id, approvals)
    for approval: ICouncil.Approval in approvals:
        self._check_signer(approval.signer)
        self._endorser[id][approval.signer] = True
    self._endorsed_by[id] = self._oversight_word(version)
    log Endorsed(id=id, oversight=self.oversight.address)


@internal
@view
def _oversight_word(version: uint256) -> uint256:
    return (convert(self.oversight.address, uint256) << VERSION_BITS) | version


@internal
@view
def _endorsed(id: bytes32) -> bool:
    """
    @dev By the oversight of now, under its policy of now.
    """
    return self._endorsed_by[id] == self._oversight_word(staticcall self.oversight.policy_version())


@internal
@view
def _check_endorsed(id: bytes32):
    assert self._endorsed(id), "decision: not endorsed"


@internal
@view
def _check_signer(signer: address):
    assert self.role_of[signer] == empty(Role), "approver: holds a role"


@internal
@view
def _check_approvers(id: bytes32, approvals: DynArray[ICouncil.Approval, 16]):
    """
    @dev Nobody approves who holds a role, or who has endorsed the same decision.
    """
    if self.endorsement_needed[id]:
        self._check_endorsed(id)
    for approval: ICouncil.Approval in approvals:
        self._check_signer(approval.signer)
        assert not self._endorser[id][approval.signer], "approver: has endorsed"
