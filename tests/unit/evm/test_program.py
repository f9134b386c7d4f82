"""Code made ready to run."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from alatau.evm.program import ANALYSES_MAX, STRIDE, Program, ProgramCache

CODES = st.lists(st.sampled_from((0x5B, 0x5B, 0x00, 0x01, 0x60, 0x61, 0x7E, 0x7F)), max_size=150).map(bytes)


def walk(code: bytes) -> set[int]:
    """Destinations as the Yellow Paper defines them: step by step."""
    found, pc = set(), 0
    while pc < len(code):
        if code[pc] == 0x5B:
            found.add(pc)
        pc += code[pc] - 0x5E if 0x60 <= code[pc] <= 0x7F else 1
    return found


@given(CODES, st.lists(st.integers(0, 160), max_size=40))
def test_destinations_are_jumpdests_outside_of_immediates(code: bytes, targets: list[int]) -> None:
    """In whatever order and however often targets are asked for, the answer is that of a walk through the code."""
    program = Program(code)
    for target in targets:
        assert program.admits(target) == (target in walk(code))
    assert program.destinations <= walk(code)


@given(st.binary(min_size=3 * STRIDE, max_size=5 * STRIDE), st.randoms(use_true_random=False))
def test_boundaries_of_long_code(code: bytes, random: Random) -> None:
    """Immediates that reach over a remembered boundary do not deceive it."""
    dense = bytes(byte if byte < 0x40 else 0x5B + byte % 37 for byte in code)
    program, expected = Program(dense), walk(dense)
    targets = list(range(len(dense) + 2))
    random.shuffle(targets)
    for target in targets:
        assert program.admits(target) == (target in expected)


def test_remembered_destinations_are_bounded() -> None:
    """A field of JUMPDESTs takes no more memory than its share; the answers stay right."""
    program = Program(b"\x5b" * 3_200)
    assert all(program.admits(target) for target in range(3_200))
    assert len(program.destinations) == 101


def test_what_is_known_of_a_code_outlives_its_program() -> None:
    """A program that comes back after it was forgotten knows the boundaries that its first life found."""
    cache = ProgramCache(size_bytes_max=10)
    code, code_hash = b"\x60\x5b" * 400 + b"\x5b", b"\x01" * 32
    first = cache.program(code, code_hash)
    assert first.admits(800)
    for number in range(3):
        cache.program(bytes((number,)), bytes((number + 2,)) * 32)
    second = cache.program(code, code_hash)
    assert second is not first
    assert second._marks is first._marks
    assert len(second._marks) == 7
    assert second.admits(800)
    assert not second.admits(799)


def test_what_is_known_is_bounded() -> None:
    """Boundaries of codes that nobody runs go, after as many others."""
    cache = ProgramCache(size_bytes_max=10)
    first = cache.program(b"\x5b", bytes(32))
    for number in range(1, 2 * ANALYSES_MAX + 2):
        cache.program(number.to_bytes(4), number.to_bytes(32))
    assert cache.program(b"\x5b", bytes(32))._marks is not first._marks


def test_a_target_no_code_has() -> None:
    """A target of 256 bits is no destination."""
    assert not Program(b"\x5b").admits(2**256 - 1)


def test_cache_gives_the_same_program() -> None:
    """Equal code is one program, with what was learned of it."""
    cache = ProgramCache()
    assert cache.program(b"\x5b\x00") is cache.program(bytes([0x5B, 0x00]))


def test_cache_is_bounded_and_keeps_what_is_used() -> None:
    """Programs that nobody runs go; one that runs all the time stays, with what was translated of it."""
    cache = ProgramCache(size_bytes_max=400_000)
    kept = cache.program(b"kept")
    for number in range(1_000):
        cache.program(number.to_bytes(500))
        assert cache.program(b"kept") is kept
        assert cache.size_bytes <= 420_000
    assert cache.program((0).to_bytes(500)) is not None


def test_translations_count() -> None:
    """A program that grows by its translations pushes others out."""
    cache = ProgramCache(size_bytes_max=100_000)
    first = cache.program(b"first")
    second = cache.program(b"second")
    cache.charge(second, 60_000)
    assert cache.program(b"third") is not None
    cache.charge(cache.program(b"third"), 60_000)
    assert cache.program(b"first") is not first
