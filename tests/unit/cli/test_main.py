from collections.abc import Iterator

import click
import pytest

from alatau.cli import main
from tests.unit.cli.command_line import Alatau


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(_commands(main.cli)), ids=" ".join)
def test_every_command_explains_itself(alatau: Alatau, path: tuple[str, ...]) -> None:
    """It loads, says what it does in a sentence, and explains each of its options."""
    outcome = alatau(*path, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"Usage: alatau {' '.join(path)}")
    command: click.Command | None = main.cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    assert command.get_short_help_str(200).endswith(".")
    unexplained = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert unexplained == []


def test_a_wrong_command_line_has_its_own_exit_code(alatau: Alatau) -> None:
    """2, as everywhere; the message goes to standard error."""
    outcome = alatau("frobnicate")
    assert outcome.code == 2
    assert "No such command 'frobnicate'" in outcome.err
    assert outcome.out == ""


def test_a_known_error_is_a_sentence_and_a_code(alatau: Alatau, tmp_path: object) -> None:
    """No traceback for what an operator can mend."""
    outcome = alatau("--home", tmp_path, "config", "check")
    assert outcome.code == 3
    assert outcome.err.startswith("error: ")
    assert "config.toml is missing" in outcome.err
    assert "Traceback" not in outcome.err


def test_errors_that_end_a_node_come_out_of_their_groups(monkeypatch: pytest.MonkeyPatch, alatau: Alatau) -> None:
    """Nurseries raise groups; a person reads the sentences in them."""

    def fail(*_: object, **__: object) -> None:
        raise ExceptionGroup("nursery", [ExceptionGroup("inner", [OSError("no such disk")])])

    monkeypatch.setattr(main.cli, "main", fail)
    outcome = alatau("start")
    assert (outcome.code, outcome.err) == (1, "error: no such disk\n")


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, alatau: Alatau) -> None:
    """What nobody foresaw must be reportable."""

    def fail(*_: object, **__: object) -> None:
        raise ExceptionGroup("nursery", [OSError("disk"), KeyError("oops")])

    monkeypatch.setattr(main.cli, "main", fail)
    with pytest.raises(ExceptionGroup):
        alatau("start")
