"""The cache that forgets by generations."""

from hypothesis import given
from hypothesis import strategies as st

from alatau.trie.generations import GenerationCache


def test_the_limit_holds() -> None:
    """Whatever is put, no more than the limit and one entry stays."""
    cache: GenerationCache[int, bytes] = GenerationCache(1_000)
    for number in range(100):
        cache.put(number, b"x" * 100, 100)
        assert len(cache) <= 11
    assert cache.get(99) == b"x" * 100
    assert cache.get(0) is None


def test_what_is_put_again_stays() -> None:
    """An entry that is used and put again outlives those that are not."""
    cache: GenerationCache[int, int] = GenerationCache(10)
    for number in range(1, 100):
        cache.put(number, number, 1)
        cache.put(0, 0, 1)
    assert cache.get(0) == 0
    assert cache.get(50) is None


def test_a_limit_of_nothing_keeps_nothing_for_long() -> None:
    """With a limit of 0 every put ends a generation; the cache is then of no use and does no harm."""
    cache: GenerationCache[int, int] = GenerationCache(0)
    cache.put_all({1: 1, 2: 2}, 2)
    cache.put(3, 3, 1)
    assert cache.get(1) is None
    assert len(cache) <= 3


@given(st.lists(st.tuples(st.sampled_from(["put", "drop"]), st.integers(0, 20))))
def test_never_another_value(steps: list[tuple[str, int]]) -> None:
    """What is found is what was put last, and what was dropped is not found."""
    cache: GenerationCache[int, int] = GenerationCache(8)
    last: dict[int, int] = {}
    for turn, (step, key) in enumerate(steps):
        if step == "put":
            cache.put(key, turn, 1)
            last[key] = turn
        else:
            cache.drop_all([key], lambda _: 1)
            last.pop(key, None)
        for known in range(21):
            assert cache.get(known) in {None, last.get(known)}
    cache.clear()
    assert len(cache) == 0


def test_dropping_what_is_not_there_makes_no_room() -> None:
    """The limit holds whatever is dropped between: strangers, and entries of the old generation."""
    cache: GenerationCache[int, bytes] = GenerationCache(1_000)
    for number in range(1_000):
        cache.drop_all([number - 7, 10**6 + number], len)
        cache.put(number, b"x" * 100, 100)
        assert len(cache) <= 11
