"""What a path knows."""

from alatau.evm.symbolic import Condition, Memory, Path


def test_negating_twice_is_the_same() -> None:
    """ISZERO ISZERO leaves the condition as it was."""
    condition = Condition("v1 < v2")
    assert condition.negated() == Condition("not (v1 < v2)")
    assert condition.negated().negated() == condition


def test_words_come_from_the_entry_stack_as_needed() -> None:
    """Reaching deeper takes words of the entry stack, the deepest at the bottom."""
    path = Path(Memory(exact=False), stack=["v1"])
    path.reach(3)
    assert path.stack == ["e1", "e0", "v1"]
    assert path.taken == 2
    assert [path.pop() for _ in range(4)] == ["v1", "e0", "e1", "e2"]
    assert path.taken == 3


def test_arms_do_not_see_each_other() -> None:
    """What one arm of a branch learns, the other does not know."""
    path = Path(Memory(exact=True))
    arm = path.copy()
    arm.stack.append(1)
    arm.memory.words[0] = 5
    arm.memory.unwritten.add(0)
    arm.known["x"] = "v1"
    arm.visited.add(3)
    arm.loaded.add("e0")
    assert (path.stack, path.memory.words, path.memory.unwritten) == ([], {}, set())
    assert (path.known, path.visited, path.loaded) == ({}, set(), set())
    assert arm.nesting == path.nesting + 1


def test_overlap_is_by_bytes() -> None:
    """A word at 40 shares bytes with 8..41 and 71..72, not with 8..40 or 72..80."""
    memory = Memory(exact=False, words={40: "v1"})
    assert [any(memory.overlapping(*piece)) for piece in ((8, 41), (71, 72), (8, 40), (72, 80))] == [
        True,
        True,
        False,
        False,
    ]


def test_known_words_that_cover_a_piece() -> None:
    """A piece is known if it is made of known words, one after the other."""
    memory = Memory(exact=False, words={32: "v1", 64: 7})
    assert memory.covering(32, 64) == ["v1", 7]
    assert memory.covering(32, 32) == ["v1"]
    assert memory.covering(0, 64) is None
    assert memory.covering(40, 32) is None
    assert memory.covering(32, 40) is None
    assert memory.covering(32, 0) is None


def test_what_is_overwritten_is_forgotten() -> None:
    """Only words that share a byte with what was written go."""
    memory = Memory(exact=False, words={0: "v1", 32: "v2", 64: "v3"})
    memory.forget(31, 33)
    assert memory.words == {64: "v3"}
