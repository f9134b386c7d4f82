"""``alatau validator``: who decides blocks, and changes of it for the council."""

from typing import Any, Final

import click

from alatau.artifacts import addresses
from alatau.chain.registries import HANDOVERS_MAX
from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.council import ProposalOptions, proposal_options, propose_and_write
from alatau.cli.output import json_option, print_rows
from alatau.cli.sender import SenderOptions, sender_options
from alatau.cli.values import parse_address, parse_hash
from alatau.client import SyncClient, decisions
from alatau.client.contract import SyncContract
from alatau.client.decision_types import choices

_CONTRACT: Final = "ValidatorRegistry"
_FIELDS: Final = ("operator", "votingKey", "tlsKeyHash", "endpoint", "power", "name")
"""Members of ``ValidatorChange``, in the order of the contract's ``Validator``."""


@click.group()
def validator() -> None:
    """Validators: list them; propose to add, remove or re-key one.

    A proposal is a file that members of the fund council sign: alatau council sign, approve, execute.
    """


@validator.command("list")
@node_options
@json_option
@pass_context
def list_(context: Context, node: NodeOptions, as_json: bool) -> None:
    """List the validators of the registry, suspended ones included, with their keys."""
    with open_client(context, node) as client:
        validators = _validators(_registry(client))
    columns = ("name", "power", "suspended", "endpoint", "operator", "voting_key", "tls_key_hash")
    rows = [
        (s["name"], s["power"], s["suspended"], s["endpoint"], s["operator"], s["votingKey"], s["tlsKeyHash"])
        for s in validators
    ]
    print_rows(columns, rows, as_json=as_json)


@validator.command()
@click.option("--operator", required=True, help="Address of its operator's key.")
@click.option("--voting-key", required=True, help="Address of the key with which it votes, never used before.")
@click.option("--tls-key-hash", required=True, help="Hash of its TLS key, as alatau keys list shows it.")
@click.option("--endpoint", required=True, help="host:port where peers reach it.")
@click.option("--power", required=True, type=click.IntRange(1, 2**40), help="Its voting power.")
@click.option("--name", required=True, help="Whom it belongs to, such as the ministry's name.")
@proposal_options
@sender_options
@node_options
@json_option
@pass_context
def add(
    context: Context,
    /,
    operator: str,
    voting_key: str,
    tls_key_hash: str,
    endpoint: str,
    power: int,
    name: str,
    **options: Any,
) -> None:
    """Propose a new validator."""
    values = dict(
        zip(
            _FIELDS,
            (parse_address(operator), parse_address(voting_key), parse_hash(tls_key_hash), endpoint, power, name),
            strict=True,
        )
    )
    _propose(context, "admit-validator", None, values, **options)


@validator.command()
@click.argument("name_or_operator")
@proposal_options
@sender_options
@node_options
@json_option
@pass_context
def remove(context: Context, /, name_or_operator: str, **options: Any) -> None:
    """Propose that a validator leave."""
    _propose(context, "remove-validator", name_or_operator, {}, **options)


@validator.command()
@click.argument("name_or_operator")
@click.option("--voting-key", help="Address of its new voting key, never used before; by default as it is.")
@click.option("--tls-key-hash", help="Hash of its new TLS key; by default as it is.")
@click.option("--endpoint", help="host:port where peers reach it; by default as it is.")
@proposal_options
@sender_options
@node_options
@json_option
@pass_context
def rotate(
    context: Context,
    /,
    name_or_operator: str,
    voting_key: str | None,
    tls_key_hash: str | None,
    endpoint: str | None,
    **options: Any,
) -> None:
    """Propose new keys, or another endpoint, for a validator."""
    if voting_key is None and tls_key_hash is None and endpoint is None:
        raise click.UsageError("say what changes: --voting-key, --tls-key-hash or --endpoint")
    values: dict[str, Any] = {}
    if voting_key is not None:
        values["votingKey"] = parse_address(voting_key)
    if tls_key_hash is not None:
        values["tlsKeyHash"] = parse_hash(tls_key_hash)
    if endpoint is not None:
        values["endpoint"] = endpoint
    _propose(context, "rotate-keys", name_or_operator, values, **options)


def _propose(
    context: Context,
    decision: str,
    whose: str | None,
    values: dict[str, Any],
    *,
    proposal: ProposalOptions,
    sender: SenderOptions,
    node: NodeOptions,
    as_json: bool,
) -> None:
    choice = choices(_CONTRACT)[decision]
    with open_client(context, node) as client:
        registry = _registry(client)
        if whose is not None:
            entry = _find(_validators(registry), whose)
            values = {name: values.get(name, entry[name]) for name in _FIELDS}
        of_genesis = registry.address == addresses.VALIDATOR_REGISTRY
        contract = _CONTRACT if of_genesis else f"{_CONTRACT}@0x{registry.address.hex()}"
        propose_and_write(client, sender, contract, choice, values, proposal, as_json=as_json)


def _registry(client: SyncClient) -> SyncContract:
    """The registry in office: that of genesis, or whom it and its successors have handed over to."""
    registry = client.contract(decisions.abi_of(_CONTRACT), addresses.VALIDATOR_REGISTRY)
    for _ in range(HANDOVERS_MAX):
        successor = registry.read("successor")
        if not any(successor):
            break
        registry = client.contract(decisions.abi_of(_CONTRACT), successor)
    return registry


def _validators(registry: SyncContract) -> list[dict[str, Any]]:
    """All validators: those that decide, then those that are suspended (``validators()`` leaves them out)."""
    validators = [dict(zip(_FIELDS, row, strict=True)) | {"suspended": False} for row in registry.read("validators")]
    accused = dict.fromkeys(event.values["operator"] for event in registry.past_events("ValidatorSuspended"))
    suspended = [operator for operator in accused if registry.read("suspended", operator)]
    return validators + [
        dict(zip(_FIELDS, registry.read("validator_of", operator), strict=True)) | {"suspended": True}
        for operator in suspended
    ]


def _find(validators: list[dict[str, Any]], text: str) -> dict[str, Any]:
    """A validator by its operator's address or its name."""
    found = [s for s in validators if text in (s["name"], "0x" + s["operator"].hex())]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{s['name']} (0x{s['operator'].hex()})" for s in validators)
    if found:
        raise click.BadParameter(f"{len(found)} validators are called {text!r}; give the operator's address: {names}")
    raise click.BadParameter(f"no validator is called {text!r}; there are {names}")
