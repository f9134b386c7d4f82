# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Typed decisions of a body: proposed, approved, ripe after a delay, executed once
@notice A decision is known by the EIP-712 digest of what it does and of its terms, so a signature approves
        exactly one act, in one contract, on one chain, under one policy.

        proposed  -- approve (m of n), starts the delay -->  approved  -- the contract executes -->  executed
        proposed, approved  -- veto (guardian) -->  vetoed

        An id is used once for ever. A decision dies at `expires`, and when the body's policy version moves on.
        The contract that uses this module keeps what the decision does and calls `_open` and `_consume`.
"""

from ..interfaces import ICouncil
from . import typed_data

uses: typed_data


struct Terms:
    policy_version: uint256
    nonce: uint256
    not_before: uint256
    expires: uint256


struct Decision:
    state: uint256
    policy_version: uint256
    delay: uint256
    not_before: uint256
    expires: uint256
    ready_at: uint256


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


PROPOSED: constant(uint256) = 1
APPROVED: constant(uint256) = 2
EXECUTED: constant(uint256) = 3
VETOED: constant(uint256) = 4

# A decision is not meant to wait longer for its approvals: people and reasons change.
LIFE_MAX: constant(uint256) = 90 * 86_400

TERMS_TYPE: constant(bytes32) = keccak256(
    "Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
REPLACE_BODY_TYPE: constant(bytes32) = keccak256(
    "ReplaceBody(address body,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

body: public(ICouncil)
delay: public(uint256)
decision: public(HashMap[bytes32, Decision])


@deploy
def __init__(body: ICouncil, delay: uint256):
    """
    @param body The council whose approval counts.
    @param delay Seconds between approval and execution of what raises risk.
    """
    assert body.address != empty(address), "no council"
    self.body = body
    self.delay = delay


@external
def approve_decision(id: bytes32, approvals: DynArray[ICouncil.Approval, 16]):
    """
    @notice Bring the approvals of a proposed decision; anyone may carry them. Starts the delay.
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
def propose_body(body: ICouncil, terms: Terms) -> bytes32:
    """
    @notice Propose that another council succeed this one; always delayed.
    @param body The successor.
    @param terms When, and under which policy.
    @return The decision's id.
    """
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
    decision: Decision = self.decision[id]
    assert decision.state == PROPOSED, "decision: not proposed"
    version: uint256 = self._verified(self.body, id, approvals)
    assert version == decision.policy_version, "decision: policy changed"
    ready_at: uint256 = max(block.timestamp + decision.delay, decision.not_before)
    assert ready_at <= decision.expires, "decision: expires before it is ripe"
    self.decision[id].state = APPROVED
    self.decision[id].ready_at = ready_at
    log Approved(id=id, ready_at=ready_at)


@internal
@view
def _verified(
    body: ICouncil, id: bytes32, approvals: DynArray[ICouncil.Approval, 16]
) -> uint256:
    """
    @return The policy version of `body` under which its members approved.
    """
    return staticcall body.verify(id, approvals)


@internal
def _veto(id: bytes32):
    self._check_guardian()
    state: uint256 = self.decision[id].state
    assert state == PROPOSED or state == APPROVED, "decision: nothing to veto"
    self.decision[id].state = VETOED
    log Vetoed(id=id, guardian=msg.sender)


@internal
@view
def _check_guardian():
    assert msg.sender == staticcall self.body.guardian(), "only the guardian"


@internal
def _propose_body(body: ICouncil, terms: Terms) -> bytes32:
    assert body.address != empty(address), "no council"
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
    log BodyReplaced(body=body.address)


@internal
@view
def _check_body(body: ICouncil):
    """
    @dev A successor that cannot decide would end every decision for ever: it must have code and a policy, somebody
         who can say no, and not take no approvals for enough.
    """
    # verify(0, []): the digest, where the array begins, its length of zero
    approves: bool = raw_call(
        body.address,
        concat(
            method_id("verify(bytes32,(address,bytes)[])"),
            empty(bytes32),
            convert(64, bytes32),
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
def _open(id: bytes32, terms: Terms, delay: uint256):
    """
    @dev Record a proposal. The caller has checked who proposes and computed `id` over `terms`.
    """
    assert self.decision[id].state == 0, "decision: id used"
    assert terms.policy_version == staticcall self.body.policy_version(), "decision: policy changed"
    assert terms.expires > block.timestamp, "decision: expired"
    assert terms.expires <= block.timestamp + LIFE_MAX, "decision: lives too long"
    assert terms.not_before <= terms.expires, "decision: never ripe"
    self.decision[id] = Decision(
        state=PROPOSED,
        policy_version=terms.policy_version,
        delay=delay,
        not_before=terms.not_before,
        expires=terms.expires,
        ready_at=0,
    )


@internal
def _consume(id: bytes32):
    """
    @dev Use up an approved, ripe decision, or revert.
    """
    decision: Decision = self.decision[id]
    assert decision.state == APPROVED, "decision: not approved"
    assert block.timestamp >= decision.ready_at, "decision: not ripe"
    assert block.timestamp <= decision.expires, "decision: expired"
    assert decision.policy_version == staticcall self.body.policy_version(), "decision: policy changed"
    self.decision[id].state = EXECUTED
    log Executed(id=id)
