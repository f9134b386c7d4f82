"""Values as people type them on a command line."""

import json
import re
from pathlib import Path
from typing import Any

import click

from alatau.artifacts import addresses
from alatau.artifacts.artifact import SOURCES, load
from alatau.client.abi import Abi, load_abi

_UNITS = {"wei": 1, "gwei": 10**9, "ether": 10**18}
GENESIS_CONTRACTS = {
    "FundCouncil": ("Council", addresses.FUND_COUNCIL),
    "ReserveCouncil": ("Council", addresses.RESERVE_COUNCIL),
    "ValidatorRegistry": ("ValidatorRegistry", addresses.VALIDATOR_REGISTRY),
    "ParticipantRegistry": ("ParticipantRegistry", addresses.PARTICIPANT_REGISTRY),
    "SettlementToken": ("SettlementToken", addresses.SETTLEMENT_TOKEN),
    "ReserveVault": ("ReserveVault", addresses.RESERVE_VAULT),
    "CityChannels": ("CityChannels", addresses.CITY_CHANNELS),
}
"""Name -> (artifact, address) of the contracts that are there from genesis."""


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
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?\s*(wei|gwei|ether)?", text.strip())
    if match is None:
        raise click.BadParameter(f"{text!r} is no amount such as 100, 2gwei or 1.5ether")
    whole, fraction = match[1], match[2] or ""
    wei, rest = divmod(int(whole + fraction) * _UNITS[match[3] or "wei"], 10 ** len(fraction))
    if rest:
        raise click.BadParameter(f"{text!r} is finer than one wei")
    return int(wei)


def parse_argument(kind: str, text: str) -> Any:
    """A value of the ABI type ``kind``: arrays and tuples as JSON; raises ``click.BadParameter``."""
    if kind.endswith("]") or kind.startswith("("):
        try:
            return _nested(kind, json.loads(text))
        except ValueError as error:
            raise click.BadParameter(f"{text!r} is no JSON for {kind}: {error}") from error
    if kind == "address":
        return parse_address(text)
    if kind.startswith("bytes"):
        return _hex(text, int(kind[5:]) if kind[5:] else None, f"{kind} as 0x and hexadecimal digits")
    if kind == "bool":
        if text not in ("true", "false"):
            raise click.BadParameter(f"{text!r} is neither true nor false")
        return text == "true"
    if kind.startswith(("uint", "int")):
        try:
            return int(text, 0)
        except ValueError:
            raise click.BadParameter(f"{text!r} is no whole number for {kind}") from None
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
    if str(abi_file) in SOURCES:
        return load_abi(load(str(abi_file)).abi), parse_address(text)
    return load_abi(abi_file), parse_address(text)


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
        members = _members(kind)
        if not isinstance(value, list) or len(value) != len(members):
            raise ValueError(f"{json.dumps(value)} is no array of {len(members)} for {kind}")
        return tuple(_nested(member, item) for member, item in zip(members, value, strict=True))
    return parse_argument(kind, value if isinstance(value, str) else json.dumps(value))


def _members(kind: str) -> list[str]:
    """The types in ``(a,(b,c),d)``."""
    members, depth, start = [], 0, 1
    for index, character in enumerate(kind[1:-1], start=1):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            members.append(kind[start:index])
            start = index + 1
    return [*members, kind[start:-1]]


def _hex(text: str, size: int | None, expected: str) -> bytes:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = None
    if data is None or not text.startswith("0x") or (size is not None and len(data) != size):
        raise click.BadParameter(f"{text!r} is not {expected}")
    return data
