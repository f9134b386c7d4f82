"""``alatau council``: propose, sign, approve, execute and veto decisions, with signatures from people apart."""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import click

from alatau.artifacts.addresses import GENESIS_CONTRACTS, contract_named
from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, option_group, pass_context, password_file_option
from alatau.cli.decisions import describe, read_decision_file, replace_decision_file, write_decision_file
from alatau.cli.output import json_option, print_facts, print_rows, say
from alatau.cli.sender import SenderOptions, keystore_option, print_receipt, read_key, sender_options
from alatau.cli.values import parse_argument
from alatau.cli.waiting import FINAL_TIMEOUT_S, explain_waiting
from alatau.client import ClientError, RpcError, SyncClient, Wallet, decisions, veto_override
from alatau.client.clear_signing import call_descriptor, typed_data_descriptor
from alatau.client.decision_types import Choice, choices
from alatau.client.decisions import Decision, DecisionState
from alatau.client.exchange import Plan
from alatau.wire.receipt import TransactionReceipt

LIFE_DAYS: Final = 30
"""Days that a decision waits for its approvals and its execution, unless its proposer says otherwise."""
LIFE_DAYS_MAX: Final = 89
"""A contract takes 90 from the block that the proposal comes into (``lib/decisions.vy``)."""
_MAY_STILL_COME: Final = ("NOT_FINAL_IN_TIME", "UNAVAILABLE", "DEADLINE_EXCEEDED")
"""Errors after which a proposal may yet be decided, so that its file is kept."""

_files = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@dataclass(frozen=True, slots=True)
class ProposalOptions:
    """Where a proposal is written, and how long it is good for."""

    output: Path
    days: int


proposal_options = option_group(
    "proposal",
    ProposalOptions,
    click.option(
        "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write it to."
    ),
    click.option(
        "--days",
        type=click.IntRange(1, LIFE_DAYS_MAX),
        default=LIFE_DAYS,
        show_default=True,
        help="Days until it expires.",
    ),
)
"""Gives a command ``--output`` and ``--days``, as the argument ``proposal``."""
Step: TypeAlias = Callable[[Decision, Wallet, int | None], Plan[TransactionReceipt]]


@click.group()
def council() -> None:
    """Decisions of councils: proposed by one, signed by several, executed by anyone."""


@council.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List what each council may decide, and what must be said for it."""
    rows = [
        (contract, choice.name, ", ".join(choice.needs) or "-")
        for contract, (artifact, _) in GENESIS_CONTRACTS.items()
        for choice in choices(artifact).values()
    ]
    print_rows(("contract", "decision", "members"), rows, as_json=as_json)


@council.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--chain-id", type=click.IntRange(1), required=True, help="The network's.")
def descriptors(folder: Path, chain_id: int) -> None:
    """Write an ERC-7730 descriptor of every typed message and every call of the network's contracts, for wallets."""
    folder.mkdir(parents=True, exist_ok=True)
    for contract in GENESIS_CONTRACTS:
        for kind, made in (("eip712", typed_data_descriptor), ("calldata", call_descriptor)):
            text = json.dumps(made(contract, chain_id), indent=1, ensure_ascii=False)
            (folder / f"{kind}-{contract}.json").write_text(text + "\n")
    say(f"{2 * len(GENESIS_CONTRACTS)} descriptors in {folder}")


@council.command()
@click.argument("contract")
@click.argument("decision")
@click.argument("members", nargs=-1, metavar="[NAME=VALUE]...")
@proposal_options
@sender_options
@node_options
@json_option
@pass_context
def propose(
    context: Context,
    contract: str,
    decision: str,
    members: tuple[str, ...],
    proposal: ProposalOptions,
    sender: SenderOptions,
    node: NodeOptions,
    as_json: bool,
) -> None:
    """Put DECISION before the council of CONTRACT, and write the file that its members sign.

    See alatau council list for decisions and their members; addresses and hashes are 0x and hexadecimal digits.
    CONTRACT is a name from genesis, or that of a successor with its address: ReserveVault@0x...
    """
    choice = _choice(contract, decision)
    values = _values(choice, members)
    with open_client(context, node) as client:
        propose_and_write(client, sender, contract, choice, values, proposal, as_json=as_json)


def propose_and_write(
    client: SyncClient,
    sender: SenderOptions,
    contract: str,
    choice: Choice,
    values: dict[str, Any],
    proposal: ProposalOptions,
    *,
    as_json: bool,
) -> None:
    """Propose a decision and write its file: first the file, so that what is proposed can always be signed."""
    wallet = sender.wallet(client)
    nonce = secrets.randbits(64)
    drafted = client.run(decisions.draft(contract, choice, values, nonce=nonce, life_s=proposal.days * 86_400))
    write_decision_file(proposal.output, drafted)
    say(describe(drafted))
    proposed = decisions.propose(drafted, wallet, gas_limit=sender.gas_limit, timeout_s=FINAL_TIMEOUT_S)
    try:
        with explain_waiting(client):
            receipt = client.run(proposed)
    except (ClientError, RpcError) as error:
        if getattr(error, "reason", None) not in _MAY_STILL_COME:
            proposal.output.unlink()
        raise
    print_receipt(receipt, as_json=as_json, decision=drafted.id, file=str(proposal.output))


@council.command()
@_file
@keystore_option("Keystore file of the member who signs.")
@password_file_option
@click.option("--override", is_flag=True, help="Sign that its veto be overridden, which takes three quarters.")
@click.option("--yes", is_flag=True, help="Sign without asking; what is signed is still shown.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the signed copy to this file; by default the signature is added to FILE.",
)
@json_option
def sign(
    file: Path,
    keystore: Path,
    password_file: Path | None,
    override: bool,
    yes: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Show everything that FILE's decision does, ask, and add a signature. It needs no network.

    With --override the signature is another one: it says that the guardian's veto shall fall.
    """
    decision = read_decision_file(file)
    decisions.check_signatures(decision)
    veto_override.check_overrides(decision)
    say(describe(decision))
    if not yes:
        question = "Override the guardian's veto of this decision?" if override else "Sign this decision?"
        click.confirm(question, abort=True, err=True)
    key = read_key(keystore, password_file)
    signed = veto_override.sign_override(decision, key) if override else decisions.sign(decision, key)
    if output is None:
        replace_decision_file(file, signed)
    else:
        write_decision_file(output, signed)
    facts = {"decision": signed.id, "signer": key.address, "signatures": len(signed.signatures)}
    if override:
        facts["override_signatures"] = len(signed.overrides)
    print_facts({**facts, "file": str(output or file)}, as_json=as_json)


@council.command()
@_file
@click.option("--signer", required=True, help="Address of the member who signed.")
@click.option("--signature", required=True, help="What his chip, passkey or security key made of it, as hexadecimal.")
@click.option("--override", is_flag=True, help="It is one that overrides a veto.")
@json_option
def attach(file: Path, signer: str, signature: str, override: bool, as_json: bool) -> None:
    """Add a signature that was made elsewhere to FILE, if it is the signer's. It needs no network.

    What a member signs is the decision that "show" tells, with --override the digest that overrides its veto.
    """
    decision = read_decision_file(file)
    who, signed = parse_argument("address", signer), parse_argument("bytes", signature)
    attaching = veto_override.attach_override if override else decisions.attach
    found = attaching(decision, who, signed)
    replace_decision_file(file, found)
    digest = veto_override.override_digest(decision) if override else decision.id
    print_facts({"digest": digest, "signer": who, "file": str(file)}, as_json=as_json)


@council.command()
@_file
@node_options
@json_option
@pass_context
def show(context: Context, file: Path, node: NodeOptions, as_json: bool) -> None:
    """Show what FILE's decision does, who has signed it, and where it stands on the chain."""
    decision = read_decision_file(file)
    decisions.check_signatures(decision)
    say(describe(decision))
    with open_client(context, node) as client:
        now = client.run(decisions.status_of(decision))
    signed = [signer for signer in now.members if signer in decision.signatures]
    facts = {
        "decision": decision.id,
        "state": now.state.name.lower(),
        "signatures": f"{len(signed)} of {now.threshold}",
        "ready_at": now.ready_at or None,
        "void": decisions.void_because(decision, now) if now.state is not DecisionState.EXECUTED else None,
    }
    print_facts(facts, as_json=as_json)


@council.command()
@_files
@sender_options
@node_options
@json_option
@pass_context
def approve(context: Context, /, files: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Bring the signatures in FILES, copies of one decision, to the contract. Its delay begins."""
    _carry_out(
        context,
        files,
        lambda d, w, gas: decisions.approve(d, w, gas_limit=gas, timeout_s=FINAL_TIMEOUT_S),
        as_json=as_json,
        **options,
    )


@council.command()
@_files
@sender_options
@node_options
@json_option
@pass_context
def endorse(context: Context, /, files: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Bring the oversight's signatures in FILES, which what raises a risk of the vault needs before its approval."""
    _carry_out(
        context,
        files,
        lambda d, w, gas: decisions.endorse(d, w, gas_limit=gas, timeout_s=FINAL_TIMEOUT_S),
        as_json=as_json,
        **options,
    )


@council.command()
@_file
@click.option("--wait", is_flag=True, help="Wait until the decision is ripe.")
@sender_options
@node_options
@json_option
@pass_context
def execute(context: Context, /, file: Path, wait: bool, as_json: bool, **options: Any) -> None:
    """Carry out FILE's decision, once it is approved and its delay has passed. Anyone may."""
    _carry_out(
        context,
        (file,),
        lambda d, w, gas: decisions.execute(d, w, gas_limit=gas, timeout_s=FINAL_TIMEOUT_S),
        wait=wait,
        as_json=as_json,
        **options,
    )


@council.command()
@_file
@sender_options
@node_options
@json_option
@pass_context
def veto(context: Context, /, file: Path, as_json: bool, **options: Any) -> None:
    """End FILE's decision, as the council's guardian."""
    _carry_out(
        context,
        (file,),
        lambda d, w, gas: decisions.veto(d, w, gas_limit=gas, timeout_s=FINAL_TIMEOUT_S),
        as_json=as_json,
        **options,
    )


@council.command("override")
@_files
@sender_options
@node_options
@json_option
@pass_context
def override_(context: Context, /, files: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Override the guardian's veto by three quarters of the council, who signed FILES with --override.

    The veto falls for good, and three delays begin; then the decision is executed like any other.
    """
    _carry_out(
        context,
        files,
        lambda d, w, gas: veto_override.override(d, w, gas_limit=gas, timeout_s=FINAL_TIMEOUT_S),
        as_json=as_json,
        **options,
    )


def _carry_out(
    context: Context,
    files: Sequence[Path],
    step: Step,
    *,
    sender: SenderOptions,
    node: NodeOptions,
    as_json: bool,
    wait: bool = False,
) -> None:
    decision = decisions.merged([read_decision_file(file) for file in files])
    with open_client(context, node) as client:
        wallet = sender.wallet(client)
        if wait:
            _wait_until_ripe(client, decision)
        with explain_waiting(client):
            receipt = client.run(step(decision, wallet, sender.gas_limit))
        now = client.run(decisions.status_of(decision))
    more: dict[str, Any] = {"decision": decision.id, "state": now.state.name.lower()}
    if now.state is DecisionState.APPROVED:
        more["ready_at"] = now.ready_at
    print_receipt(receipt, as_json=as_json, **more)


def _wait_until_ripe(client: SyncClient, decision: Decision) -> None:
    """Sleep until the decision's time; an idle chain's own clock stands between its blocks, so ours decides."""
    now = client.run(decisions.status_of(decision))
    if now.state is DecisionState.APPROVED and now.ready_at > now.time:
        left_s = now.ready_at - max(now.time, int(time.time()))
        if left_s > 0:
            say(f"ripe in {left_s} s; waiting")
            time.sleep(left_s + 1)  # our clock and the next proposer's may differ by as much


def _choice(contract: str, name: str) -> Choice:
    try:
        artifact, _ = contract_named(contract)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    known = choices(artifact)
    if name not in known:
        raise click.BadParameter(f"the council of {contract} decides on {', '.join(known)}, not on {name!r}")
    return known[name]


def _values(choice: Choice, members: Sequence[str]) -> dict[str, Any]:
    """``name=value`` as the types of the decision have them."""
    types = {name: kind for kind, name in choice.type.struct.members}
    values: dict[str, Any] = {}
    for text in members:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        if name not in (*choice.needs, *choice.optional):
            raise click.BadParameter(
                f"{choice.name} has no {name!r}; it takes {', '.join((*choice.needs, *choice.optional)) or 'nothing'}"
            )
        if name in values:
            raise click.BadParameter(f"{name} is given twice")
        values[name] = parse_argument(types[name], value)
    return values
