"""A command group that imports a command's module when the command is named: ``alatau start`` loads no compiler."""

from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Commands by name, each as ``module:attribute``."""

    def __init__(self, *arguments: Any, commands_at: dict[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in alphabetical order."""
        return sorted({*super().list_commands(ctx), *self._commands_at})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if (place := self._commands_at.get(cmd_name)) is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command), f"{place} is no command"
        return command
