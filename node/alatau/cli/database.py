"""``alatau db`` and ``alatau rollback``: long work on the database of a node that is stopped."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from alatau.app.home import HomeError, lock_home
from alatau.cli.context import Context, pass_context
from alatau.cli.exit_codes import ExitCode
from alatau.cli.output import json_option, print_facts, print_json, say
from alatau.storage.check import Finding, Progress
from alatau.storage.checkpoint import copy_store
from alatau.storage.store import Store

_FINDINGS_SHOWN_MAX = 100
"""A database with more is lost anyway."""


@click.group()
def db() -> None:
    """The node's database. Stop the node first; ``check --online`` is for one that runs."""


@db.command()
@click.option("--online", is_flag=True, help="Beside a running node: check a copy of this moment, which takes no room.")
@json_option
@pass_context
def check(context: Context, online: bool, as_json: bool) -> int:
    """Verify blocks, trie and flat state against each other and the tip's header. Exit code 7 if damaged."""
    with _copied(context) if online else _opened(context) as store:
        height = _height(store)
        findings = list(_followed(store.check()))
    if as_json:
        print_json({"ok": not findings, "height": height, "findings": findings[:_FINDINGS_SHOWN_MAX]})
    else:
        for finding in findings[:_FINDINGS_SHOWN_MAX]:
            say(f"damaged: {finding}")
        say(f"{len(findings)} findings; restore a backup or sync again" if findings else f"sound up to height {height}")
    return ExitCode.DAMAGED if findings else ExitCode.OK


@db.command()
@json_option
@pass_context
def compact(context: Context, as_json: bool) -> None:
    """Give back the room of what was overwritten or deleted."""
    with _opened(context) as store:
        before = store.size_bytes
        list(_followed(store.compact()))
        print_facts({"bytes_before": before, "bytes_after": store.size_bytes}, as_json=as_json)


@click.command()
@click.option("--to", required=True, type=click.IntRange(0), help="Height that becomes the tip.")
@click.option("--yes", is_flag=True, help="Do it; without this only say what would be done.")
@json_option
@pass_context
def rollback(context: Context, to: int, yes: bool, as_json: bool) -> None:
    """Take blocks back until TO is the tip. The node fetches them again from its peers when it starts.

    The sign state is never taken back: what was signed once stays signed.
    """
    with _opened(context) as store:
        height = _height(store)
        if to > height:
            raise click.UsageError(f"the tip is at {height}; nothing to take back to {to}")
        store.state(to)
        if yes:
            list(_followed(store.rollback(to)))
        print_facts({"from": height, "to": to, "blocks": height - to, "done": yes}, as_json=as_json)
        if not yes:
            say("Nothing was changed. To do it add --yes.")


@contextmanager
def _opened(context: Context) -> Iterator[Store]:
    home = context.home()
    with lock_home(home):
        if not home.database.exists():
            raise HomeError(f"{home.folder} has no database yet: the node never ran")
        store = Store.open(home.database)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def _copied(context: Context) -> Iterator[Store]:
    home = context.home()
    if not home.database.exists():
        raise HomeError(f"{home.folder} has no database yet: the node never ran")
    copy = home.folder / f"check-{os.getpid()}"
    try:
        copy_store(home.database, copy)
        store = Store.open(copy)
        try:
            yield store
        finally:
            store.close()
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _height(store: Store) -> int:
    if store.tip is None:
        raise HomeError("the database is empty: the node never got as far as its genesis block")
    return store.tip.number


def _followed(steps: Iterable[Progress | Finding]) -> Iterator[str]:
    """Run the steps under a progress bar on standard error; gives what is not as it must be."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ProgressBar(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        tasks = {}
        for step in steps:
            if isinstance(step, Finding):
                yield step.what
                continue
            if step.phase not in tasks:
                tasks[step.phase] = bar.add_task(step.phase, total=step.total)
            bar.update(tasks[step.phase], completed=step.done, total=step.total)
