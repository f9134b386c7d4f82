"""``alatau genesis``: the ceremony in which ministries make one network."""

import os
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import click

from alatau.app.config_file import read_config
from alatau.app.genesis.ceremony import (
    CeremonyError,
    Contribution,
    contribute,
    contribution_digest,
    encode_contribution,
    merge,
    read_contribution,
    transcript_hash,
)
from alatau.app.genesis.file import encode_genesis, genesis_file_hash, read_genesis
from alatau.app.genesis.plan import (
    OPERATORS,
    CouncilPlan,
    NetworkPlan,
    TokenPlan,
    encode_plan,
    plan_hash,
    plan_warnings,
    read_plan,
)
from alatau.app.startup import password_file as home_password_file
from alatau.artifacts.genesis import SYSTEM_CONTRACTS
from alatau.chain.genesis import make_genesis
from alatau.cli.context import Context, ask_password, pass_context, password_file_option
from alatau.cli.output import json_option, print_facts, print_rows, say
from alatau.client.keystore import read_keystore
from alatau.types.chain_config import ChainConfig
from alatau.types.genesis import Genesis, GenesisValidator, genesis_validator_set

_GUARDIAN_UNSET = bytes(20)
_PRODUCTION_DELAY_S = 2 * 86_400

_plan_option = click.option(
    "--plan",
    "plan_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The plan that all ministries agreed on.",
)
_output_option = click.option(
    "--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write."
)
_contributions_argument = click.argument(
    "contributions", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)


@click.group()
def genesis() -> None:
    """The ceremony that makes a network.

    \b
    1. the coordinator:  alatau genesis plan ... -o plan.json, edits and circulates it
    2. each ministry:    alatau genesis contribute --plan plan.json ... -o mine.json
    3. each ministry:    alatau genesis merge --plan plan.json *.json -o genesis.json
    4. all compare the transcript hash, then: alatau start
    """


@genesis.command()
@click.option("--chain-id", required=True, type=click.IntRange(1, 2**53 - 1), help="EIP-155 chain id.")
@click.option("--name", required=True, help="The network's name.")
@click.option(
    "--block-interval-ms",
    type=click.IntRange(50, 60_000),
    default=1_000,
    show_default=True,
    help="Least time between two blocks with transactions.",
)
@_output_option
def plan(chain_id: int, name: str, block_interval_ms: int, output: Path) -> None:
    """Write a plan to edit: councils of all operators, no accounts yet."""
    config = ChainConfig(chain_id=chain_id, name=name, system=SYSTEM_CONTRACTS)
    draft = NetworkPlan(
        config=_with_interval(config, block_interval_ms),
        timestamp=int(time.time()),
        alloc={},
        observers=(),
        fund_council=CouncilPlan("Fund Council", OPERATORS, 1, _GUARDIAN_UNSET),
        reserve_council=CouncilPlan("Reserve Board", OPERATORS, 1, _GUARDIAN_UNSET),
        delay_s=_PRODUCTION_DELAY_S,
        roles={},
        participants={},
        tier_caps=(),
        payment_limits=(),
        token=TokenPlan("Settlement Token", "SETL", 2),
    )
    try:
        with output.open("xb") as file:
            file.write(encode_plan(draft))
    except FileExistsError:
        raise CeremonyError(f"{output} exists already, perhaps edited; it is kept. Name another file") from None
    _warn(draft)
    say(f"{output} written. Set guardians, thresholds, roles, participants and the token in it before it circulates.")


@genesis.command("contribute")
@_plan_option
@click.option("--name", required=True, help="The ministry's name, as all will see it.")
@click.option("--endpoint", help="host:port where peers reach this node; the configured p2p.listen by default.")
@click.option("--power", type=click.IntRange(1, 2**32 - 1), default=1, show_default=True, help="Voting power.")
@password_file_option
@_output_option
@pass_context
def contribute_(
    context: Context,
    plan_file: Path,
    name: str,
    endpoint: str | None,
    power: int,
    password_file: Path | None,
    output: Path,
) -> None:
    """Sign what this validator adds to the plan, with its operator, voting and TLS keys."""
    home = context.home()
    agreed = read_plan(plan_file)
    _warn(agreed)
    config = read_config(home.config_file, os.environ)
    password = ask_password("Password of the node's keys", password_file or home_password_file(home, config))
    contribution = contribute(
        agreed,
        name=name,
        endpoint=endpoint or config.p2p.listen,
        power=power,
        operator=read_keystore(home.operator_key, password),
        voting=read_keystore(home.voting_key, password),
        tls_key_pem=home.tls_key.read_bytes(),
    )
    output.write_bytes(encode_contribution(contribution))
    say(f"{output} written for the plan 0x{contribution.plan_hash.hex()}. Send it to all other ministries.")


@genesis.command("merge")
@_plan_option
@_contributions_argument
@_output_option
@json_option
def merge_(plan_file: Path, contributions: tuple[Path, ...], output: Path, as_json: bool) -> None:
    """Build genesis.json from the plan and all contributions, whoever runs it, byte for byte the same."""
    agreed, given = read_plan(plan_file), _read_contributions(contributions, besides=(plan_file, output))
    made = merge(agreed, given)
    block_0 = make_genesis(made).block
    output.write_bytes(encode_genesis(made))
    _warn(agreed)
    if not as_json:
        _print_contributions(agreed, given)
    print_facts(
        {
            "plan_hash": plan_hash(agreed),
            "transcript_hash": transcript_hash(agreed, given),
            "genesis_file_hash": genesis_file_hash(made),
            "block_0_hash": block_0.hash,
            "validators": len(made.validators),
            "file": str(output),
        },
        as_json=as_json,
    )
    say("Compare the transcript hash with the other ministries over a channel that you trust.")


@genesis.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
@pass_context
def show(context: Context, file: Path | None, as_json: bool) -> None:
    """Show what a genesis file says; the home's by default."""
    found = read_genesis(file or context.home().genesis_file)
    if as_json:
        print_facts(_summary(found) | {"validators": [_validator_facts(v) for v in found.validators]}, as_json=True)
        return
    print_facts(_summary(found), as_json=False)
    print_rows(
        ("validator", "voting_address", "endpoint", "power"),
        [(v.name, v.voting_address, v.endpoint, v.power) for v in found.validators],
        as_json=False,
    )
    print_rows(("contract", "address"), [(c.name, c.address) for c in found.contracts], as_json=False)


@genesis.command()
@_plan_option
@_contributions_argument
@click.option(
    "--genesis",
    "genesis_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The genesis file to verify.",
)
@json_option
def verify(plan_file: Path, contributions: tuple[Path, ...], genesis_file: Path, as_json: bool) -> None:
    """Check that a genesis file is exactly what the plan and the contributions give."""
    agreed = read_plan(plan_file)
    given = _read_contributions(contributions, besides=(plan_file, genesis_file))
    expected, found = merge(agreed, given), read_genesis(genesis_file)
    if found != expected:
        raise CeremonyError(
            f"{genesis_file} is not what the plan and the contributions give: {_difference(expected, found)}"
        )
    print_facts(
        {
            "verified": True,
            "transcript_hash": transcript_hash(agreed, given),
            "genesis_file_hash": genesis_file_hash(found),
            "block_0_hash": make_genesis(found).block.hash,
        },
        as_json=as_json,
    )


def _read_contributions(paths: tuple[Path, ...], besides: tuple[Path, ...]) -> list[Contribution]:
    """The contributions in ``paths``, which a pattern such as ``*.json`` may have filled with the files ``besides``."""
    found = []
    for path in paths:
        if any(other.exists() and path.samefile(other) for other in besides):
            say(f"{path} is no contribution: passed over")
        else:
            found.append(read_contribution(path))
    return found


def _warn(agreed: NetworkPlan) -> None:
    for warning in plan_warnings(agreed):
        say(f"warning: {warning}")


def _with_interval(config: ChainConfig, block_interval_ms: int) -> ChainConfig:
    return replace(config, consensus=replace(config.consensus, block_interval_ms=block_interval_ms))


def _print_contributions(agreed: NetworkPlan, given: list[Contribution]) -> None:
    rows = [
        (
            c.validator.name,
            c.validator.voting_address,
            contribution_digest(agreed.config.chain_id, c.plan_hash, c.validator),
        )
        for c in sorted(given, key=lambda c: c.validator.voting_address)
    ]
    print_rows(("contribution", "voting_address", "digest"), rows, as_json=False)


def _summary(found: Genesis) -> dict[str, object]:
    return {
        "network": found.config.name,
        "chain_id": found.config.chain_id,
        "timestamp": found.timestamp,
        "block_interval_ms": found.config.consensus.block_interval_ms,
        "block_gas_limit": found.config.block_gas_limit,
        "funded_accounts": len(found.alloc),
        "validator_set_hash": genesis_validator_set(found).hash,
        "genesis_file_hash": genesis_file_hash(found),
        "block_0_hash": make_genesis(found).block.hash,
    }


def _validator_facts(v: GenesisValidator) -> dict[str, object]:
    return {
        "name": v.name,
        "voting_address": v.voting_address,
        "operator": v.operator,
        "tls_key_hash": v.tls_key_hash,
        "endpoint": v.endpoint,
        "power": v.power,
    }


def _difference(expected: Genesis, found: Genesis) -> str:
    for name in ("config", "timestamp", "alloc", "contracts"):
        if getattr(expected, name) != getattr(found, name):
            return f"its {name} differs"
    expected_names, found_names = (Counter(v.name for v in g.validators) for g in (expected, found))
    if missing := expected_names - found_names:
        return f"it lacks {', '.join(missing)}"
    if surplus := found_names - expected_names:
        return f"it has {', '.join(surplus)} besides"
    return "a validator's fields differ"
