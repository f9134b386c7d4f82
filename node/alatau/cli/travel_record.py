"""``alatau travel-record``: make a key to receive records, seal one for a counterparty, open what was received."""

from pathlib import Path

import click

from alatau.app.json_field import pretty_json, read_document
from alatau.app.private_file import write_private
from alatau.app.travel_record import (
    SIZE_MAX,
    SealedRecord,
    TravelRecordError,
    load_private,
    load_public,
    new_receiver_key,
    private_pem,
    public_pem,
    seal,
    unseal,
)
from alatau.cli.context import ask_password, password_file_option
from alatau.cli.output import json_option, print_facts, say
from alatau.cli.values import parse_hash

_existing = click.Path(path_type=Path, exists=True, dir_okay=False)
_new = click.Path(path_type=Path, dir_okay=False)


@click.group("travel-record")
def travel_record() -> None:
    """Who pays whom, told to the counterparty alone: large payments name the hash of such a record.

    A record is a JSON document in the terms of IVMS101.
    """


@travel_record.command()
@click.argument("file", type=_new)
@click.option("--public", "public", type=_new, required=True, help="Where the public key goes, for those who pay you.")
@password_file_option
@json_option
def key(file: Path, public: Path, password_file: Path | None, as_json: bool) -> None:
    """Make a key that records are sealed for: encrypted into FILE, its public half beside it."""
    made = new_receiver_key()
    if public.exists():
        raise FileExistsError(f"{public} exists already")
    write_private(file, private_pem(made, ask_password("Password for the new key", password_file, confirm=True)))
    public.write_bytes(public_pem(made.public_key()))
    print_facts({"key": str(file), "public_key": str(public)}, as_json=as_json)
    say(f"Give {public} to whoever pays you; keep {file} and its password: without both no record opens.")


@travel_record.command("seal")
@click.argument("record", type=_existing)
@click.option("--for", "receiver", type=_existing, required=True, help="The receiver's public key.")
@click.option("-o", "--output", type=_new, required=True, help="Where the sealed record goes; send it to the receiver.")
@json_option
def seal_command(record: Path, receiver: Path, output: Path, as_json: bool) -> None:
    """Encrypt RECORD for its receiver and print the hash that the payment names."""
    sealed = seal(read_document(record, SIZE_MAX), load_public(receiver.read_bytes(), str(receiver)))
    write_private(output, sealed.data)
    print_facts({"sealed": str(output), "record_hash": sealed.hash, "size": len(sealed.data)}, as_json=as_json)
    say("Send the file to the receiver, and pay with `transfer_recorded` and this hash.")


@travel_record.command("open")
@click.argument("sealed", type=_existing)
@click.option("--key", "key_file", type=_existing, required=True, help="Your key.")
@click.option("--hash", "expected", help="The hash that the payment named; another one is refused.")
@password_file_option
def open_command(sealed: Path, key_file: Path, expected: str | None, password_file: Path | None) -> None:
    """Decrypt SEALED and print the record as JSON."""
    with sealed.open("rb") as file:
        received = SealedRecord(file.read(SIZE_MAX + 1))
    if expected is not None and received.hash != parse_hash(expected):
        raise TravelRecordError(f"{sealed} has the hash 0x{received.hash.hex()}: the payment named another record")
    password = ask_password(f"Password of {key_file.name}", password_file)
    document = unseal(received, load_private(key_file.read_bytes(), password, str(key_file)), str(sealed))
    click.echo(pretty_json(document.value).decode(), nl=False)
