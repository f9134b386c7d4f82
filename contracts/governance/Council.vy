# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Council: a public body of up to sixteen members of whom m decide
@notice Holds who belongs to a body (fund council, National Bank board, city authority) and checks approvals
        for the contracts that the body governs. It executes nothing itself and can call nothing.

        Who can stop what:
        * the guardian may veto a change of the council before it is executed, and the decisions of every
          contract governed by the council; he can start nothing;
        * m members can change members, threshold and guardian; what only removes members takes effect at once,
          everything else after the delay;
        * a change of members or threshold raises `policy_version`, and every approval given before is void.
"""

from ..interfaces import ICouncil
from ..lib import decisions
from ..lib import signature
from ..lib import typed_data

initializes: typed_data
initializes: decisions[typed_data := typed_data]

implements: ICouncil

exports: (
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.approve_decision,
    decisions.veto_decision,
    decisions.decision,
    decisions.delay,
)


interface IERC1271:
    def isValidSignature(digest: bytes32, signature: Bytes[320]) -> bytes4: view


event MembershipProposed:
    id: indexed(bytes32)
    members: DynArray[address, 16]
    threshold: uint256
    guardian: address


event MembershipChanged:
    policy_version: indexed(uint256)
    members: DynArray[address, 16]
    threshold: uint256
    guardian: address


event Confirmed:
    digest: indexed(bytes32)
    member: indexed(address)


ERC1271_OK: constant(bytes4) = 0x1626ba7e
MEMBERSHIP_TYPE: constant(bytes32) = keccak256(
    "Membership(address[] members,uint256 threshold,address guardian,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

name: public(String[64])
_members: DynArray[address, 16]
threshold: public(uint256)
# Read by governed contracts while this one may be at work itself, so without the lock.
policy_version: reentrant(public(uint256))
guardian: reentrant(public(address))
# member -> policy version in which he is one; older entries are former members
_member_in: HashMap[address, uint256]
# digest -> member -> policy version under which he confirmed it by transaction
_confirmed: HashMap[bytes32, HashMap[address, uint256]]


@deploy
def __init__(
    name: String[64],
    members: DynArray[address, 16],
    threshold: uint256,
    guardian: address,
    delay: uint256,
):
    """
    @param name The body's name, also of its EIP-712 domain.
    @param members Ascending, without duplicates or the zero address.
    @param threshold How many of them decide, at least one.
    @param guardian Who may veto; not a member.
    @param delay Seconds before a change of the council takes effect.
    """
    typed_data.__init__(name)
    decisions.__init__(ICouncil(self), delay)
    self.name = name
    self._install(members, threshold, guardian)


@external
@view
def members() -> DynArray[address, 16]:
    """
    @return The members, ascending.
    """
    return self._members


@external
@view
def is_member(account: address) -> bool:
    """
    @return Whether `account` is a member now.
    """
    return self._is_member(account)


# Called by this contract's own `decisions.approve_decision` under its lock; reads only.
@external
@view
@reentrant
def verify(digest: bytes32, approvals: DynArray[ICouncil.Approval, 16]) -> uint256:
    """
    @notice Reverts unless at least `threshold` members approved `digest`.
    @param approvals Strictly ascending by signer. An empty signature stands for `confirm`; 65 bytes are
           r, s, v; otherwise a signer that is a contract is asked (ERC-1271).
    @return The policy version under which they approved.
    """
    assert len(approvals) >= self.threshold, "council: too few approvals"
    last: address = empty(address)
    for approval: ICouncil.Approval in approvals:
        signer: address = approval.signer
        assert convert(signer, uint256) > convert(last, uint256), "council: not sorted"
        assert self._is_member(signer), "council: not a member"
        assert self._approved(digest, approval), "council: bad signature"
        last = signer
    return self.policy_version


@external
def confirm(digest: bytes32):
    """
    @notice A member approves by transaction what others approve by signature.
    """
    assert self._is_member(msg.sender), "council: not a member"
    self._confirmed[digest][msg.sender] = self.policy_version
    log Confirmed(digest=digest, member=msg.sender)


@external
def propose_membership(
    members: DynArray[address, 16], threshold: uint256, guardian: address, terms: decisions.Terms
) -> bytes32:
    """
    @notice A member proposes another composition. Without delay if it only removes members.
    """
    assert self._is_member(msg.sender), "council: not a member"
    self._check_composition(members, threshold, guardian)
    id: bytes32 = self._membership_id(members, threshold, guardian, terms)
    delay: uint256 = decisions.delay
    if self._only_removes(members, threshold, guardian):
        delay = 0
    decisions._open(id, terms, delay)
    log MembershipProposed(id=id, members=members, threshold=threshold, guardian=guardian)
    return id


@external
def change_membership(
    members: DynArray[address, 16], threshold: uint256, guardian: address, terms: decisions.Terms
):
    """
    @notice Carry out an approved change; anyone may, with the values that were approved.
    """
    decisions._consume(self._membership_id(members, threshold, guardian, terms))
    self._install(members, threshold, guardian)


@internal
@view
def _membership_id(
    members: DynArray[address, 16], threshold: uint256, guardian: address, terms: decisions.Terms
) -> bytes32:
    # EIP-712 hashes an array as the concatenation of its words, without offset and length.
    encoded: Bytes[576] = abi_encode(members)
    words: Bytes[576] = slice(encoded, 64, len(encoded) - 64)
    return typed_data._digest(
        keccak256(
            abi_encode(
                MEMBERSHIP_TYPE, keccak256(words), threshold, guardian, decisions._terms_hash(terms)
            )
        )
    )


@internal
@view
def _is_member(account: address) -> bool:
    version: uint256 = self._member_in[account]
    return version != 0 and version == self.policy_version


@internal
@view
def _approved(digest: bytes32, approval: ICouncil.Approval) -> bool:
    if len(approval.signature) == 0:
        return self._confirmed[digest][approval.signer] == self.policy_version
    if len(approval.signature) == 65:
        parts: Bytes[65] = slice(approval.signature, 0, 65)
        if signature._recover(digest, parts) == approval.signer:
            return True
    if not approval.signer.is_contract:
        return False
    # A staticcall: a signer that lies speaks for itself alone, and one that re-enters can change nothing.
    answer: Bytes[32] = raw_call(
        approval.signer,
        abi_encode(digest, approval.signature, method_id=method_id("isValidSignature(bytes32,bytes)")),
        max_outsize=32,
        is_static_call=True,
    )
    return len(answer) == 32 and convert(answer, bytes32) == convert(ERC1271_OK, bytes32)


@internal
@view
def _only_removes(members: DynArray[address, 16], threshold: uint256, guardian: address) -> bool:
    if threshold < self.threshold or guardian != self.guardian:
        return False
    for member: address in members:
        if not self._is_member(member):
            return False
    return True


@internal
@pure
def _check_composition(members: DynArray[address, 16], threshold: uint256, guardian: address):
    assert threshold > 0, "council: threshold is zero"
    assert threshold <= len(members), "council: threshold above members"
    last: address = empty(address)
    for member: address in members:
        assert convert(member, uint256) > convert(last, uint256), "council: not sorted"
        assert member != guardian, "council: guardian is a member"
        last = member


@internal
def _install(members: DynArray[address, 16], threshold: uint256, guardian: address):
    self._check_composition(members, threshold, guardian)
    version: uint256 = self.policy_version + 1
    for member: address in members:
        self._member_in[member] = version
    self._members = members
    self.threshold = threshold
    self.guardian = guardian
    self.policy_version = version
    log MembershipChanged(
        policy_version=version, members=members, threshold=threshold, guardian=guardian
    )
