"""Decisions in files, and in plain words."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from alatau.app.private_file import write_private
from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.cli.output import time_text
from alatau.client.clear_signing import shown_with_unit, words
from alatau.client.decision_file import read_decision, write_decision
from alatau.client.decision_types import MEANINGS
from alatau.client.decisions import Decision
from alatau.client.errors import DecisionError, TypedDataError
from alatau.codec.json_text import JsonError, parse_json

_FILE_SIZE_MAX: Final = 64 * 1024
"""Bytes; a decision with sixteen signatures has about 7,000."""
_NOT_OF_GENESIS: Final = "not of genesis: compare the address with your own records"
_NAMES: Final = {address: name for name, (_, address) in GENESIS_CONTRACTS.items()}


def read_decision_file(path: Path) -> Decision:
    """The decision in a file. Raises ``DecisionError``, ``TypedDataError``, ``OSError``."""
    with path.open("rb") as file:
        data = file.read(_FILE_SIZE_MAX + 1)
    try:
        return read_decision(parse_json(data, _FILE_SIZE_MAX))
    except (JsonError, DecisionError, TypedDataError) as error:
        raise DecisionError(f"{path.name} is no decision: {error}") from error


def write_decision_file(path: Path, decision: Decision) -> None:
    """A new file. Raises ``FileExistsError``: a file that somebody has signed is not written over."""
    write_private(path, _text(decision))


def replace_decision_file(path: Path, decision: Decision) -> None:
    """The file anew, whole or not at all."""
    write_private(path, _text(decision), replace=True)


def describe(decision: Decision) -> str:
    """Everything that is signed, a line each, in words. Characters that a terminal would act on are spelt out."""
    lines = [
        ("decision", "0x" + decision.id.hex()),
        ("contract", f"{decision.contract}, {_readable(decision.domain.contract)}"),
        *([] if decision.domain.contract in _NAMES else [("", _NOT_OF_GENESIS)]),
        ("signed as", f"{_readable(decision.domain.name)} version {_readable(decision.domain.version)}"),
        ("chain", str(decision.domain.chain_id)),
        ("act", _printable(decision.act)),
        *_members(decision),
        *_terms(decision.terms),
        ("signatures", ", ".join("0x" + signer.hex() for signer in sorted(decision.signatures)) or "none yet"),
    ]
    if decision.overrides:
        lines.append(("veto overridden by", ", ".join("0x" + signer.hex() for signer in sorted(decision.overrides))))
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"  {label:<{width}}  {text}" for label, text in lines)


def _members(decision: Decision) -> Iterator[tuple[str, str]]:
    struct = decision.type.struct
    for _, name in struct.members:
        if name in ("action", "terms"):
            continue
        value = decision.message[name]
        meanings = MEANINGS.get((struct.name, str(decision.message.get("action", "")), name))
        if meanings is not None:
            text = f"{value}, {meanings.get(value, 'unknown')}"
        else:
            text = shown_with_unit(name, value) or _readable(value)
        yield words(name).lower(), text


def _terms(terms: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    yield "council's policy", f"version {terms['policyVersion']}"
    yield "number", str(terms["nonce"])
    yield "not before", time_text(terms["notBefore"]) if terms["notBefore"] else "any time after approval and delay"
    yield "expires", time_text(terms["expires"])


def _readable(value: Any) -> str:
    match value:
        case bytes() if not any(value):
            return f"0x{value.hex()} (none)"
        case bytes():
            return f"0x{value.hex()}" + (f" ({_NAMES[value]})" if value in _NAMES else "")
        case str():
            return f'"{_printable(value)}"'
        case list():
            return ", ".join(map(_readable, value)) or "nobody"
        case _:
            return str(value)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _text(decision: Decision) -> bytes:
    return json.dumps(write_decision(decision), indent=2, ensure_ascii=False).encode() + b"\n"
