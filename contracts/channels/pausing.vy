# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title A pause of new money: the guardian begins it at once, and it lapses; the council ends it early, after the delay
@notice The contract that uses this module asks before it takes money in, and nowhere else.
"""

from ..lib import decisions
from ..lib import pauses
from ..lib import typed_data

uses: decisions
uses: pauses
uses: typed_data


LIFT_PAUSE_TYPE: constant(bytes32) = keccak256(
    "LiftPause(Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

@external
def pause():
    """
    @notice The guardian stops new money at once, for a week; then he rests.
    """
    decisions._check_guardian()
    pauses._declare(msg.sender)


@external
def propose_unpause(terms: decisions.Terms) -> bytes32:
    """
    @notice A member puts the end of the pause before the council.
    @param terms Policy, nonce and times of the decision.
    @return Its id, which members sign.
    """
    decisions._check_member()
    id: bytes32 = self._unpause_id(terms)
    decisions._open(id, terms, decisions.delay)
    return id


@external
def unpause(terms: decisions.Terms):
    """
    @notice Lift the pause by an approved and ripe decision; anyone may.
    @param terms As proposed.
    """
    decisions._consume(self._unpause_id(terms))
    pauses._lift()


@internal
@view
def _unpause_id(terms: decisions.Terms) -> bytes32:
    """
    @param terms As proposed.
    @return The decision's id.
    """
    return typed_data._digest(keccak256(abi_encode(LIFT_PAUSE_TYPE, decisions._terms_hash(terms))))
