# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title What the registry says of an account, in one word
@notice From its lowest bit (the same as in node/alatau/chain/permission.py):

        bit 0        active: may transact
        bit 1        may deploy contracts
        bit 2        suspended: overrides active
        bits 8-15    kind: 1 resident, 2 merchant, 3 institution, 4 contract
        bits 16-23   tier of a resident or merchant
        bits 24-31   licences held, a bit each: 1 platform, 2 exchange, 4 custody, 8 payment hub
        bits 32-39   capital class of the licences: caps what their holder may hold, 0 for not
        bits 64-127  the registration expires at this second, 0 never
        bits 128-191 the licences and the right to deploy expire at this second, 0 never
        bits 192-255 the last of the court orders that freeze money ends at this second, 0 none
@dev `_status` is slot 0, which the node reads for every sender, at keccak256(uint256(0) ++ uint256(sender)): the first
     module to be initialized.
"""

event StatusChanged:
    account: indexed(address)
    word: uint256
    by: indexed(address)


ACTIVE: constant(uint256) = 1
MAY_DEPLOY: constant(uint256) = 2
SUSPENDED: constant(uint256) = 4
KIND_SHIFT: constant(uint256) = 8
TIER_SHIFT: constant(uint256) = 16
LICENCE_SHIFT: constant(uint256) = 24
CAPITAL_SHIFT: constant(uint256) = 32
EXPIRY_SHIFT: constant(uint256) = 64
LICENCE_EXPIRY_SHIFT: constant(uint256) = 128
FREEZE_SHIFT: constant(uint256) = 192
BYTE_MASK: constant(uint256) = 2**8 - 1
TIME_MASK: constant(uint256) = 2**64 - 1
# What the registrar writes, and what the licensor does; the rest of the word is left as it is.
REGISTRATION_MASK: constant(uint256) = (2**24 - 2**8) | (2**128 - 2**64) | 1
LICENCE_MASK: constant(uint256) = (2**40 - 2**24) | (2**192 - 2**128) | 2

RESIDENT: constant(uint256) = 1
MERCHANT: constant(uint256) = 2
INSTITUTION: constant(uint256) = 3
CONTRACT: constant(uint256) = 4

_status: HashMap[address, uint256]


@internal
def _set(account: address, word: uint256):
    self._status[account] = word
    log StatusChanged(account=account, word=word, by=msg.sender)


@internal
@view
def _active(word: uint256) -> bool:
    if word & (ACTIVE | SUSPENDED) != ACTIVE:
        return False
    expires: uint256 = (word >> EXPIRY_SHIFT) & TIME_MASK
    return expires == 0 or block.timestamp < expires


@internal
@view
def _licensed(word: uint256, licence: uint256) -> bool:
    """
    @param word An account's.
    @param licence One bit.
    @return Whether the account is active and holds the licence unexpired.
    """
    expires: uint256 = (word >> LICENCE_EXPIRY_SHIFT) & TIME_MASK
    if not self._active(word) or (expires != 0 and block.timestamp >= expires):
        return False
    return licence != 0 and ((word >> LICENCE_SHIFT) & BYTE_MASK & licence) == licence


@internal
@pure
def _kind(word: uint256) -> uint256:
    return (word >> KIND_SHIFT) & BYTE_MASK


@internal
@pure
def _tier(word: uint256) -> uint256:
    return (word >> TIER_SHIFT) & BYTE_MASK


@internal
@pure
def _capital_class(word: uint256) -> uint256:
    return (word >> CAPITAL_SHIFT) & BYTE_MASK


@internal
@view
def _check_time(expires: uint256):
    """
    @param expires A second, 0 for never.
    """
    assert expires == 0 or (expires > block.timestamp and expires <= TIME_MASK), "registry: expired"


@internal
@view
def _check_subject(account: address):
    """
    @dev No office stops the network's contracts, or takes what they hold: their books and balances would part.
    """
    assert account != empty(address), "registry: no account"
    assert self._kind(self._status[account]) != CONTRACT, "registry: a contract"


@internal
@pure
def _check_registrable(word: uint256):
    assert self._kind(word) <= MERCHANT, "registry: an institution"
