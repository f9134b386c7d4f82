from alatau.types.chain_config import ChainConfig, Fork


def test_osaka_by_default() -> None:
    """Networks start on Osaka."""
    assert ChainConfig(7773, "devnet").fork_at(0) is Fork.OSAKA
    assert ChainConfig(7773, "devnet").fork_at(10**9) is Fork.OSAKA


def test_a_height_schedules_the_next_fork() -> None:
    """The new rules hold from that height on."""
    config = ChainConfig(7773, "devnet", forks=((0, Fork.PRAGUE), (100, Fork.OSAKA)))
    assert [config.fork_at(height) for height in (0, 99, 100, 101)] == [
        Fork.PRAGUE,
        Fork.PRAGUE,
        Fork.OSAKA,
        Fork.OSAKA,
    ]
