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


@given(
    st.integers(0, 24),
    st.lists(st.tuples(st.sampled_from(["put", "put all", "drop", "clear"]), st.integers(0, 8), st.integers(1, 9))),
)
def test_never_another_value(limit: int, steps: list[tuple[str, int, int]]) -> None:
    """At every size, what is found is what was put last, and what was dropped is not found; the bound holds."""
    cache: GenerationCache[int, tuple[int, int]] = GenerationCache(limit)
    last: dict[int, tuple[int, int]] = {}
    largest = 0
    for turn, (step, key, units) in enumerate(steps):
        value = (turn, units)
        if step == "put":
            cache.put(key, value, units)
            last[key] = value
            largest = max(largest, units)
        elif step == "put all":
            both = {key: value, key + 1: value}
            cache.put_all(both, 2 * units)
            last |= both
            largest = max(largest, 2 * units)
        elif step == "drop":
            cache.drop_all([key], lambda entry: entry[1])
            last.pop(key, None)
        else:
            cache.clear()
            last.clear()
        found = {known: kept for known in range(10) if (kept := cache.get(known)) is not None}
        assert found.items() <= last.items()
        assert sum(kept[1] for kept in found.values()) <= limit + largest


def test_what_was_dropped_does_not_come_back_from_the_older_generation() -> None:
    """A key that stands in both generations is dropped from both."""
    cache: GenerationCache[int, str] = GenerationCache(8)
    for key in (0, 1, 2, 3, 4):
        cache.put(key, "earlier", 1)
    cache.put(0, "later", 1)
    cache.drop_all([0], lambda _: 1)
    assert cache.get(0) is None


def test_larger_values_in_place_of_smaller_ones_are_counted() -> None:
    """The limit holds when entries grow under keys that are there already."""
    cache: GenerationCache[int, bytes] = GenerationCache(100)
    for size in (1, 40, 40, 40):
        for key in range(10):
            cache.put(key, bytes(size), size)
    assert sum(len(cache.get(key) or b"") for key in range(10)) <= 100 + 40


def test_dropping_what_is_not_there_makes_no_room() -> None:
    """The limit holds whatever is dropped between: strangers, and entries of the old generation."""
    cache: GenerationCache[int, bytes] = GenerationCache(1_000)
    for number in range(1_000):
        cache.drop_all([number - 7, 10**6 + number], len)
        cache.put(number, b"x" * 100, 100)
        assert len(cache) <= 11
