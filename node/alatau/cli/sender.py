"""Who signs a transaction, and what is printed of its outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from alatau.cli.context import ask_password, option_group, password_file_option
from alatau.cli.events import EventNames
from alatau.cli.output import print_facts
from alatau.client import SyncClient, Wallet
from alatau.client.errors import Failure
from alatau.client.keystore import read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wire.receipt import TransactionReceipt

_F = TypeVar("_F", bound=Callable[..., Any])


def keystore_option(explanation: str) -> Callable[[_F], _F]:
    """``--from``, a keystore's file."""
    return click.option(
        "--from",
        "keystore",
        required=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help=explanation,
    )


@dataclass(frozen=True, slots=True)
class SenderOptions:
    """Who sends a transaction, and what it may cost."""

    keystore: Path
    password_file: Path | None
    gas_limit: int | None
    """None for an estimate and a margin."""

    def wallet(self, client: SyncClient) -> Wallet:
        """The sender's wallet, ready to sign for the client's network; asks for the keystore's password."""
        return client.wallet(read_key(self.keystore, self.password_file))


sender_options = option_group(
    "sender",
    SenderOptions,
    keystore_option("Keystore file of the sender."),
    password_file_option,
    click.option(
        "--gas-limit",
        type=click.IntRange(21_000),
        help="Gas that the transaction may use; by default an estimate and a margin. With it nothing is tried first.",
    ),
)
"""Gives a command ``--from``, ``--password-file`` and ``--gas-limit``, as the argument ``sender``."""


def read_key(keystore: Path, password_file: Path | None) -> PrivateKey:
    """The key in a keystore, with the password from a file, the environment or a prompt."""
    return read_keystore(keystore, ask_password(f"Password of {keystore.name}", password_file))


def print_receipt(
    receipt: TransactionReceipt,
    *,
    as_json: bool,
    names: EventNames | None = None,
    failure: Failure | None = None,
    **more: Any,
) -> None:
    """Print where a transaction ended up; with ``names`` its events, with ``failure`` why it failed."""
    facts: dict[str, Any] = {
        "transaction": receipt.transaction_hash,
        "succeeded": receipt.succeeded,
        "outcome": None if failure is None else str(failure.outcome),
        "reason": None if failure is None else failure.reason,
        "height": receipt.position.height,
        "index": receipt.position.index,
        "block_hash": receipt.position.block_hash,
        "sender": receipt.sender,
        "to": receipt.to,
        "contract": receipt.contract_address,
        "gas_used": receipt.gas_used,
        "logs": len(receipt.logs),
    }
    facts = {name: value for name, value in facts.items() if value is not None} | more
    if names is not None and as_json:
        facts["events"] = [names.document(log) for log in receipt.logs]
    elif names is not None and receipt.logs:
        facts["events"] = "\n".join(names.line(log) for log in receipt.logs)
    print_facts(facts, as_json=as_json)
