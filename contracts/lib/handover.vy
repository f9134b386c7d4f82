# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Handover: another contract takes this one's place for the node and for all who ask here
@notice The council decides it like any act, and waits three delays: guardian and public see a new registry before it
        rules.

        in office  -- propose, approve (m of n), three delays, carry out -->  handed over, for ever

        The successor is governed by the same council, so that nobody gains a registry by it, and has no successor
        itself, so that who follows from one to the next always arrives.
@dev Initialized right after the variable in slot 0: the node reads `successor` in slot 1
     (node/alatau/chain/registries.py).
"""

from . import decisions
from . import typed_data

uses: decisions
uses: typed_data


interface ISuccessor:
    def body() -> address: view
    def successor() -> address: view


event HandoverProposed:
    id: indexed(bytes32)
    successor: indexed(address)


event HandedOver:
    successor: indexed(address)


HANDOVER_TYPE: constant(bytes32) = keccak256(
    "Handover(address successor,Terms terms)Terms(uint256 policyVersion,uint256 nonce,uint256 notBefore,uint256 expires)"
)
DELAYS: constant(uint256) = 3
# Leaves thirty days of a decision's life to approve it, however long the delay is.
DELAY_LONGEST: constant(uint256) = decisions.LIFE_MAX - decisions.DELAY_MAX

# Slot 1, which the node watches; the zero address while this contract is in office.
successor: public(address)


@external
def propose_handover(successor: address, terms: decisions.Terms) -> bytes32:
    """
    @notice A member proposes that another contract take this one's place.
    @param successor The contract: deployed, filled, and governed by the same council.
    @param terms When, and under which policy.
    @return The decision's id.
    """
    decisions._check_member()
    self._check_successor(successor)
    id: bytes32 = self._id(successor, terms)
    decisions._open(id, terms, min(DELAYS * decisions.delay, DELAY_LONGEST))
    log HandoverProposed(id=id, successor=successor)
    return id


@internal
def _hand_over(successor: address, terms: decisions.Terms):
    """
    @dev Carry out an approved and ripe handover. The contract that uses this module checks besides that its successor
         says the same as it does where a difference would stop the chain.
    """
    decisions._consume(self._id(successor, terms))
    self._check_successor(successor)
    self.successor = successor
    log HandedOver(successor=successor)


@internal
@view
def _check_in_office():
    """
    @dev What is written after the handover nobody reads, so it is refused.
    """
    assert self.successor == empty(address), "handover: another contract is in office"


@internal
@view
def _check_successor(successor: address):
    self._check_in_office()
    assert successor.is_contract and successor != self, "handover: no contract"
    assert staticcall ISuccessor(successor).body() == decisions.body.address, "handover: another council"
    assert staticcall ISuccessor(successor).successor() == empty(address), "handover: handed over itself"


@internal
@view
def _id(successor: address, terms: decisions.Terms) -> bytes32:
    return typed_data._digest(
        keccak256(abi_encode(HANDOVER_TYPE, successor, decisions._terms_hash(terms)))
    )
