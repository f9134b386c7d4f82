# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title A limit that refills steadily
@notice A bucket holds what was spent and leaks at a constant rate; spending that would overflow it is refused. Over
        any period T no more than capacity + rate * T passes, where a limit per calendar period would let twice
        its amount pass around midnight.
"""

struct Bucket:
    capacity: uint256
    leak_per_second: uint256
    level: uint256
    updated: uint256


@internal
@view
def _level(bucket: Bucket) -> uint256:
    """
    @return What is in the bucket now.
    """
    elapsed: uint256 = block.timestamp - bucket.updated
    # Once it had the time to run empty it is empty; asked by division, because the product might overflow.
    if bucket.leak_per_second > 0 and elapsed > bucket.level // bucket.leak_per_second:
        return 0
    return bucket.level - bucket.leak_per_second * elapsed


@internal
@view
def _spend(bucket: Bucket, amount: uint256) -> Bucket:
    """
    @return The bucket after `amount` is poured in; reverts if it overflows.
    """
    level: uint256 = self._level(bucket) + amount
    assert level <= bucket.capacity, "limit: exceeded for now"
    return Bucket(
        capacity=bucket.capacity,
        leak_per_second=bucket.leak_per_second,
        level=level,
        updated=block.timestamp,
    )


@internal
@view
def _resize(bucket: Bucket, capacity: uint256, leak_per_second: uint256) -> Bucket:
    """
    @return The bucket with other bounds and what it holds now: a change of limits forgets no spending.
    """
    return Bucket(
        capacity=capacity,
        leak_per_second=leak_per_second,
        level=self._level(bucket),
        updated=block.timestamp,
    )
