"""What a mistyped command was probably to be."""

import difflib
import re

import click


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
