# pragma version ~=0.4.3
"""
@title Numbers: checked arithmetic in a loop, for measuring
"""


@external
@pure
def interest(principal: uint256, rate_bps: uint256, periods: uint256) -> uint256:
    """
    @return `principal` with compound interest, rounded down each period.
    """
    value: uint256 = principal
    for _: uint256 in range(periods, bound=1_000_000):
        value = value + value * rate_bps // 10_000
        if value > 2**200:
            value = value % 1_000_003 + principal
    return value
