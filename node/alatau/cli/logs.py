"""``alatau logs``: events of contracts, of the past and as they come."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import click

from alatau.app.private_file import write_private
from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.events import EventNames
from alatau.cli.values import abi_option, find_contract, parse_argument
from alatau.client import EventFilter, SyncClient
from alatau.client.abi import Abi
from alatau.wire.logs import EventLog

_BEFORE_ALL: Final = (-1, -1)


@click.command()
@click.argument("contract", required=False)
@click.argument("event", required=False)
@click.argument("conditions", nargs=-1, metavar="[NAME=VALUE]...")
@abi_option
@click.option("--from-height", type=click.IntRange(0), help="First block; with --follow alone, the next one.")
@click.option("--to-height", type=click.IntRange(0), help="Last block; the tip by default.")
@click.option("--follow", is_flag=True, help="Go on as blocks are decided, until interrupted.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Go on after the event that this file names, and note there each one that was printed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object a line for scripts.")
@node_options
@pass_context
def logs(
    context: Context,
    contract: str | None,
    event: str | None,
    conditions: tuple[str, ...],
    abi_file: Path | None,
    from_height: int | None,
    to_height: int | None,
    follow: bool,
    resume: Path | None,
    as_json: bool,
    node: NodeOptions,
) -> None:
    """Print the events of CONTRACT, those called EVENT, whose indexed members are as the conditions say.

    CONTRACT is a name from genesis (SettlementToken) or an address with --abi; without it the events of all contracts
    are printed. A line is written at once and whole: after an interruption --resume leaves none out and repeats at most
    the last.
    """
    if follow and to_height is not None:
        raise click.UsageError("--follow has no end: leave --to-height out")
    wanted, names = _wanted(contract, event, conditions, abi_file)
    last = _BEFORE_ALL if resume is None else _read_position(resume)
    if last != _BEFORE_ALL:
        from_height = max(last[0], from_height or 0)
    with open_client(context, node) as client:
        for log in _found(client, wanted, from_height, to_height, follow=follow):
            position = (log.height, log.log_index)
            if position <= last:
                continue
            click.echo(json.dumps(names.document(log), ensure_ascii=False) if as_json else _line(log, names))
            if resume is not None:
                write_private(resume, f"{log.height}:{log.log_index}\n".encode(), replace=True)


def _found(
    client: SyncClient, wanted: EventFilter, from_height: int | None, to_height: int | None, *, follow: bool
) -> Iterator[EventLog]:
    if not follow:
        yield from client.logs(wanted, from_height or 0, to_height)
        return
    with ExitStack() as stack:
        blocks = stack.enter_context(client.follow_logs(wanted, from_height=from_height))
        for block in blocks:
            yield from block.logs


def _wanted(
    contract: str | None, event: str | None, conditions: tuple[str, ...], abi_file: Path | None
) -> tuple[EventFilter, EventNames]:
    if contract is None:
        return EventFilter(), EventNames()
    abi, address = find_contract(contract, abi_file)
    names = EventNames() if abi_file is None else EventNames({address: (contract, abi)})
    if event is None:
        return EventFilter((address,)), names
    return EventFilter((address,), abi.topics(event, _values(abi, event, conditions))), names


def _values(abi: Abi, event: str, conditions: tuple[str, ...]) -> dict[str, list[Any]]:
    """Values of indexed members; one that is named twice may have either."""
    types = {field.name: field.type for field in abi.event(event).fields}
    values: dict[str, list[Any]] = {}
    for text in conditions:
        name, equals, value = text.partition("=")
        if not equals or name not in types:
            raise click.BadParameter(f"{text!r:.80} is not NAME=VALUE with a member of {event}: {', '.join(types)}")
        values.setdefault(name, []).append(parse_argument(types[name], value))
    return values


def _line(log: EventLog, names: EventNames) -> str:
    return f"{log.height}:{log.log_index} {names.line(log)}"


def _read_position(path: Path) -> tuple[int, int]:
    """The height and index in a file of ``--resume``; one that is not there yet stands before everything."""
    try:
        text = path.read_text(encoding="ascii")[:60]
    except FileNotFoundError:
        return _BEFORE_ALL
    except UnicodeDecodeError:
        text = ""
    height, _, index = text.strip().partition(":")
    if not (height.isdigit() and index.isdigit()):
        raise click.BadParameter(f"{path} is no file of --resume: it should hold a height and an index, as 120:3")
    return int(height), int(index)
