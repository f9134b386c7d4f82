"""``alatau participant``: what the registry says of an account, what it may hold and pay, and what it has paid."""

from typing import Any, Final

import click

from alatau.artifacts import addresses
from alatau.chain import permission
from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.output import json_option, print_facts, time_text
from alatau.cli.values import parse_address
from alatau.client import SyncClient
from alatau.client.decisions import abi_of

_NO_LIMIT: Final = 2**256 - 1


@click.command()
@click.argument("account")
@node_options
@json_option
@pass_context
def participant(context: Context, account: str, node: NodeOptions, as_json: bool) -> None:
    """Show what ACCOUNT may do: its registration, its caps, and how much of its limits of payments is used.

    Amounts are in the token's smallest unit.
    """
    address = parse_address(account)
    with open_client(context, node) as client:
        facts = _facts(client, address)
    print_facts(facts, as_json=as_json)


def _facts(client: SyncClient, address: bytes) -> dict[str, Any]:
    now = client.status().timestamp
    registry = client.contract(abi_of("ParticipantRegistry"), addresses.PARTICIPANT_REGISTRY)
    token = client.contract(abi_of("SettlementToken"), addresses.SETTLEMENT_TOKEN)
    word = registry.read("status", address)
    _, _, _, cap, frozen, _ = registry.read("standing", address)
    kind = permission.kind_of(word)
    licences = permission.licences_of(word, now)
    expires = permission.registered_until(word)
    return {
        "account": address,
        "kind": kind.name.lower() if kind else None,
        "tier": permission.tier_of(word) or None,
        "may_transact": permission.may_transact(word, now),
        "suspended": bool(word & permission.SUSPENDED),
        "registered_until": time_text(expires) if expires else None,
        "licences": ", ".join(one.name.lower().replace("_", " ") for one in licences if one.name) or None,
        "holds": token.read("balanceOf", address),
        "frozen_by_courts": frozen,
        "may_hold": None if cap == _NO_LIMIT else cap,
    } | _payments(token.read("payments_of", address), token)


def _payments(payments: tuple[int, ...], token: Any) -> dict[str, Any]:
    """What the limits of the account's tier leave; nothing is said of who has none."""
    tier, today, this_month, day_ends, month_ends = payments
    if tier == 0:
        return {"payments": "without limit"}
    at_once, day, month = token.read("limits_of_tier", tier)
    return {
        "payments": "limited by tier",
        "may_pay_at_once": min(at_once, _left(day, today), _left(month, this_month)),
        "limit_of_a_payment": _limit(at_once),
        "limit_of_a_day": _limit(day),
        "paid_today": today,
        "next_day_begins": time_text(day_ends),
        "limit_of_a_month": _limit(month),
        "paid_this_month": this_month,
        "next_month_begins": time_text(month_ends),
    }


def _left(limit: int, used: int) -> int:
    """What may still be paid; a limit that was lowered meanwhile may be below what is used."""
    return limit if limit == _NO_LIMIT else max(0, limit - used)


def _limit(limit: int) -> int | None:
    return None if limit == _NO_LIMIT else limit
