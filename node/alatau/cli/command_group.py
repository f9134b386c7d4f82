"""How a command is found by its name, and what is said where there is none of that name.

A command's module is imported when the command is named: ``alatau start`` loads no compiler.
"""

import difflib
import re
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

import click

PLUGINS: Final = "alatau.commands"
"""Entry points of this group are commands too: what stands above the node, such as ``alatau devnet``, names itself
there, so that nothing below imports it."""


class LazyGroup(click.Group):
    """Commands by name, each as ``module:attribute``; and those that installed packages add."""

    def __init__(self, *arguments: Any, commands_at: dict[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in alphabetical order."""
        return sorted({*super().list_commands(ctx), *self._commands_at, *entry_points(group=PLUGINS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        place = self._commands_at.get(cmd_name)
        if place is None:
            place = next((point.value for point in entry_points(group=PLUGINS, name=cmd_name)), None)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command), f"{place} is no command"
        return command


def suggestion(error: click.ClickException) -> str:
    """A line after an error about a command that there is not; empty after any other error.

    Click itself names what is very near, options too.
    """
    context = getattr(error, "ctx", None)
    if not isinstance(error, click.UsageError) or context is None or not isinstance(context.command, click.Group):
        return ""
    match = re.match(r"No such command '(.*?)'", error.message, re.DOTALL)
    if match is None or "Did you mean" in error.format_message():
        return ""
    known = context.command.list_commands(context)
    near = difflib.get_close_matches(match[1][:60].lower(), known, n=3, cutoff=0.5)
    return f"Did you mean {', '.join(near)}?" if near else f"There are {', '.join(known)}."
