"""A command group that imports a command's module when the command is named: ``alatau start`` loads no compiler."""

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
