"""``alatau doctor``: what is wrong with the node, and what to do about it."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final

import click

from alatau.app import diagnosis
from alatau.app.diagnosis import Level, Verdict
from alatau.app.home import Home, home_user
from alatau.app.password import PasswordError
from alatau.app.startup import check_start
from alatau.cli.connection import NodeOptions, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.exit_codes import ExitCode, exit_code_of
from alatau.cli.output import json_option, print_json, print_rows
from alatau.client import RpcError, SyncClient

_WAIT_FOR_BLOCK_S: Final = 12.0
"""Longer than the heartbeat of production, after which a block comes even without transactions."""
_LOOK_FOR_BLOCK_S: Final = 0.1


@click.command()
@json_option
@pass_context
def doctor(context: Context, as_json: bool) -> int:
    """Look at the home and the running node, and say what to do. Exit code 1 if something has failed."""
    home = context.home()
    looked = [
        *_looked("home", lambda: [_of_home(home)]),
        *_looked("certificate", lambda: [diagnosis.of_certificate(home)]),
        *_looked("disk", lambda: [diagnosis.of_disk(home)]),
        *_looked("sign state", lambda: [diagnosis.of_sign_state(home)]),
        *_looked("node", lambda: _of_node(context, home_user(home))),
    ]
    verdicts = diagnosis.gravest_first(looked)
    if as_json:
        print_json([asdict(verdict) for verdict in verdicts])
    else:
        rows = [(v.check, v.level, v.found, v.advice) for v in verdicts]
        print_rows(("check", "result", "found", "do"), rows, as_json=False)
    return ExitCode.FAILED if any(v.level is Level.FAILURE for v in verdicts) else ExitCode.OK


def _looked(check: str, look: Callable[[], list[Verdict]]) -> list[Verdict]:
    """The verdicts of a check; a check that fails itself is a verdict, too: the others matter all the more."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001
        if exit_code_of(error) is not None:
            return [Verdict(check, Level.FAILURE, str(error), "mend what the message names")]
        found = f"the check failed: {type(error).__name__}: {error}"
        return [Verdict(check, Level.FAILURE, found, "a defect of this program: please report it")]


def _of_home(home: Home) -> Verdict:
    refusals = check_start(home, os.environ, None)
    if home_user(home) is not None:
        # The node has its password from its own environment, which need not be this one.
        refusals = [refusal for refusal in refusals if not isinstance(refusal.cause, PasswordError)]
    return diagnosis.of_home([refusal.problem for refusal in refusals])


def _of_node(context: Context, pid: int | None) -> list[Verdict]:
    if pid is None:
        return [Verdict("node", Level.FAILURE, "it does not run", "alatau start; if it stops again, see its log")]
    verdicts: list[Verdict] = []
    try:
        with open_client(context, NodeOptions()) as client:
            verdicts.extend(_of_client(client, pid))
    except RpcError as error:
        found = f"process {pid} does not answer: {error}"
        verdicts.append(Verdict("node", Level.FAILURE, found, "see its log; restart it"))
    return verdicts


def _of_client(client: SyncClient, pid: int) -> Iterator[Verdict]:
    """One verdict after the other, so that those that were reached are shown where a later question fails."""
    status = client.status()
    yield Verdict("node", Level.OK, f"process {pid}, version {status.version}")
    yield diagnosis.of_signing(status)
    yield diagnosis.of_sync(status)
    yield diagnosis.of_storage(status)
    consensus = client.consensus_state()
    yield diagnosis.of_consensus(consensus)
    yield diagnosis.of_validators(consensus)
    yield diagnosis.of_clock(_clock_skew_s(client, status.height))


def _clock_skew_s(client: SyncClient, height: int) -> float | None:
    """This clock less that of the next block's proposer, to a second; None where no block comes in time."""
    deadline = time.monotonic() + _WAIT_FOR_BLOCK_S
    while time.monotonic() < deadline:
        now = client.status()
        if now.height > height:
            return time.time() - now.timestamp - 0.5  # A block has whole seconds: half one is lost.
        time.sleep(_LOOK_FOR_BLOCK_S)
    return None
