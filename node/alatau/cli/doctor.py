"""``alatau doctor``: what is wrong with the node, and what to do about it."""

import os
import threading
import time
from dataclasses import asdict
from typing import Final

import click

from alatau.app import diagnosis
from alatau.app.diagnosis import Level, Verdict
from alatau.app.home import check_home, home_user
from alatau.cli.connection import open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.exit_codes import ExitCode
from alatau.cli.output import json_option, print_json, print_rows
from alatau.client import RpcError, SyncClient

_WAIT_FOR_BLOCK_S: Final = 12.0
"""Longer than the heartbeat of production, after which a block comes even without transactions."""


@click.command()
@json_option
@pass_context
def doctor(context: Context, as_json: bool) -> int:
    """Look at the home and the running node, and say what to do. Exit code 1 if something has failed."""
    home = context.home()
    _, problems = check_home(home, dict(os.environ))
    verdicts = [
        diagnosis.of_home(problems),
        diagnosis.of_certificate(home),
        diagnosis.of_disk(home),
        diagnosis.of_sign_state(home),
        *_of_node(context, home_user(home)),
    ]
    if as_json:
        print_json([asdict(verdict) for verdict in verdicts])
    else:
        rows = [(v.check, v.level, v.found, v.advice) for v in verdicts]
        print_rows(("check", "result", "found", "do"), rows, as_json=False)
    return ExitCode.FAILED if any(v.level is Level.FAILURE for v in verdicts) else ExitCode.OK


def _of_node(context: Context, pid: int | None) -> list[Verdict]:
    if pid is None:
        return [Verdict("node", Level.FAILURE, "it does not run", "alatau start; if it stops again, see its log")]
    try:
        with open_client(context, None, None) as client:
            status, consensus = client.status(), client.consensus_state()
            return [
                Verdict("node", Level.OK, f"process {pid}, version {status.version}"),
                diagnosis.of_sync(status),
                diagnosis.of_consensus(consensus),
                diagnosis.of_validators(consensus),
                diagnosis.of_clock(_clock_skew_s(client)),
            ]
    except RpcError as error:
        return [Verdict("node", Level.FAILURE, f"process {pid} does not answer: {error}", "see its log; restart it")]


def _clock_skew_s(client: SyncClient) -> float | None:
    """This clock less that of the next block's proposer, to a second; None where no block comes in time."""
    skews: list[float] = []

    def listen() -> None:
        with client.subscribe_blocks() as blocks:
            block = next(iter(blocks), None)
            if block is not None:
                skews.append(time.time() - block.header.timestamp - 0.5)  # A block has whole seconds: half one is lost.

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    listener.join(_WAIT_FOR_BLOCK_S)
    return skews[0] if skews else None
