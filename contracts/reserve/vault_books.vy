# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title The vault's books: what it holds, where that came from, and how fast it may leave
@notice Internal: balances are compared, never counted, so a donation belongs to nobody. The zero address stands for
        the native asset. Provenances sum to what is held; what is confiscated is kept by case, too.

        Two leaky buckets stand before a release. One per asset bounds what leaves, and shrinks with the tier of the
        asset's attested positions. One per asset and destination counts what went there: a release that is small by
        itself is large if it and the recent ones together are.
"""

from ..lib import asset_transfer
from ..lib import leaky_bucket
from ethereum.ercs import IERC20


flag Provenance:
    CONFISCATED
    MINED
    FX_ALLOCATION
    NATIONAL_FUND


struct AssetTerms:
    asset: address
    capacity: uint256
    leak_per_second: uint256
    large_amount: uint256


NATIVE: constant(address) = empty(address)
# Releases to one destination count together for a week, as they leak away.
SPLIT_PERIOD: constant(uint256) = 7 * 86_400
WHOLE_BPS: constant(uint256) = 10_000
TIME_SHIFT: constant(uint256) = 64
TIME_MASK: constant(uint256) = 2**64 - 1
LEVEL_MAX: constant(uint256) = 2**192 - 1

# asset -> a release above this amount waits for `large_delay`
large_amount: public(HashMap[address, uint256])
# asset -> all that the books hold of it
held: public(HashMap[address, uint256])
# asset -> provenance -> amount; they sum to `held`
ledger: public(HashMap[address, HashMap[Provenance, uint256]])
# case -> asset -> amount; within the ledger of what is confiscated
case_amount: public(HashMap[bytes32, HashMap[address, uint256]])
# asset -> its limit on releases; a capacity of zero means that nothing leaves
_limits: HashMap[address, leaky_bucket.Bucket]
# asset -> destination -> what went there lately, and in the lower bits when that was counted
_recent: HashMap[address, HashMap[address, uint256]]


@internal
@pure
def _is_confiscated(provenance: Provenance, case_id: bytes32) -> bool:
    """
    @dev Exactly one provenance, and a case for what is confiscated alone.
    """
    bits: uint256 = convert(provenance, uint256)
    assert bits != 0 and bits & (bits - 1) == 0, "vault: unknown provenance"
    confiscated: bool = bits == 1
    assert confiscated or case_id == empty(bytes32), "case: only for what is confiscated"
    return confiscated


@internal
def _book(asset: address, amount: uint256, provenance: Provenance, case_id: bytes32):
    assert amount > 0, "vault: no amount"
    self.held[asset] += amount
    self.ledger[asset][provenance] += amount
    if provenance == Provenance.CONFISCATED:
        self.case_amount[case_id][asset] += amount


@internal
def _unbook(asset: address, amount: uint256, provenance: Provenance, case_id: bytes32):
    self.held[asset] -= amount
    self.ledger[asset][provenance] -= amount
    if provenance == Provenance.CONFISCATED:
        self.case_amount[case_id][asset] -= amount


@internal
def _pay(asset: address, receiver: address, amount: uint256):
    if asset == NATIVE:
        raw_call(receiver, b"", value=amount)
    else:
        asset_transfer._push(IERC20(asset), receiver, amount)


@internal
@view
def _capacity(asset: address, tier_bps: uint256) -> uint256:
    """
    @return The bound of the asset's bucket at a tier, in hundredths of a percent of the whole.
    """
    capacity: uint256 = self._limits[asset].capacity
    if tier_bps >= WHOLE_BPS:
        return capacity
    # Division first: a capacity may be as large as a word.
    return capacity // WHOLE_BPS * tier_bps + capacity % WHOLE_BPS * tier_bps // WHOLE_BPS


@internal
@view
def _is_large(asset: address, to: address, amount: uint256) -> bool:
    """
    @return Whether a release is large, with what went to the same destination lately.
    """
    return self._recent_level(asset, to) + amount > self.large_amount[asset]


@internal
@view
def _recent_level(asset: address, to: address) -> uint256:
    word: uint256 = self._recent[asset][to]
    level: uint256 = word >> TIME_SHIFT
    # The threshold of now leaks in a week: a lower one counts for longer what went before it.
    rate: uint256 = min(self.large_amount[asset], LEVEL_MAX)
    return level - min(level, rate * (block.timestamp - (word & TIME_MASK)) // SPLIT_PERIOD)


@internal
def _spend(asset: address, to: address, amount: uint256, tier_bps: uint256):
    """
    @dev Count a release in both buckets; reverts where the first one overflows.
    """
    recent: uint256 = self._recent_level(asset, to) + amount
    self._recent[asset][to] = (min(recent, LEVEL_MAX) << TIME_SHIFT) | block.timestamp
    bucket: leaky_bucket.Bucket = self._limits[asset]
    capacity: uint256 = bucket.capacity
    bucket.capacity = self._capacity(asset, tier_bps)
    bucket = leaky_bucket._spend(bucket, amount)
    bucket.capacity = capacity
    self._limits[asset] = bucket


@internal
@view
def _available(asset: address, tier_bps: uint256) -> uint256:
    """
    @return What could be released now, as far as the bucket goes.
    """
    level: uint256 = leaky_bucket._level(self._limits[asset])
    capacity: uint256 = self._capacity(asset, tier_bps)
    return capacity - min(level, capacity)


@internal
def _set_limits(asset: address, capacity: uint256, leak_per_second: uint256, large_amount: uint256):
    self._limits[asset] = leaky_bucket._resize(self._limits[asset], capacity, leak_per_second)
    self.large_amount[asset] = large_amount


@internal
@view
def _lowers_limits(
    asset: address, capacity: uint256, leak_per_second: uint256, large_amount: uint256
) -> bool:
    bucket: leaky_bucket.Bucket = self._limits[asset]
    return (
        capacity <= bucket.capacity
        and leak_per_second <= bucket.leak_per_second
        and large_amount <= self.large_amount[asset]
    )
