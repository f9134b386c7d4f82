"""What is mutated, as ``trial.py`` sees it: Python modules in memory, or contracts compiled anew."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from alatau_devnet.mutation.mutants import Mutant

Reached = set[tuple[str, str]]
"""By the subject's own names for a part of the program, as file and function."""


class Change(StrEnum):
    """What became of a mutant."""

    MADE = "made"
    NOT_APPLIED = "not applied"
    """It cannot be put in the place of the program."""
    NO_PROGRAM = "no program"
    """The compiler refuses it."""
    SAME_PROGRAM = "same program"
    """It compiles to the very code that is there."""


class Subject(Protocol):
    """One kind of program."""

    def begin(self) -> None:
        """Called once, in the parent, when everything is imported and nothing has run."""

    def watch(self, reached: Reached) -> AbstractContextManager[None]:
        """Note in ``reached`` what is executed meanwhile."""

    def stages(self, mutant: Mutant) -> Sequence[str]:
        """The programs that contain the mutant, by name: each is changed and tested for itself, in order."""

    def concerns(self, mutant: Mutant, stage: str, reached: frozenset[tuple[str, str]], /) -> bool:
        """Whether a test that reaches this can notice the mutant in that program."""

    def owns(self, mutant: Mutant, test_path: str) -> bool:
        """Whether a file of tests is the mutant's own: it is asked first."""

    def apply(self, mutant: Mutant, stage: str, /) -> Change:
        """Make the change, in a child that ends with it."""
