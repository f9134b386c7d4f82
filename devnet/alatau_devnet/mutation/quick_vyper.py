"""Make the compiler do its work once: for processes that compile one contract after the other.

Vyper 0.4.3 optimizes every expression's tree again each time that an outer expression asks about it, which is half of
what compiling costs. A tree that came out as it went in will do so again under the same operator, so it is passed over.
The code that comes out is the same, byte for byte (``tests/unit/devnet/test_contract_mutants.py``).
"""

from typing import Any, Final

_DONE: Final = "_alatau_optimized_under"
"""Attribute of a tree: operators under which it is known to stay as it is."""


def hasten() -> None:
    """Change the compiler in this process; a second call changes nothing."""
    from vyper.ir import optimizer  # noqa: PLC0415  the compiler takes 0.4 s and 60 MB, and other campaigns need none

    plain = optimizer._optimize  # noqa: SLF001  it calls itself by this name
    if getattr(plain, _DONE, False):
        return

    def once(node: Any, parent: Any) -> tuple[bool, Any]:
        operator = None if parent is None else parent.value
        done = node.__dict__.setdefault(_DONE, set())
        if operator in done:
            return False, node
        changed, optimized = plain(node, parent)
        optimized.__dict__.setdefault(_DONE, set()).add(operator)
        return changed, optimized

    setattr(once, _DONE, True)
    optimizer._optimize = once  # noqa: SLF001


def program_of(initcode: bytes) -> bytes:
    """Creation code without what the compiler writes after it: a hash of the sources, which every comment changes.

    The last two bytes are the length of that, these two included (Vyper's ``insert_compiler_metadata``).
    """
    return initcode[: -int.from_bytes(initcode[-2:], "big")]
