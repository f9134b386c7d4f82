# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Typed decisions of a body: proposed, approved, ripe after a delay, executed once
@notice A decision is known by the EIP-712 digest of what it does and of its terms, so a signature approves
        exactly one act, in one contract, on one chain, under one policy.

        proposed  -- approve (m of n), starts the delay -->  approved  -- the contract executes -->  executed
        proposed, approved  -- veto (guardian) -->  vetoed  -- override (three quarters), three delays -->  approved

        An id is used once for ever. A decision dies at `expires`, when its body's policy version moves on, and when
        the body leaves office: it is bound to the term in which it was proposed, so it does not come back with the
        body either. A veto that was overridden cannot be repeated: above every guardian stands a larger, slower
        majority, also where the decision is to replace him.
        The contract that uses this module keeps what the decision does and calls `_open` and `_consume`.
"""

from ..interfaces import ICouncil
from . import typed_data

uses: typed_data


flag State:
    PROPOSED
    APPROVED
    EXECUTED
    VETOED


struct Terms:
    policy_version: uint256
    nonce: uint256
    not_before: uint256
    expires: uint256


struct Decision:
    state: State
    policy_version: uint256
    delay: uint256
    not_before: uint256
    expires: uint256
    ready_at: uint256
    term: uint256
    overridden: bool


event Approved:
    id: indexed(bytes32)
    ready_at: uint256


event Vetoed:
    id: indexed(bytes32)
    guardian: indexed(address)


event Executed:
    id: indexed(bytes32)


event BodyProposed:
    id: indexed(bytes32)
    body: indexed(address)


event BodyReplaced:
    body: indexed(address)


# A decision is not meant to wait longer for its approvals: people and reasons change.
LIFE_MAX: constant(uint256) = 90 * 86_400
# So that every delay, also the doubled one of large sums, leaves time to approve within that life.
DELAY_MAX: constant(uint256) = 30 * 86_400
# How many delays an overridden decision waits, and how long it can be executed at least.
OVERRIDE_DELAYS: constant(uint256) = 3
OVERRIDE_LIFE: constant(uint256) = 7 * 86_400

TERMS_TYPE: constant(bytes32) = keccak256(
    "Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
REPLACE_BODY_TYPE: constant(bytes32) = keccak256(
    "ReplaceBody(address body,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

OVERRIDE_TYPE: constant(bytes32) = keccak256("OverrideVeto(bytes32 decision,uint256 policyVersion)")

body: public(ICouncil)
delay: public(uint256)
decision: public(HashMap[bytes32, Decision])
# The term of office of the body: another body, another term, and the same body again too.
term: public(uint256)


@deploy
def __init__(body: ICouncil, delay: uint256):
    """
    @param body The council whose approval counts.
    @param delay Seconds between approval and execution of what raises risk, at most thirty days.
    """
    assert delay > 0 and delay <= DELAY_MAX, "decision: delay out of range"
    assert body.address != empty(address), "no council"
    self.body = body
    self.delay = delay


@external
def approve_decision(id: bytes32, approvals: DynArray[ICouncil.Approval, 16]):
    """
    @notice Bring the approvals of a proposed decision; anyone may carry them. Starts the delay.
    @dev For a vetoed one they are of `override_id(id)` and of three quarters of the body: that overrides the veto for
         good, and the decision is ripe after three delays.
    @param id The decision.
    @param approvals Sorted by signer; an empty signature stands for an approval given by transaction.
    """
    self._approve(id, approvals)


@external
def veto_decision(id: bytes32):
    """
    @notice The guardian ends a decision that has not been executed.
    @param id The decision.
    """
    self._veto(id)


@external
@view
def override_id(id: bytes32) -> bytes32:
    """
    @param id A decision.
    @return The EIP-712 digest that members sign to override its veto.
    """
    return self._override_id(id)


@external
def propose_body(body: ICouncil, terms: Terms) -> bytes32:
    """
    @notice A member proposes that another council succeed this one; always delayed.
    @param body The successor.
    @param terms When, and under which policy.
    @return The decision's id.
    """
    self._check_member()
    self._check_body(body)
    return self._propose_body(body, terms)


@external
def replace_body(body: ICouncil, terms: Terms):
    """
    @notice Carry out an approved succession.
    @param body The successor, as approved.
    @param terms As approved.
    """
    self._replace_body(body, terms)


# What a contract does that keeps a journal of its own: it wraps these instead of exporting the functions above.


@internal
def _approve(id: bytes32, approvals: DynArray[ICouncil.Approval, 16]):
    overrides: bool = self.decision[id].state == State.VETOED
    assert overrides or self.decision[id].state == State.PROPOSED, "decision: not proposed"
    digest: bytes32 = id
    delay: uint256 = self.decision[id].delay
    if overrides:
        digest = self._override_id(id)
        delay = OVERRIDE_DELAYS * max(delay, self.delay)
    self._check_alive(id, self._verified(self.body, digest, approvals, overrides))
    ready_at: uint256 = max(block.timestamp + delay, self.decision[id].not_before)
    if overrides:
        self.decision[id].overridden = True
        # Those who override consent to the longer wait: else a short life would let the veto stand.
        self.decision[id].expires = max(self.decision[id].expires, ready_at + OVERRIDE_LIFE)
    assert ready_at <= self.decision[id].expires, "decision: expires before it is ripe"
    self.decision[id].state = State.APPROVED
    self.decision[id].ready_at = ready_at
    log Approved(id=id, ready_at=ready_at)


@internal
@view
def _verified(
    body: ICouncil,
    digest: bytes32,
    approvals: DynArray[ICouncil.Approval, 16],
    larger: bool = False,
) -> uint256:
    """
    @param larger Whether the larger majority is needed, the one above a veto.
    @return The policy version of `body` under which its members approved.
    """
    return staticcall body.verify_majority(digest, approvals, larger)


@internal
def _veto(id: bytes32):
    state: State = self.decision[id].state
    assert state in (State.PROPOSED | State.APPROVED), "decision: nothing to veto"
    self._check_guardian()
    assert not self.decision[id].overridden, "decision: veto overridden"
    self.decision[id].state = State.VETOED
    log Vetoed(id=id, guardian=msg.sender)


@internal
@view
def _check_guardian():
    assert msg.sender == staticcall self.body.guardian(), "only the guardian"


@internal
def _propose_body(body: ICouncil, terms: Terms) -> bytes32:
    id: bytes32 = self._body_id(body, terms)
    self._open(id, terms, self.delay)
    log BodyProposed(id=id, body=body.address)
    return id


@internal
def _replace_body(body: ICouncil, terms: Terms):
    id: bytes32 = self._body_id(body, terms)
    self._consume(id)
    self._check_body(body)
    self.body = body
    self.term += 1
    log BodyReplaced(body=body.address)


@internal
@view
def _check_alive(id: bytes32, policy_version: uint256):
    """
    @param policy_version Of the body now.
    """
    assert self.decision[id].term == self.term, "decision: body replaced"
    assert self.decision[id].policy_version == policy_version, "decision: policy changed"
    assert block.timestamp <= self.decision[id].expires, "decision: expired"


@internal
@view
def _check_member():
    """
    @dev Who may put a decision on the table: each costs storage for ever, so not just anyone.
    """
    assert staticcall self.body.is_member(msg.sender), "only a member"


@internal
@view
def _check_body(body: ICouncil):
    """
    @dev A successor that cannot decide would end every decision for ever: it must have code and a policy, somebody
         who can say no, and not take no approvals for enough.
    """
    # verify_majority(0, [], False): the digest, where the array begins, which majority, a length of zero
    approves: bool = raw_call(
        body.address,
        concat(
            method_id("verify_majority(bytes32,(address,bytes)[],bool)"),
            empty(bytes32),
            convert(96, bytes32),
            empty(bytes32),
            empty(bytes32),
        ),
        is_static_call=True,
        revert_on_failure=False,
    )
    decides: bool = not approves and body.address.is_contract and staticcall body.policy_version() > 0
    assert decides and staticcall body.guardian() != empty(address), "no council"


@internal
@view
def _body_id(body: ICouncil, terms: Terms) -> bytes32:
    return typed_data._digest(
        keccak256(abi_encode(REPLACE_BODY_TYPE, body.address, self._terms_hash(terms)))
    )


@internal
@pure
def _terms_hash(terms: Terms) -> bytes32:
    return keccak256(
        abi_encode(TERMS_TYPE, terms.policy_version, terms.nonce, terms.not_before, terms.expires)
    )


@internal
@view
def _override_id(id: bytes32) -> bytes32:
    return typed_data._digest(
        keccak256(abi_encode(OVERRIDE_TYPE, id, self.decision[id].policy_version))
    )


@internal
def _open(id: bytes32, terms: Terms, delay: uint256):
    """
    @dev Record a proposal. The caller has checked who proposes and computed `id` over `terms`.
    """
    assert self.decision[id].state == empty(State), "decision: id used"
    assert terms.policy_version == staticcall self.body.policy_version(), "decision: policy changed"
    assert terms.expires > block.timestamp, "decision: expired"
    assert terms.expires <= block.timestamp + LIFE_MAX, "decision: lives too long"
    ripe: uint256 = max(block.timestamp + delay, terms.not_before)
    assert ripe <= terms.expires, "decision: never ripe"
    self.decision[id] = Decision(
        state=State.PROPOSED,
        policy_version=terms.policy_version,
        delay=delay,
        not_before=terms.not_before,
        expires=terms.expires,
        ready_at=0,
        term=self.term,
        overridden=False,
    )


@internal
def _consume(id: bytes32):
    """
    @dev Use up an approved, ripe decision of the body in office, or revert.
    """
    assert self.decision[id].state == State.APPROVED, "decision: not approved"
    assert block.timestamp >= self.decision[id].ready_at, "decision: not ripe"
    self._check_alive(id, staticcall self.body.policy_version())
    self.decision[id].state = State.EXECUTED
    log Executed(id=id)
