"""Values as people type them on a command line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.artifact import SOURCES, load
from alatau.client.abi import Abi, load_abi
from alatau.client.abi_types import type_members
from alatau.codec.json_text import parse_json

_F = TypeVar("_F", bound=Callable[..., Any])
_ARGUMENT_SIZE_MAX = 256 * 1024
"""Bytes of an array or a tuple: twice what a transaction holds."""
_UNITS = {"wei": 1, "gwei": 10**9, "ether": 10**18}


def parse_address(text: str) -> bytes:
    """A 20-byte address; raises ``click.BadParameter``."""
    return _hex(text, 20, "an address, 0x and 40 hexadecimal digits")


def parse_hash(text: str) -> bytes:
    """A 32-byte hash; raises ``click.BadParameter``."""
    return _hex(text, 32, "a hash, 0x and 64 hexadecimal digits")


def parse_data(text: str) -> bytes:
    """Bytes of any length; raises ``click.BadParameter``."""
    return _hex(text, None, "0x and hexadecimal digits")


def parse_amount(text: str) -> int:
    """Wei from ``5``, ``2 gwei``, ``1.5ether``; raises ``click.BadParameter``."""
    match = re.fullmatch(r"(\d{1,78})(?:\.(\d{1,18}))?\s*(wei|gwei|ether)?", text.strip(), re.ASCII)
    if match is None:
        raise click.BadParameter(f"{text!r:.80} is no amount such as 100, 2gwei or 1.5ether")
    whole, fraction = match[1], match[2] or ""
    wei, rest = divmod(int(whole + fraction) * _UNITS[match[3] or "wei"], 10 ** len(fraction))
    if rest:
        raise click.BadParameter(f"{text!r} is finer than one wei")
    return int(wei)


def parse_argument(kind: str, text: str) -> Any:
    """A value of the ABI type ``kind``: arrays and tuples as JSON; raises ``click.BadParameter``."""
    if kind.endswith("]") or kind.startswith("("):
        try:
            return _nested(kind, parse_json(text.encode(errors="surrogatepass"), _ARGUMENT_SIZE_MAX))
        except ValueError as error:
            raise click.BadParameter(f"{text!r:.80} is no JSON for {kind}: {error}") from error
    if kind == "address":
        return parse_address(text)
    if kind.startswith("bytes"):
        return _hex(text, int(kind[5:]) if kind[5:] else None, f"{kind} as 0x and hexadecimal digits")
    if kind == "bool":
        if text not in ("true", "false"):
            raise click.BadParameter(f"{text!r} is neither true nor false")
        return text == "true"
    if kind.startswith(("uint", "int")):
        if not re.fullmatch(r"-?(?:0x[0-9a-fA-F]{1,64}|\d{1,78})", text, re.ASCII):
            raise click.BadParameter(f"{text!r:.80} is no whole number for {kind}, such as 25 or 0x19")
        return int(text, 16 if "x" in text else 10)
    return text


def find_contract(text: str, abi_file: Path | None) -> tuple[Abi, bytes]:
    """A contract by its name in genesis, or by address with its ABI's file; raises ``click.BadParameter``."""
    if text in GENESIS_CONTRACTS:
        artifact, address = GENESIS_CONTRACTS[text]
        return load_abi(load(artifact).abi), address
    if not text.startswith("0x"):
        raise click.BadParameter(f"{text!r} is neither an address nor one of {', '.join(GENESIS_CONTRACTS)}")
    if abi_file is None:
        raise click.BadParameter(
            f"for a contract by address give its ABI too (--abi FILE, or a name: {', '.join(SOURCES)})"
        )
    return find_abi(abi_file), parse_address(text)


def abi_option(command: _F) -> _F:
    """Give a command ``--abi``."""
    return click.option(
        "--abi",
        "abi_file",
        type=click.Path(path_type=Path),
        help="ABI's file, or the name of a contract of ours, for a contract by address.",
    )(command)


def find_abi(abi_file: Path) -> Abi:
    """The ABI that ``--abi`` names; raises ``AbiError``, ``OSError``."""
    return load_abi(load(str(abi_file)).abi if str(abi_file) in SOURCES else abi_file)


def shown(value: Any) -> Any:
    """A decoded value for JSON and people: bytes as hexadecimal, tuples as lists."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple | list):
        return [shown(item) for item in value]
    return value


def _nested(kind: str, value: Any) -> Any:
    if kind.endswith("]"):
        if not isinstance(value, list):
            raise ValueError(f"{json.dumps(value)} is no array")
        inner = kind[: kind.rindex("[")]
        return [_nested(inner, item) for item in value]
    if kind.startswith("("):
        members = type_members(kind)
        if not isinstance(value, list) or len(value) != len(members):
            raise ValueError(f"{json.dumps(value)} is no array of {len(members)} for {kind}")
        return tuple(_nested(member, item) for member, item in zip(members, value, strict=True))
    return parse_argument(kind, value if isinstance(value, str) else json.dumps(value))


def _hex(text: str, size: int | None, expected: str) -> bytes:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = None
    if data is None or not text.startswith("0x") or (size is not None and len(data) != size):
        raise click.BadParameter(f"{text!r:.80} is not {expected}")
    return data
