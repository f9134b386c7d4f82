"""``alatau``: the one command line. Maps known errors to a sentence and an exit code."""

import sys
from pathlib import Path
from typing import Final

import click

import alatau
from alatau.build_form import FORM
from alatau.cli.command_group import LazyGroup, suggestion
from alatau.cli.context import Context
from alatau.cli.exit_codes import ExitCode, exit_code_of, leaves

_COMMANDS: Final = {
    "call": "alatau.cli.contract:call",
    "certs": "alatau.cli.certs:certs",
    "completion": "alatau.cli.completion:completion",
    "config": "alatau.cli.config:config",
    "council": "alatau.cli.council:council",
    "db": "alatau.cli.database:db",
    "deploy": "alatau.cli.contract:deploy",
    "doctor": "alatau.cli.doctor:doctor",
    "genesis": "alatau.cli.genesis:genesis",
    "hub": "alatau.cli.hub:hub",
    "init": "alatau.cli.init:init",
    "keys": "alatau.cli.keys:keys",
    "light": "alatau.cli.light:light",
    "logs": "alatau.cli.logs:logs",
    "participant": "alatau.cli.participant:participant",
    "peers": "alatau.cli.status:peers",
    "reserve": "alatau.cli.reserve:reserve",
    "rollback": "alatau.cli.database:rollback",
    "start": "alatau.cli.start:start",
    "status": "alatau.cli.status:status",
    "till": "alatau.cli.till:till",
    "tower": "alatau.cli.tower:tower",
    "travel-record": "alatau.cli.travel_record:travel_record",
    "tx": "alatau.cli.tx:tx",
    "validator": "alatau.cli.validator:validator",
    "validators": "alatau.cli.status:validators",
    "wallet": "alatau.cli.wallet:wallet",
}


@click.group(
    cls=LazyGroup,
    commands_at=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(alatau.__version__, prog_name="alatau", message=f"%(prog)s, version %(version)s, {FORM}")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path.home() / ".alatau",
    envvar="ALATAU_HOME",
    show_default="~/.alatau",
    help="The node's home folder [env: ALATAU_HOME].",
)
@click.pass_context
def cli(context: click.Context, home: Path) -> None:
    """Run, operate and use a node of an Alatau network.

    \b
    Exit codes: 0 done, 1 failed, 2 wrong command line, 3 wrong file or configuration,
    4 home or port in use, 5 no node answers, 6 password missing or wrong, 7 data damaged,
    8 a payment is signed and its outcome is not known yet, 130 interrupted.
    """
    context.obj = Context(home)


def run(arguments: list[str]) -> int:
    """Run a command line; give its exit code."""
    try:
        result = cli.main(arguments, prog_name="alatau", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        if hint := suggestion(error):
            click.echo(hint, err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except Exception as error:
        found = list(leaves(error))
        codes = [exit_code_of(leaf) for leaf in found]
        if None in codes:
            raise
        for leaf in found:
            # A name or a line of a file that is no UTF-8 may be in it.
            click.echo(f"error: {leaf}".encode(errors="backslashreplace"), err=True)
        return codes[0] or ExitCode.FAILED
    return result if isinstance(result, int) else ExitCode.OK


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))
