# pragma version ~=0.4.3
"""
@title Ledger: many slots written and read, for measuring
"""

entries: public(HashMap[uint256, uint256])
total: public(uint256)


@external
def post(first: uint256, count: uint256, amount: uint256):
    """
    @notice Add `amount` to `count` entries from `first`, and to the total.
    """
    for n: uint256 in range(first, first + count, bound=10_000):
        self.entries[n] += amount
        self.total += amount
