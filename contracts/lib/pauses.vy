# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title A pause that ends by itself
@notice A guardian stops what is dangerous at once and alone, so what he does must end without him: a pause lapses
        after seven days, and the same guardian declares no other for fourteen more. A council ends it early.

        running  -- declare (guardian) -->  paused for 7 days  -- time -->  running; that guardian rests for 14 days
        paused  -- lift (council, after its delay) -->  running
@dev The contract that uses this module asks who is the guardian and what the council decided.
"""

event Paused:
    by: indexed(address)
    until: uint256


event Unpaused:
    pass


# Long enough for a council to meet, too short for a nation to stand still.
PAUSE: constant(uint256) = 7 * 86_400
REST: constant(uint256) = 14 * 86_400

# Second at which the pause ends; it is over from then on.
paused_until: public(uint256)
# guardian -> second from which he may declare another pause
rests_until: public(HashMap[address, uint256])


@external
@view
def paused() -> bool:
    """
    @return Whether a pause is in force now.
    """
    return self._paused()


@internal
@view
def _paused() -> bool:
    return block.timestamp < self.paused_until


@internal
def _declare(guardian: address):
    """
    @dev The caller has checked that `guardian` is he.
    """
    assert block.timestamp >= self.rests_until[guardian], "pause: this guardian rests"
    self.rests_until[guardian] = block.timestamp + PAUSE + REST
    self.paused_until = block.timestamp + PAUSE
    log Paused(by=guardian, until=self.paused_until)


@internal
def _lift():
    """
    @dev Decided by the council.
    """
    self.paused_until = block.timestamp
    log Unpaused()
