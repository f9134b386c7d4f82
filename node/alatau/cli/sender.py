"""Who signs a transaction, and what is printed of its outcome."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from alatau.app.keystore import read_keystore
from alatau.cli.context import ask_password, password_file_option
from alatau.cli.output import print_facts
from alatau.client import SyncClient, Wallet
from alatau.wire.receipt import TransactionReceipt

_F = TypeVar("_F", bound=Callable[..., Any])


def sender_options(command: _F) -> _F:
    """Give a command ``--from``, ``--password-file``."""
    keystore = click.option(
        "--from",
        "keystore",
        required=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Keystore file of the sender.",
    )
    return keystore(password_file_option(command))


def open_wallet(client: SyncClient, keystore: Path, password_file: Path | None) -> Wallet:
    """The sender's wallet, ready to sign for the client's network."""
    key = read_keystore(keystore, ask_password(f"Password of {keystore.name}", password_file))
    return client.wallet(key)


def print_receipt(receipt: TransactionReceipt, *, as_json: bool, **more: Any) -> None:
    """Print where a transaction ended up."""
    facts: dict[str, Any] = {
        "transaction": receipt.transaction_hash,
        "succeeded": receipt.succeeded,
        "height": receipt.position.height,
        "index": receipt.position.index,
        "block_hash": receipt.position.block_hash,
        "sender": receipt.sender,
        "to": receipt.to,
        "contract": receipt.contract_address,
        "gas_used": receipt.gas_used,
        "logs": len(receipt.logs),
    }
    print_facts({name: value for name, value in facts.items() if value is not None} | more, as_json=as_json)
