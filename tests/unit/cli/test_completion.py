"""Completion of commands and options by the shell."""

import pytest
from click.shell_completion import get_completion_class

from alatau.cli import main
from tests.unit.cli.command_line import Alatau


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_the_program(alatau: Alatau, shell: str) -> None:
    """By the variable that the program answers to."""
    outcome = alatau("completion", shell)
    assert outcome.code == 0
    assert f"_ALATAU_COMPLETE={shell}_complete" in outcome.out


def _completed(*words: str) -> list[str]:
    """What the program answers the script of bash for the last of ``words``."""
    kind = get_completion_class("bash")
    assert kind is not None
    completer = kind(main.cli, {}, "alatau", "_ALATAU_COMPLETE")
    return [item.value for item in completer.get_completions(list(words[:-1]), words[-1])]


def test_commands_and_options_are_completed() -> None:
    """Those of a group that is loaded when it is named, too."""
    assert _completed("val") == ["validator", "validators"]
    assert "--follow" in _completed("logs", "--f")
    assert "sign" in _completed("council", "s")
