# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title A pause of new money: the guardian begins it at once, the council ends it after the delay
@notice The contract that uses this module asks `paused` before it takes money in, and nowhere else.
"""

from ..lib import decisions
from ..lib import typed_data

uses: decisions
uses: typed_data


event Paused:
    by: indexed(address)


event Unpaused:
    pass


LIFT_PAUSE_TYPE: constant(bytes32) = keccak256(
    "LiftPause(Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)

paused: public(bool)


@external
def pause():
    """
    @notice The guardian stops new money at once.
    """
    assert msg.sender == staticcall decisions.body.guardian(), "only the guardian"
    self.paused = True
    log Paused(by=msg.sender)


@external
def propose_unpause(terms: decisions.Terms) -> bytes32:
    """
    @notice Put the end of the pause before the council.
    @param terms Policy, nonce and times of the decision.
    @return Its id, which members sign.
    """
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
    self.paused = False
    log Unpaused()


@internal
@view
def _unpause_id(terms: decisions.Terms) -> bytes32:
    """
    @param terms As proposed.
    @return The decision's id.
    """
    return typed_data._digest(keccak256(abi_encode(LIFT_PAUSE_TYPE, decisions._terms_hash(terms))))
