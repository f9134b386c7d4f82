"""``alatau start``: the node."""

import click

from alatau.app.node import run
from alatau.cli.context import Context, ask_for_keys, pass_context


@click.command()
@pass_context
def start(context: Context) -> None:
    """Run the node until it is told to stop (SIGTERM or Ctrl-C)."""
    run(context.home(), ask_for_keys())
