"""``alatau config``: check and show the configuration."""

import os
from dataclasses import asdict

import click

from alatau.app.config import SETTINGS, section_explanation
from alatau.app.config_file import ConfigError, read_config
from alatau.app.home import check_home
from alatau.cli.context import Context, pass_context
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
    """Name everything that would keep the node from starting: each wrong line, and what is allowed there."""
    home = context.home()
    _, problems = check_home(home, dict(os.environ))
    if as_json:
        print_json({"ok": not problems, "problems": [asdict(problem) for problem in problems]})
    if problems:
        raise ConfigError(tuple(problems))
    if not as_json:
        say(f"{home.folder}: nothing wrong")


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
            click.echo(f"\n## [{section}]\n\n{section_explanation(section)}\n")
            click.echo("| setting | default | meaning |\n|---|---|---|")
        default = f"`{shown}`" if (shown := str(setting.default)) else "empty"
        click.echo(f"| `{setting.name}` | {default} | {setting.explanation} |")
