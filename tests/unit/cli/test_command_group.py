"""Mistyped commands and options."""

import pytest

from tests.unit.cli.command_line import Alatau


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("sttus",), "status"),
        (("statsu",), "status"),
        (("tx", "sned"), "send"),
        (("council", "exec"), "execute"),
        (("validator", "delete"), "There are add, list, remove, rotate"),
        (("genesis", "merg"), "merge"),
        (("Tx",), "tx"),
    ],
)
def test_a_mistyped_command_is_recognised(alatau: Alatau, words: tuple[str, ...], meant: str) -> None:
    """In every group; what resembles nothing is answered with all that there is."""
    outcome = alatau(*words)
    assert outcome.code == 2
    assert "No such command" in outcome.err
    assert meant in outcome.err
    assert outcome.err.count("Did you mean") <= 1


def test_a_mistyped_option_is_recognised(alatau: Alatau) -> None:
    """Anywhere."""
    assert "--value" in alatau("tx", "send", "--valeu", 3).err
    assert "--follow" in alatau("logs", "--folow").err
