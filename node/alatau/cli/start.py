"""``alatau start``: the node."""

import os

import click

from alatau.app.config_file import ConfigError
from alatau.app.home import check_home
from alatau.app.node import run
from alatau.cli.context import Context, pass_context


@click.command()
@pass_context
def start(context: Context) -> None:
    """Run the node until it is told to stop (SIGTERM or Ctrl-C)."""
    home = context.home()
    _, problems = check_home(home, dict(os.environ))
    if problems:
        raise ConfigError(tuple(problems))
    run(home)
