"""``alatau config``: check and show the configuration."""

import os
from dataclasses import asdict

import click

from alatau.app.config import SCHEMA, SETTINGS
from alatau.app.config_file import read_config
from alatau.app.home import home_user
from alatau.app.startup import StartRefusedError, check_start
from alatau.cli.context import Context, ask_for_keys, pass_context
from alatau.cli.output import json_option, print_json, print_rows, say

_INTRODUCTION = """\
# Configuration

`config.toml` in the node's home; `alatau init` writes it with every setting and its default in comments. An
environment variable overrides a setting: `rpc.listen` is `ALATAU_RPC_LISTEN`.

`alatau config check` names every mistake with its line and what is allowed there; `alatau config show` prints what is
in force. What the whole network must agree on is not here but in the genesis file. This page is printed by
`alatau config reference`."""


@click.group()
def config() -> None:
    """The node's settings."""


@config.command()
@json_option
@pass_context
def check(context: Context, as_json: bool) -> None:
    """Name everything that would keep the node from starting, with the exit code that start would give.

    Configuration, genesis, keys and their password, certificate, ports, database, log, sign state: by the same code
    as start. While the node runs its ports and disk are its own, and the files alone are checked.
    """
    home = context.home()
    refusals = check_start(home, os.environ, ask_for_keys())
    pid = home_user(home)
    if as_json:
        problems = [asdict(refusal.problem) for refusal in refusals]
        print_json({"ok": not refusals, "running": pid, "problems": problems})
    if refusals:
        raise StartRefusedError(refusals)
    if not as_json:
        running = f"; {home.folder} is in use by process {pid}, so its ports and disk were not tried" if pid else ""
        say(f"{home.folder}: nothing wrong{running}")


@config.command()
@json_option
@pass_context
def show(context: Context, as_json: bool) -> None:
    """Show every setting in force, the environment's overrides included."""
    values = asdict(read_config(context.home().config_file, os.environ))
    if as_json:
        print_json(values)
        return
    print_rows(
        ("setting", "value", "default", "variable"),
        [(s.key, str(values[s.section][s.name]), str(s.default), s.variable) for s in SETTINGS],
        as_json=False,
    )


@config.command()
def reference() -> None:
    """Print the reference of all settings in Markdown, as docs/operators/configuration.md has it."""
    click.echo(_INTRODUCTION)
    section = None
    for setting in SETTINGS:
        if setting.section != section:
            section = setting.section
            click.echo(f"\n## [{section}]\n\n{SCHEMA.section_explanation(section)}\n")
            click.echo("| setting | default | meaning |\n|---|---|---|")
        default = f"`{shown}`" if (shown := str(setting.default)) else "empty"
        click.echo(f"| `{setting.name}` | {default} | {setting.explanation} |")
