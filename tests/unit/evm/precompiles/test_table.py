from alatau.evm.precompiles import precompiles
from alatau.types.chain_config import Fork


def test_prague_has_the_contracts_1_to_17() -> None:
    """EIP-2537 was the last addition: 0x01 to 0x11 without a gap."""
    assert sorted(precompiles(Fork.PRAGUE)) == list(range(0x01, 0x12))


def test_osaka_adds_p256verify_at_0x100() -> None:
    """EIP-7951 puts the contract where rollups already had it, and nothing else comes or goes."""
    assert sorted(precompiles(Fork.OSAKA)) == [*range(0x01, 0x12), 0x100]


def test_forks_differ_in_modexp_only() -> None:
    """Osaka reprices MODEXP; every other contract is the same object."""
    prague, osaka = precompiles(Fork.PRAGUE), precompiles(Fork.OSAKA)
    assert [address for address in prague if prague[address] is not osaka[address]] == [0x05]


def test_a_fork_has_one_table() -> None:
    """The EVM compares and caches by identity, so a fork's table is built once."""
    assert precompiles(Fork.OSAKA) is precompiles(Fork.OSAKA)
