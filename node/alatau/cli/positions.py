"""``alatau reserve positions|attest|report``: what the reserve holds outside the chain, and who has seen it."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from alatau.app.private_file import write_private
from alatau.artifacts import addresses
from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.positions import AssetClass
from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, pass_context, password_file_option
from alatau.cli.output import json_option, print_facts, print_json, say, time_text
from alatau.cli.sender import SenderOptions, keystore_option, print_receipt, read_key, sender_options
from alatau.cli.values import parse_address, parse_hash
from alatau.cli.waiting import FINAL_TIMEOUT_S, explain_waiting
from alatau.client import SyncClient, attestations
from alatau.client.attestations import UNIT
from alatau.client.decisions import abi_of
from alatau.client.errors import AttestationError, TypedDataError
from alatau.codec.json_text import JsonError, parse_json
from alatau.crypto.keccak import keccak256

_FILE_SIZE_MAX: Final = 64 * 1024
_EVIDENCE_SIZE_MAX: Final = 1 << 30
_TIERS: Final = ((1, "all"), (2, "a half"), (4, "a quarter"))
"""Age, in times of what its class allows -> what is left of the vault's limit; beyond, a tenth (``positions.vy``)."""
_LEDGER: Final = "PositionLedger"
_NAMES: Final = {address: name for name, (_, address) in GENESIS_CONTRACTS.items()} | {bytes(20): "native asset"}


@click.command()
@click.option("--asset", multiple=True, help="Token whose positions are shown; the native asset and the token.")
@node_options
@json_option
@pass_context
def positions(context: Context, asset: tuple[str, ...], node: NodeOptions, as_json: bool) -> None:
    """Show every position: what was seen when, by which terms it counts, and what does not count, and why."""
    assets = [parse_address(one) for one in asset] or [bytes(20), addresses.SETTLEMENT_TOKEN]
    with open_client(context, node) as client:
        now = client.status().timestamp
        found = [facts for one in assets for facts in _positions_behind(client, one, now)]
    if as_json:
        print_json(found)
        return
    if not found:
        say("no position is open behind these assets; the fund council opens one (alatau council list)")
    for facts in found:
        print_facts(facts, as_json=False)
        click.echo()


def _positions_behind(client: SyncClient, asset: bytes, now: int) -> Iterator[dict[str, Any]]:
    ledger = client.contract(abi_of(_LEDGER), addresses.POSITION_LEDGER)
    for identity in ledger.read("positions_behind", asset):
        place, quantity, encumbered, price, as_of, price_as_of, _, sequence, disputed_by = ledger.read(
            "position", identity
        )
        quantity_age, price_age, deviation_bps, haircut_bps = ledger.read("class_terms", place[0])
        _, assured_until = ledger.read("assurance", place[2])
        yield {
            "position": identity,
            "class": AssetClass(place[0]).name.lower().replace("_", " "),
            "behind": _NAMES.get(asset, asset),
            "custodian": place[2],
            "quantity": _units(quantity),
            "encumbered": _units(encumbered),
            "price": f"{price} of the asset's smallest unit for one",
            "quantity_seen": _seen(as_of, now, quantity_age) if sequence else "never",
            "price_seen": _seen(price_as_of, now, price_age) if sequence else "never",
            "attesters_agree_within": f"{deviation_bps / 100:g} % of the median",
            "haircut": f"{haircut_bps / 100:g} %",
            "assurance": _assurance(assured_until, now),
            "disputed_by": disputed_by if any(disputed_by) else None,
            "counts_for_minting": _minting(
                sequence, disputed_by, (now - as_of, quantity_age), (now - price_as_of, price_age)
            ),
            "next_report": sequence + 1,
        }


@click.command()
@click.argument("position")
@click.option("--quantity", required=True, help="How much is there, in units: 8000 ounces, 12.5 coins.")
@click.option("--encumbered", default="0", show_default=True, help="How much of it is pledged or blocked.")
@click.option("--price", required=True, type=click.IntRange(0), help="Of one, in the asset's smallest unit.")
@click.option("--as-of", help="UTC time of looking, as 2026-12-31T23:59:59; now by default.")
@click.option("--price-as-of", help="UTC time of the price; that of looking by default.")
@click.option("--evidence", required=True, metavar="FILE|HASH", help="What proves it: a file, or its Keccak-256 hash.")
@click.option("--report", "sequence", type=click.IntRange(1), help="Number of the report; asked of the node.")
@click.option("--chain-id", type=click.IntRange(1), help="With --report: needs no network.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@keystore_option("Keystore file of the attester: the position's custodian, or an auditor.")
@password_file_option
@click.option("--yes", is_flag=True, help="Sign without asking; what is signed is still shown.")
@node_options
@json_option
@pass_context
def attest(
    context: Context,
    position: str,
    quantity: str,
    encumbered: str,
    price: int,
    as_of: str | None,
    price_as_of: str | None,
    evidence: str,
    sequence: int | None,
    chain_id: int | None,
    output: Path,
    keystore: Path,
    password_file: Path | None,
    yes: bool,
    node: NodeOptions,
    as_json: bool,
) -> None:
    """Sign what you have seen of POSITION, into a file of your own; alatau reserve report brings several together."""
    identity = parse_hash(position)
    if sequence is None or chain_id is None:
        with open_client(context, node) as client:
            status = client.status()
            ledger = client.contract(abi_of(_LEDGER), addresses.POSITION_LEDGER)
            sequence = sequence or ledger.read("position", identity)[7] + 1
            chain_id, clock = status.chain_id, status.timestamp
    else:
        clock = int(time.time())
    seen = clock if as_of is None else _moment(as_of)
    message = {
        "position": identity,
        "sequence": sequence,
        "quantity": _parse_units(quantity),
        "encumbered": _parse_units(encumbered),
        "price": price,
        "asOf": seen,
        "priceAsOf": seen if price_as_of is None else _moment(price_as_of),
        "evidenceHash": _evidence(evidence),
    }
    say(_described(message, chain_id))
    if not yes:
        click.confirm("Have you seen this, and do you sign it?", abort=True, err=True)
    signed = attestations.sign_attestation(
        attestations.ledger_domain(chain_id), message, read_key(keystore, password_file)
    )
    document = json.dumps(attestations.write_attestation(signed), indent=2).encode() + b"\n"
    write_private(output, document)
    print_facts(
        {"position": identity, "report": sequence, "attester": signed.signer, "file": str(output)}, as_json=as_json
    )


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@sender_options
@node_options
@json_option
@pass_context
def report(context: Context, files: tuple[Path, ...], sender: SenderOptions, node: NodeOptions, as_json: bool) -> None:
    """Bring the attestations in FILES, one of each attester, to the ledger. Anyone may."""
    given = [_read(file) for file in files]
    with open_client(context, node) as client:
        wallet = sender.wallet(client)
        with explain_waiting(client):
            receipt = client.run(
                attestations.report(given, wallet, gas_limit=sender.gas_limit, timeout_s=FINAL_TIMEOUT_S)
            )
    first = given[0]
    print_receipt(receipt, as_json=as_json, position=first.position, report=first.message["sequence"])


def _read(path: Path) -> attestations.Attestation:
    with path.open("rb") as file:
        data = file.read(_FILE_SIZE_MAX + 1)
    try:
        return attestations.read_attestation(parse_json(data, _FILE_SIZE_MAX))
    except (JsonError, AttestationError, TypedDataError) as error:
        raise AttestationError(f"{path.name} is no attestation: {error}") from error


def _described(message: Mapping[str, Any], chain_id: int) -> str:
    lines = (
        ("position", "0x" + message["position"].hex()),
        ("report", f"number {message['sequence']}, on chain {chain_id}"),
        ("quantity", _units(message["quantity"])),
        ("encumbered", _units(message["encumbered"])),
        ("price", f"{message['price']} of the asset's smallest unit for one"),
        ("seen", time_text(message["asOf"])),
        ("price of", time_text(message["priceAsOf"])),
        ("evidence", "0x" + message["evidenceHash"].hex()),
    )
    return "\n".join(f"  {label:<10}  {text}" for label, text in lines)


def _units(quantity: int) -> str:
    whole, rest = divmod(quantity, UNIT)
    return f"{whole}" + (f".{rest:018}".rstrip("0") if rest else "")


def _parse_units(text: str) -> int:
    match = re.fullmatch(r"(\d{1,18})(?:\.(\d{1,18}))?", text, re.ASCII)
    if match is None:
        raise click.BadParameter(f"{text!r:.40} is no quantity such as 8000 or 12.5")
    return int(match[1] + (match[2] or "").ljust(18, "0"))


def _seen(at: int, now: int, allowed: int) -> str:
    """When, how long ago in words, and what that makes of the vault's limit."""
    age = max(now - at, 0)
    left = next((words for times, words in _TIERS if age <= times * allowed), "a tenth")
    fresh = f"good for {_span(allowed - age)} more" if age <= allowed else f"stale since {_span(age - allowed)}"
    return f"{time_text(at)}, {_span(age)} ago; {fresh}, leaves {left} of the limit"


def _assurance(until: int, now: int) -> str:
    if until == 0:
        return "none: half of the custodian's limit counts"
    if until < now:
        return f"expired {_span(now - until)} ago: half of the custodian's limit counts"
    return f"good for {_span(until - now)} more"


def _minting(sequence: int, disputed_by: bytes, *ages: tuple[int, int]) -> str:
    if not sequence:
        return "no: never reported"
    if any(disputed_by):
        return "no: an auditor disputes it"
    if any(age > allowed for age, allowed in ages):
        return "no: stale, attest it anew"
    return "yes, less the haircut"


def _span(seconds: int) -> str:
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            count = seconds // unit
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r:.40} is no time such as 2026-12-31T23:59:59") from None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def _evidence(text: str) -> bytes:
    if text.startswith("0x"):
        return parse_hash(text)
    path = Path(text)
    if not path.is_file() or path.stat().st_size > _EVIDENCE_SIZE_MAX:
        raise click.BadParameter(f"{text!r:.80} is neither a file nor a hash, 0x and 64 hexadecimal digits")
    return keccak256(path.read_bytes())
