"""What commands print: tables and sentences for people, JSON where a script reads."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 240
"""Columns: wide enough that no table wraps where a program reads it."""

_F = TypeVar("_F", bound=Callable[..., Any])


def json_option(command: _F) -> _F:
    """Give a command ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(command)


def console() -> Console:
    """Standard output, with colours on a terminal only and no wrapping in a pipe."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def say(text: str) -> None:
    """Print a line for people to standard error, so that standard output stays what a script reads."""
    click.echo(text, err=True)


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print a document; bytes as ``0x`` hexadecimal."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_encode))


def print_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print names and values, one to a line."""
    if as_json:
        print_json(facts)
        return
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(f"[bold]{name.replace('_', ' ')}[/]", _cell(value))
    console().print(table)


def time_text(seconds: int) -> str:
    """A second since 1970 as people write it."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}, beyond any calendar"


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, as_json: bool) -> None:
    """Print a table."""
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    return str(value).replace("[", r"\[")


def _encode(value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    raise TypeError(f"{type(value).__name__} has no JSON form")
