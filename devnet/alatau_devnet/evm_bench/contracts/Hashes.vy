# pragma version ~=0.4.3
"""
@title Hashes: a chain of hashes, for measuring
"""


@external
@pure
def chain(seed: bytes32, times: uint256) -> bytes32:
    """
    @return `seed` hashed `times` times.
    """
    value: bytes32 = seed
    for _: uint256 in range(times, bound=1_000_000):
        value = keccak256(value)
    return value
