# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title ChannelPause: a pause of new money in the city's channels and bonds
@notice CityChannels asks before it takes money in, and nowhere else; OfflineBonds asks CityChannels.

        Who can stop what:
        * the council's guardian begins a pause at once, and it lapses after a week; then he rests for two;
        * the council ends it early, after the delay.
@dev A contract of its own so that CityChannels has room for what it must not ask anybody about.
"""

from ..interfaces import IChannelPause
from ..interfaces import ICouncil
from ..lib import decisions
from ..lib import pauses
from ..lib import typed_data

initializes: typed_data
initializes: decisions[typed_data := typed_data]
initializes: pauses

implements: IChannelPause

exports: (
    typed_data.DOMAIN_SEPARATOR,
    typed_data.eip712Domain,
    decisions.approve_decision,
    decisions.veto_decision,
    decisions.override_id,
    decisions.propose_body,
    decisions.replace_body,
    decisions.body,
    decisions.decision,
    decisions.delay,
    decisions.term,
    pauses.paused,
    pauses.paused_until,
    pauses.rests_until,
)


LIFT_PAUSE_TYPE: constant(bytes32) = keccak256(
    "LiftPause(Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)


@deploy
def __init__(council: ICouncil, delay: uint256):
    """
    @param council Whose guardian pauses.
    @param delay Seconds before a pause is lifted.
    """
    typed_data.__init__("Alatau ChannelPause")
    decisions.__init__(council, delay)


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
