"""What every command may need: the home, and how to ask for a password."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from alatau.app.home import Home, open_home
from alatau.app.password import find_password


@dataclass(frozen=True, slots=True)
class Context:
    """The options before the command."""

    home_folder: Path

    def home(self) -> Home:
        """The node's home; raises ``HomeError`` where there is none."""
        return open_home(self.home_folder)


pass_context = click.make_pass_decorator(Context)


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
