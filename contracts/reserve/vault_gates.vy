# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title What stands before every release: the pause, the destinations, and how fresh what is attested is
@notice The guardian's pause lapses after a week, and he may pause again when as long has passed without one: alone he
        stops releases at most half of the time. The council prolongs a pause, and ends one early with the oversight.
"""

from ..interfaces import ILimitTiers
from ..lib import decisions
from ..lib import journal
from . import vault_books
from . import vault_roles

uses: decisions
uses: journal
uses: vault_roles


event Paused:
    by: indexed(address)
    until: uint256


# The guardian's own pause; he may pause again when as long has passed without one.
PAUSE: constant(uint256) = 7 * 86_400
PAUSE_MAX: constant(uint256) = 90 * 86_400

destination_allowed: public(HashMap[address, bool])
# What is attested of assets outside the chain; the zero address while nothing is.
positions: public(ILimitTiers)
paused_until: public(uint256)


@deploy
def __init__(positions: ILimitTiers, destinations: DynArray[address, 32]):
    """
    @param positions What is attested of assets; zero for nothing.
    @param destinations Where releases may go.
    """
    self.positions = positions
    for destination: address in destinations:
        self._allow(destination)


@external
@view
def paused() -> bool:
    """
    @return Whether releases stand still.
    """
    return block.timestamp < self.paused_until


@external
def pause():
    """
    @notice The guardian stops proposals and releases at once, for a week; deposits and returns go on.
    """
    decisions._check_guardian()
    assert block.timestamp >= self.paused_until + PAUSE or self.paused_until == 0, "vault: paused lately"
    self._pause(block.timestamp + PAUSE)


@internal
@view
def _check_open():
    assert block.timestamp >= self.paused_until, "vault: paused"


@internal
@view
def _tier_bps(asset: address) -> uint256:
    if self.positions.address == empty(address):
        return vault_books.WHOLE_BPS
    return staticcall self.positions.limit_bps(asset)


@internal
def _allow(to: address):
    """
    @dev Not where money is lost: nobody, the vault itself and what governs it.
    """
    council: bool = to == decisions.body.address or to == vault_roles.oversight.address
    nowhere: bool = to == empty(address) or to == self or to == self.positions.address
    assert not council and not nowhere, "vault: no destination"
    self.destination_allowed[to] = True


@internal
def _set_positions(positions: ILimitTiers):
    """
    @dev Asked at once, because one that does not answer would end releases.
    """
    self.positions = positions
    answer: uint256 = self._tier_bps(vault_books.NATIVE)


@internal
def _prolong(seconds: uint256):
    self._pause(max(self.paused_until, block.timestamp + min(seconds, PAUSE_MAX)))


@internal
def _lift():
    self.paused_until = min(self.paused_until, block.timestamp)


@internal
def _pause(until: uint256):
    self.paused_until = until
    journal._extend(keccak256("pause"), keccak256(abi_encode(msg.sender, until)))
    log Paused(by=msg.sender, until=until)
