"""``alatau keys resume-signing``: what the operator decides where a validator does not know what it signed."""

import click

from alatau.app.home import lock_home
from alatau.app.resume_signing import ResumeSigningError, plan_resumption
from alatau.app.resume_signing import resume_signing as write_resumption
from alatau.cli.context import Context, pass_context
from alatau.cli.output import json_option, print_facts, say

_DANGER = """\
DANGER. Two nodes that sign with one key contradict each other sooner or later. That is provable: the chain suspends
the validator, and with several such validators the network can split.

Go on only if you know that no other process signs with this key: no second node runs on a copy of this home, no old
machine may come back with it. The validator then keeps silent through height {height}, while the network goes on
without it, and signs from the next one on."""


@click.command("resume-signing")
@click.option(
    "--network-height",
    required=True,
    type=click.IntRange(0),
    help="Height of the network now, as alatau status shows it at another validator.",
)
@click.option("--yes", is_flag=True, help="Do not ask: no other process signs with this key.")
@json_option
@pass_context
def resume_signing(context: Context, network_height: int, yes: bool, as_json: bool) -> None:
    """Let a validator sign again whose sign state is lost, damaged or older than its chain.

    The node must be stopped. A new sign state is written, well above the network's height; the old file is kept beside
    it.
    """
    home = context.home()
    if not home.voting_key.exists():
        raise click.UsageError("this node has no voting key: an observer signs nothing")
    with lock_home(home):
        try:
            planned = plan_resumption(home, network_height)
        except ResumeSigningError as error:
            raise click.BadParameter(str(error), param_hint="--network-height") from error
        say(_DANGER.format(height=planned.silent_through))
        if not yes:
            click.confirm("No other process signs with this key, and none will?", abort=True, err=True)
        aside = write_resumption(planned)
    facts = {
        "sign_state": str(planned.path),
        "old_sign_state": None if aside is None else str(aside),
        "chain_height": planned.chain_height,
        "signs_from_height": planned.silent_through + 1,
    }
    print_facts(facts, as_json=as_json)
    say("Start the node: alatau start")
