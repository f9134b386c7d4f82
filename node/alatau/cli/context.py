"""What every command may need: the home, and how to ask for a password."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from alatau.app.home import Home, open_home
from alatau.app.password import find_password

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Context:
    """The options before the command."""

    home_folder: Path

    def home(self) -> Home:
        """The node's home; raises ``HomeError`` where there is none."""
        return open_home(self.home_folder)


pass_context = click.make_pass_decorator(Context)


def option_group(name: str, kind: type, *options: Callable[[Any], Any]) -> Callable[[_F], _F]:
    """Give a command several options that it takes as one argument.

    Args:
        name: of the argument.
        kind: a dataclass whose fields are the options' names.
        options: as ``click.option`` makes them, in the order of the help.
    """

    def decorate(command: _F) -> _F:
        @wraps(command)
        def with_group(*arguments: Any, **given: Any) -> Any:
            values = {field.name: given.pop(field.name) for field in fields(kind)}
            return command(*arguments, **given, **{name: kind(**values)})

        decorated: Any = with_group
        for option in reversed(options):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


def ask_password(prompt: str, file: Path | None, *, confirm: bool = False) -> str:
    """A password from ``file``, the environment or a prompt. Raises ``PasswordError``."""
    return find_password(file, os.environ, _prompt(prompt, confirm=confirm))


def ask_for_keys() -> Callable[[], str] | None:
    """Asks for the password of the node's keys; None without a terminal."""
    return _prompt("Password of the node's keys", confirm=False)


def _prompt(text: str, *, confirm: bool) -> Callable[[], str] | None:
    if not sys.stdin.isatty():
        return None
    return lambda: str(click.prompt(text, hide_input=True, confirmation_prompt=confirm))


password_file_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the password in one line. Default: ALATAU_PASSWORD, else a prompt.",
)
