# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Version of the set: tells nodes that the validators, or who may connect, changed
@dev Initialized before all other modules: the node watches slot 0 (node/alatau/chain/registries.py).
"""

from ..lib import handover

uses: handover

# Slot 0: grows with every change.
set_version: public(uint256)


@internal
def _grow():
    """
    @dev The set, or who may connect, changed; not after another contract has taken this one's place.
    """
    handover._check_in_office()
    self.set_version += 1
