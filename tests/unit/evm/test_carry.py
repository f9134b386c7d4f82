"""What rounds of a loop hand on."""

from collections.abc import Collection

from alatau.evm.carry import MEMORY_MAX, Carry, RoundEnd, carry_of
from alatau.evm.runtime import new_runtime, translating_runtime
from alatau.types.chain_config import Fork
from tests.support.assembly import assemble
from tests.support.world import contract, run


def end(stack: tuple[str, ...], taken: int, words: Collection[int] = (), unwritten: Collection[int] = ()) -> RoundEnd:
    """How a round ends."""
    return RoundEnd(stack, taken, frozenset(words), frozenset(unwritten))


def test_only_what_changes_is_handed_on() -> None:
    """A word of the stack that every round leaves in place keeps its name; the other gets a local for rounds."""
    assert carry_of([end(("e1", "v3"), 2), end(("e0",), 1)]) == Carry(("c0", "e1"), (), frozenset())


def test_a_stack_that_grows_or_shrinks_is_not_carried() -> None:
    """Such a loop writes and reads the real stack."""
    assert carry_of([end(("e0", "v1"), 1)]) is None
    assert carry_of([end((), 1), end(("e0",), 1)]) is None
    assert carry_of([end(tuple(f"e{n}" for n in reversed(range(17))), 17)]) is None


def test_memory_known_at_the_end_of_every_round() -> None:
    """A word that one round does not know cannot be carried; what is not in the real memory comes first."""
    carry = carry_of([end((), 0, {0, 32, 64}, {64}), end((), 0, {32, 64}, {64})])
    assert carry == Carry((), (64, 32), frozenset({64}))
    assert carry.memory_size == 96


def test_not_too_much_is_carried() -> None:
    """Only so many words of memory; the others are read and written as ever."""
    carry = carry_of([end((), 0, set(range(0, 3_200, 32)))])
    assert carry is not None
    assert len(carry.words) == MEMORY_MAX


def test_loops_give_what_they_should() -> None:
    """Loops that carry stack and memory, leave early, call, or write at computed places: as interpreted."""
    bodies = (
        "PUSH 0 MLOAD PUSH 3 MUL PUSH 1 ADD PUSH 0 MSTORE",
        "PUSH 0 MLOAD PUSH 32 MLOAD PUSH 0 MSTORE PUSH 1 ADD PUSH 32 MSTORE",
        "DUP1 PUSH 64 MSTORE DUP1 PUSH 7 MUL PUSH 96 MSTORE DUP1 PUSH 20 AND MLOAD PUSH 0 MSTORE",
        "DUP1 PUSH 0 MSTORE DUP1 PUSH 40 MSTORE8 DUP1 DUP1 PUSH 60 AND MSTORE PUSH 0 MLOAD PUSH 32 MSTORE",
        "DUP1 PUSH 0 MSTORE PUSH 32 PUSH 32 PUSH 32 PUSH 0 PUSH 4 GAS STATICCALL POP PUSH 32 MLOAD PUSH 64 MSTORE",
        "DUP1 PUSH 5 EQ PUSH @out JUMPI DUP1 PUSH 0 MSTORE",
        "DUP1 PUSH 1 AND PUSH @odd JUMPI PUSH 9 PUSH 32 MSTORE :odd DUP1 PUSH 0 MSTORE",
        "SWAP1 PUSH 2 ADD SWAP1",
    )
    for body in bodies:
        code = assemble(
            f"PUSH 77 PUSH 9 :loop {body} PUSH 1 SWAP1 SUB DUP1 PUSH @loop JUMPI :out PUSH 200 MSTORE PUSH 250 MSTORE "
            "PUSH 300 PUSH 0 RETURN"
        )
        for gas in (100_000, 1_000, 900, 800, 700):
            results = [
                run(contract(code), gas=gas, runtime=make(Fork.OSAKA))[0] for make in (new_runtime, translating_runtime)
            ]
            assert results[0] == results[1], body
