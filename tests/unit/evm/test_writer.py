"""The lines that keep a frame up to date with its path."""

from alatau.evm.symbolic import Condition, Memory, Path
from alatau.evm.writer import Writer


def path(*, exact: bool = False) -> Path:
    """A path at its beginning."""
    return Path(Memory(exact=exact))


def test_words_as_python() -> None:
    """Small constants are decimal, large ones hexadecimal; conditions become numbers; entry words are read once."""
    w, p = Writer(), path()
    assert w.atom(p, 7) == "7"
    assert w.atom(p, 2**200) == hex(2**200)
    assert w.atom(p, Condition("v8 < v9")) == "v1"
    assert [w.atom(p, "e2"), w.atom(p, "e2")] == ["e2", "e2"]
    assert w.lines == ["v1 = 1 if v8 < v9 else 0", "e2 = S[-3]"]
    assert w.width("v1") == 1
    assert w.width("e2") == 256
    assert w.width(255) == 8


def test_gas_is_charged_once() -> None:
    """A charge subtracts what is owed and checks; a second one has nothing to do."""
    w, p = Writer(), path()
    p.pending = 30
    w.charge(p, above=200)
    assert w.lines == []
    w.charge(p)
    w.charge(p)
    assert w.lines == ["gas -= 30", "if gas < 0:", "    raise OutOfGasError"]
    assert p.pending == 0


def test_gas_lowered_by_statements_is_checked() -> None:
    """Where a statement subtracted gas, a charge checks even if nothing else is owed."""
    w, p = Writer(), path()
    p.unchecked = True
    w.charge(p)
    assert w.lines == ["if gas < 0:", "    raise OutOfGasError"]
    assert not p.unchecked


def test_memory_of_known_size_is_paid_for_in_advance() -> None:
    """Where the size is known its price is a constant, and the real memory grows only when it is looked at."""
    w, p = Writer(), path(exact=True)
    w.extend(p, 33)
    w.extend(p, 64)
    assert (p.pending, p.memory.size, w.lines) == (6, 64, [])
    w.write_memory(p)
    w.write_memory(p)
    assert w.lines == ["mem.extend(bytes(64))"]


def test_memory_of_unknown_size_is_looked_at() -> None:
    """Elsewhere the first access beyond what is surely paid for tests the real size."""
    w, p = Writer(), path()
    w.extend(p, 64)
    w.extend(p, 32)
    assert w.lines == ["if 64 > len(mem):", "    gas = grow(mem, 64, gas)"]


def test_a_word_is_written_when_it_is_looked_at_in_part() -> None:
    """Whole known words are read from their locals; a piece across them comes from the real memory."""
    w, p = Writer(), path()
    w.extend(p, 96)
    w.lines.clear()
    w.store(p, 0, "v1")
    w.store(p, 32, 5)
    assert w.read(p, 0, 64) == f"v1.to_bytes(32) + {(5).to_bytes(32)!r}"
    assert w.lines == []
    assert w.read(p, 16, 32) == "bytes(mem[16:48])"
    assert w.lines == ["mem[0:32] = v1.to_bytes(32)", f"mem[32:64] = {(5).to_bytes(32)!r}"]


def test_words_that_overlap_are_written_in_order() -> None:
    """A word across another one first has that one written out, and it is no longer known."""
    w, p = Writer(), path()
    w.store(p, 0, "v1")
    w.store(p, 16, "v2")
    assert w.lines == ["mem[0:32] = v1.to_bytes(32)"]
    assert p.memory.words == {16: "v2"}
    assert p.memory.unwritten == {16}


def test_the_stack_is_written_where_it_changed() -> None:
    """Words at their old place are left there."""

    def lines(stack: list[int | str | Condition], taken: int) -> list[str]:
        w, p = Writer(), path()
        p.stack, p.taken, p.loaded = stack, taken, {"e0", "e1", "e2"}
        w.settle(p)
        return w.lines

    assert lines(["e1", "e0"], 2) == []
    assert lines(["e1", "v1"], 2) == ["S[-1] = v1"]
    assert lines(["e0", "e1"], 2) == ["S[-2:] = [e0, e1]"]
    assert lines(["e0", "v1"], 1) == ["S.append(v1)"]
    assert lines(["v1", 2], 0) == ["S += (v1, 2)"]
    assert lines([], 2) == ["del S[-2:]"]
    assert lines(["v1"], 3) == ["S[-3:] = [v1]"]
