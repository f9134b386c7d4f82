# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Council: a public body of up to sixteen members of whom m decide
@notice Holds who belongs to a body (fund council, National Bank board, city authority) and checks approvals
        for the contracts that the body governs. It executes nothing itself and can call nothing.

        Who can stop what:
        * the guardian may veto a change of the council before it is executed, and the decisions of every
          contract governed by the council; he can start nothing. Three quarters of the members override his veto
          after three delays, also where the change is to replace him;
        * m members can change members, threshold and guardian, always after the delay: two of three cannot expel
          the third in a moment;
        * a change of members or threshold raises `policy_version`, and every approval given before is void;
        * who gives no sign of life (`confirm`, `check_in`, proposing) for `silence` seconds leaves the quorum until
          he does: his approvals do not count, and three quarters are counted without him. With fewer than the
          threshold left, all who are left must agree: at least half of the threshold, and two where it was two;
        * a body that cannot decide any more is given new members by the `higher` body, after three delays. Members
          who show themselves in time prevent it; a body that can decide is never touched.
"""

from ..interfaces import ICouncil
from ..lib import decisions
from ..lib import signature
from ..lib import signature_schemes
from ..lib import typed_data

initializes: typed_data
initializes: decisions[typed_data := typed_data]

implements: ICouncil

exports: (
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.approve_decision,
    decisions.veto_decision,
    decisions.override_id,
    decisions.decision,
    decisions.delay,
    decisions.term,
)


interface IERC1271:
    def isValidSignature(digest: bytes32, signature: Bytes[512]) -> bytes4: view


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


event CheckedIn:
    member: indexed(address)


event RestorationApproved:
    id: indexed(bytes32)
    ready_at: uint256
    members: DynArray[address, 16]
    threshold: uint256
    guardian: address


ERC1271_OK: constant(bytes4) = 0x1626ba7e
MEMBERSHIP_TYPE: constant(bytes32) = keccak256(
    "Membership(address[] members,uint256 threshold,address guardian,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
RESTORATION_TYPE: constant(bytes32) = keccak256(
    "Restoration(address[] members,uint256 threshold,address guardian,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
CHECK_IN_TYPE: constant(bytes32) = keccak256("CheckIn(address member,uint256 time)")
# A signed sign of life counts for a day, so that an old one cannot be shown later.
CHECK_IN_LIFE: constant(uint256) = 86_400
SILENCE_MIN: constant(uint256) = 30 * 86_400
# A restoration waits as an overridden veto does.
RESTORATION_DELAYS: constant(uint256) = 3

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
# member -> second of his last sign of life
seen: public(HashMap[address, uint256])
# restoration -> second from which it can be carried out
_restoration_ready_at: HashMap[bytes32, uint256]
silence: public(immutable(uint256))
higher: public(immutable(ICouncil))


@deploy
def __init__(
    name: String[64],
    members: DynArray[address, 16],
    threshold: uint256,
    guardian: address,
    delay: uint256,
    silence_: uint256,
    higher_: ICouncil,
):
    """
    @param name The body's name, also of its EIP-712 domain.
    @param members Ascending, without duplicates or the zero address.
    @param threshold How many of them decide, at least one.
    @param guardian Who may veto; not a member.
    @param delay Seconds before a change of the council takes effect.
    @param silence_ Seconds without a sign of life after which a key leaves the quorum, at least thirty days.
    @param higher_ The body that restores this one when it cannot decide any more; zero for none.
    """
    assert silence_ >= SILENCE_MIN, "council: silence too short"
    assert higher_.address != self, "council: higher than itself"
    typed_data.__init__(name)
    decisions.__init__(ICouncil(self), delay)
    silence = silence_
    higher = higher_
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
@reentrant
def is_member(account: address) -> bool:
    """
    @param account Anyone.
    @return Whether he is a member now.
    """
    return self._is_member(account)


# Called by this contract's own `decisions.approve_decision` under its lock; reads only.
@external
@view
@reentrant
def verify(digest: bytes32, approvals: DynArray[ICouncil.Approval, 16]) -> uint256:
    """
    @notice Reverts unless at least `threshold` members approved `digest`; fewer while keys are silent.
    @param digest What was approved.
    @param approvals Strictly ascending by signer. An empty signature stands for `confirm`; 65 bytes are
           r, s, v; longer ones are of P-256 accounts; a signer that is a contract is asked (ERC-1271).
    @return The policy version under which they approved.
    """
    return self._verify(digest, approvals, False)


@external
@view
@reentrant
def verify_majority(
    digest: bytes32, approvals: DynArray[ICouncil.Approval, 16], larger: bool
) -> uint256:
    """
    @notice As `verify`. With `larger`, three quarters of the members in the quorum must have approved, and at least
            as many as decide.
    @param digest What was approved.
    @param approvals As in `verify`.
    @param larger Whether to ask for the majority that overrules a veto.
    @return The policy version under which they approved.
    """
    return self._verify(digest, approvals, larger)


@external
@view
def quorum() -> uint256:
    """
    @return How many approvals decide now: the threshold, or fewer while keys are silent.
    """
    return self._quorum()


@external
@view
def can_decide() -> bool:
    """
    @return Whether as many members as must agree have given a sign of life lately.
    """
    return self._present() >= self._quorum()


@external
def check_in():
    """
    @notice A member shows that he still has his key.
    """
    assert self._is_member(msg.sender), "council: not a member"
    self._see(msg.sender)


@external
def check_in_signed(member: address, time: uint256, signed: Bytes[512]):
    """
    @notice As `check_in`, by signature; anyone may carry it.
    @param member Who signed.
    @param time Second at which he did, no more than a day ago.
    @param signed Signature of `CheckIn(member, time)`, as in `verify`.
    """
    assert self._is_member(member), "council: not a member"
    assert time <= block.timestamp and time + CHECK_IN_LIFE > block.timestamp, "council: not of today"
    digest: bytes32 = typed_data._digest(keccak256(abi_encode(CHECK_IN_TYPE, member, time)))
    assert len(signed) > 0, "council: bad signature"
    approval: ICouncil.Approval = ICouncil.Approval(signer=member, signature=signed)
    assert self._approved(digest, approval), "council: bad signature"
    self._see(member)


@external
def confirm(digest: bytes32):
    """
    @notice A member approves by transaction what others approve by signature.
    @param digest The decision's id.
    """
    assert self._is_member(msg.sender), "council: not a member"
    self._confirmed[digest][msg.sender] = self.policy_version
    self._see(msg.sender)
    log Confirmed(digest=digest, member=msg.sender)


@external
def propose_membership(
    members: DynArray[address, 16], threshold: uint256, guardian: address, terms: decisions.Terms
) -> bytes32:
    """
    @notice A member proposes another composition.
    @param members As for the constructor.
    @param threshold How many of them decide.
    @param guardian Who may veto from then on.
    @param terms When, and under which policy.
    @return The decision's id.
    """
    assert self._is_member(msg.sender), "council: not a member"
    self._check_composition(members, threshold, guardian)
    self._see(msg.sender)
    id: bytes32 = self._composition_id(MEMBERSHIP_TYPE, members, threshold, guardian, terms)
    decisions._open(id, terms, decisions.delay)
    log MembershipProposed(id=id, members=members, threshold=threshold, guardian=guardian)
    return id


@external
def change_membership(
    members: DynArray[address, 16], threshold: uint256, guardian: address, terms: decisions.Terms
):
    """
    @notice Carry out an approved change; anyone may, with the values that were approved.
    @param members As approved.
    @param threshold As approved.
    @param guardian As approved.
    @param terms As approved.
    """
    decisions._consume(self._composition_id(MEMBERSHIP_TYPE, members, threshold, guardian, terms))
    self._install(members, threshold, guardian)


@external
def approve_restoration(
    members: DynArray[address, 16],
    threshold: uint256,
    guardian: address,
    terms: decisions.Terms,
    approvals: DynArray[ICouncil.Approval, 16],
):
    """
    @notice The higher body approves a new composition for this one, which cannot decide any more; anyone may carry
            its approvals. Starts three delays.
    @param members As for the constructor.
    @param threshold How many of them decide.
    @param guardian Who may veto from then on.
    @param terms When, and under which policy of the higher body.
    @param approvals Of `restoration_id`, as in `verify`.
    """
    assert higher.address != empty(address), "council: no higher body"
    self._check_lost()
    self._check_composition(members, threshold, guardian)
    id: bytes32 = self._composition_id(RESTORATION_TYPE, members, threshold, guardian, terms)
    assert self._restoration_ready_at[id] == 0, "council: approved already"
    assert staticcall higher.verify(id, approvals) == terms.policy_version, "decision: policy changed"
    ready_at: uint256 = block.timestamp + RESTORATION_DELAYS * decisions.delay
    ready_at = max(ready_at, terms.not_before)
    assert ready_at <= terms.expires, "decision: never ripe"
    self._restoration_ready_at[id] = ready_at
    log RestorationApproved(
        id=id, ready_at=ready_at, members=members, threshold=threshold, guardian=guardian
    )


@external
@view
def restoration_id(
    members: DynArray[address, 16], threshold: uint256, guardian: address, terms: decisions.Terms
) -> bytes32:
    """
    @param members As in `approve_restoration`.
    @param threshold As in `approve_restoration`.
    @param guardian As in `approve_restoration`.
    @param terms As in `approve_restoration`.
    @return The EIP-712 digest that members of the higher body sign.
    """
    return self._composition_id(RESTORATION_TYPE, members, threshold, guardian, terms)


@external
def restore_membership(
    members: DynArray[address, 16], threshold: uint256, guardian: address, terms: decisions.Terms
):
    """
    @notice Carry out an approved restoration, unless this body can decide again; anyone may.
    @param members As approved.
    @param threshold As approved.
    @param guardian As approved.
    @param terms As approved.
    """
    self._check_lost()
    id: bytes32 = self._composition_id(RESTORATION_TYPE, members, threshold, guardian, terms)
    ready_at: uint256 = self._restoration_ready_at[id]
    assert ready_at != 0, "decision: not approved"
    assert block.timestamp >= ready_at, "decision: not ripe"
    assert block.timestamp <= terms.expires, "decision: expired"
    assert terms.policy_version == staticcall higher.policy_version(), "decision: policy changed"
    # Never again, should the new members be lost too.
    self._restoration_ready_at[id] = max_value(uint256)
    self._install(members, threshold, guardian)
    # Also who sat here before and was silent begins anew.
    for member: address in members:
        self.seen[member] = block.timestamp


@internal
@view
def _verify(
    digest: bytes32, approvals: DynArray[ICouncil.Approval, 16], larger: bool
) -> uint256:
    needed: uint256 = self.threshold
    if larger:
        needed = max((3 * self._present() + 3) // 4, self._quorum())
    elif len(approvals) < needed:
        needed = self._quorum()
    assert len(approvals) >= needed, "council: too few approvals"
    last: address = empty(address)
    for approval: ICouncil.Approval in approvals:
        signer: address = approval.signer
        assert convert(signer, uint256) > convert(last, uint256), "council: not sorted"
        assert self._is_member(signer), "council: not a member"
        assert self._is_present(signer), "council: silent for too long, must check in"
        assert self._approved(digest, approval), "council: bad signature"
        last = signer
    return self.policy_version


@internal
@view
def _check_lost():
    assert self._present() < self._quorum(), "council: can decide"


@internal
@view
def _is_present(member: address) -> bool:
    return block.timestamp < self.seen[member] + silence


@internal
@view
def _present() -> uint256:
    """
    @return How many members have given a sign of life lately.
    """
    present: uint256 = 0
    for member: address in self._members:
        if self._is_present(member):
            present += 1
    return present


@internal
@view
def _quorum() -> uint256:
    """
    @return How many must agree now. With silent keys all that are left, but never fewer than half of the threshold,
            nor one where two were needed.
    """
    threshold: uint256 = self.threshold
    least: uint256 = max((threshold + 1) // 2, min(threshold, 2))
    return min(threshold, max(self._present(), least))


@internal
def _see(member: address):
    self.seen[member] = block.timestamp
    log CheckedIn(member=member)


@internal
@view
def _composition_id(
    type_hash: bytes32,
    members: DynArray[address, 16],
    threshold: uint256,
    guardian: address,
    terms: decisions.Terms,
) -> bytes32:
    # EIP-712 hashes an array as the concatenation of its words, without offset and length.
    encoded: Bytes[576] = abi_encode(members)
    words: Bytes[576] = slice(encoded, 64, len(encoded) - 64)
    return typed_data._digest(
        keccak256(
            abi_encode(
                type_hash, keccak256(words), threshold, guardian, decisions._terms_hash(terms)
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
        return len(approval.signature) > 65 and signature_schemes._verified(
            digest, approval.signer, approval.signature
        )
    # A staticcall: a signer that lies speaks for itself alone, and one that re-enters can change nothing.
    answer: Bytes[32] = raw_call(
        approval.signer,
        abi_encode(digest, approval.signature, method_id=method_id("isValidSignature(bytes32,bytes)")),
        max_outsize=32,
        is_static_call=True,
    )
    return len(answer) == 32 and convert(answer, bytes32) == convert(ERC1271_OK, bytes32)


@internal
@pure
def _check_composition(members: DynArray[address, 16], threshold: uint256, guardian: address):
    assert threshold > 0, "council: threshold is zero"
    assert threshold <= len(members), "council: threshold above members"
    assert guardian != empty(address), "council: no guardian"
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
        if not self._is_member(member):
            self.seen[member] = block.timestamp
        self._member_in[member] = version
    self._members = members
    self.threshold = threshold
    self.guardian = guardian
    self.policy_version = version
    log MembershipChanged(
        policy_version=version, members=members, threshold=threshold, guardian=guardian
    )
