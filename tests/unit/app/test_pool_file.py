"""What an orderly stop keeps of the pool."""

from pathlib import Path

from alatau.app.pool_file import save_pool, take_pool


def test_what_was_kept_comes_back_once(tmp_path: Path) -> None:
    """The file is taken: a second start does not offer the same again."""
    file = tmp_path / "pool.rlp"
    save_pool(file, [b"one", b"\x02" * 500])
    assert take_pool(file) == [b"one", b"\x02" * 500]
    assert take_pool(file) == []


def test_an_empty_pool_leaves_no_file(tmp_path: Path) -> None:
    """And removes the one of an earlier stop."""
    file = tmp_path / "pool.rlp"
    save_pool(file, [b"one"])
    save_pool(file, [])
    assert not file.exists()


def test_a_damaged_file_does_not_keep_a_node_from_starting(tmp_path: Path) -> None:
    """Whatever it held can be sent again."""
    file = tmp_path / "pool.rlp"
    for damage in (b"", b"\xc8garbage", b"not a list"):
        file.write_bytes(damage)
        assert take_pool(file) == []
        assert not file.exists()
