"""The city's books against the chain: money in = money held + money out, to the tiyn, for every account.

Each number comes from somebody else. What was paid in and out of the contract is the chain's events, read again from
the first block by another node. What was paid is the receipts of the payers and, apart from them, those of the
merchants; they must name the same payments. What is held is the newest voucher of each channel, or, of a channel that
has ended, what the contract divided. The document of all that is a file, and :func:`check` needs nothing else:

    python -m alatau_devnet.city.proof build/city/ledger.json
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.channels.party.records import IncomingPhase, OutgoingPhase
from alatau.channels.state import Phase, payouts
from alatau.client import Client
from alatau.client.abi import load_abi
from alatau.wire.logs import EventFilter
from alatau_devnet.city.actor import Actor
from alatau_devnet.city.population import TIYN

_EVENTS: Final = ("Opened", "Deposited", "Withdrawn", "Settled", "Claimed")
_SHOWN: Final = 20
"""Problems that are named; more are counted."""

Document = dict[str, Any]


async def read_contract(client: Client, hub: bytes, owners: Sequence[bytes]) -> Document:
    """All money that CityChannels took in and gave out, by channel, and what it says that it holds."""
    abi = load_abi(load("CityChannels").abi)
    topics = tuple(abi.event(name).topic for name in _EVENTS)
    channels: dict[str, dict[str, Any]] = {}
    claimed: dict[str, int] = {}
    async for log in client.logs(EventFilter((addresses.CITY_CHANNELS,), (topics,))):
        event = abi.decode_event(log)
        assert event is not None, "the filter lets through what the ABI declares"
        values = event.values
        if event.name == "Claimed":
            account = values["account"].hex()
            claimed[account] = claimed.get(account, 0) + values["amount"]
            continue
        channel = channels.setdefault(values["id"].hex(), {"party": 0, "hub": 0, "settled": None})
        if event.name == "Opened":
            channel["owner"] = values["a"].hex()
            channel["party"] += values["amount"]
        elif event.name == "Settled":
            channel["settled"] = [values["payout_a"], values["payout_b"]]
        else:
            side = "hub" if values["party"] == hub else "party"
            channel[side] += values["amount"] if event.name == "Deposited" else -values["amount"]
    contract = client.contract(abi, addresses.CITY_CHANNELS)
    token = client.contract(load("SettlementToken").abi, addresses.SETTLEMENT_TOKEN)
    settled = {channel["owner"] for channel in channels.values() if channel["settled"]} | {hub.hex()}
    credits_ = {owner.hex(): await contract.read("credit", owner) for owner in owners if owner.hex() in settled}
    return {
        "channels": channels,
        "claimed": claimed,
        "credits": credits_ | {hub.hex(): await contract.read("credit", hub)},
        "held": await contract.read("held"),
        "balance": await token.read("balanceOf", addresses.CITY_CHANNELS),
    }


def document_of(actors: Sequence[Actor], hub: bytes, contract: Mapping[str, Any], hub_book: Sequence[Any]) -> Document:
    """Everything that :func:`check` compares.

    ``hub_book`` are the hub's own lines: payer's channel, merchant's channel, hash of the invoice, amount, fee.
    """
    accounts = {}
    for actor in actors:
        core = actor.core
        paid = {
            one.invoice_hash.hex(): [one.signed.invoice.amount, one.lock.amount - one.signed.invoice.amount]
            for one in core.outgoing.values()
            if one.phase is OutgoingPhase.PAID
        }
        received = {
            one.invoice_hash.hex(): [one.signed.invoice.amount, one.refunded]
            for one in core.incoming.values()
            if one.phase is IncomingPhase.PAID
        }
        held = payouts(core.state) if core.state.phase is not Phase.SETTLED else None
        accounts[actor.person.channel_id.hex()] = {
            "owner": actor.person.address.hex(),
            "paid": paid,
            "received": received,
            "vouchers": list(held) if held is not None else None,
        }
    return {
        "hub": hub.hex(),
        "accounts": accounts,
        "contract": dict(contract),
        "hub_book": [list(line) for line in hub_book],
    }


def check(document: Document) -> tuple[str, list[str]]:
    """The line of proof, and every place where it does not hold."""
    problems = list(_problems(document))
    sums = _sums(document)
    verdict = "PROVED" if not problems else f"BROKEN in {len(problems)} places"
    line = (
        f"{verdict}: money in {_kzt(sums['in'])} = held {_kzt(sums['held'])} + out {_kzt(sums['out'])}, to the tiyn,"
        f" for {len(document['accounts']):,} accounts and the hub, checked against the chain"
    )
    return line, problems


def _problems(document: Document) -> Iterator[str]:
    contract, hub = document["contract"], document["hub"]
    receipts = _receipts(document)
    yield from _compare_receipts(document, receipts)
    refunds = _refunds(document, receipts)
    hub_share = 0
    for channel, account in document["accounts"].items():
        chain = contract["channels"].get(channel)
        if chain is None:
            yield f"channel {channel}: the chain knows none"
            continue
        money_in = chain["party"] + sum(amount for amount, _ in account["received"].values()) + refunds.get(channel, 0)
        paid = sum(amount + fee for amount, fee in account["paid"].values())
        given_back = sum(refunded for _, refunded in account["received"].values())
        held = chain["settled"] or account["vouchers"]
        if money_in != held[0] + paid + given_back:
            yield (
                f"account {account['owner']}: in {money_in}, held {held[0]}, out {paid + given_back}:"
                f" {money_in - held[0] - paid - given_back} too much"
            )
        if sum(held) != chain["party"] + chain["hub"]:
            yield f"channel {channel}: {sum(held)} divided, {chain['party'] + chain['hub']} in the contract"
        hub_share += held[1]
        if chain["settled"] is not None:
            due = contract["credits"].get(account["owner"], 0) + contract["claimed"].get(account["owner"], 0)
            if due != chain["settled"][0]:
                yield f"account {account['owner']}: the chain settled {chain['settled'][0]}, {due} is credited or paid"
    yield from _check_hub(document, hub_share)
    yield from _check_contract(contract, hub)


def _receipts(document: Document) -> dict[str, tuple[str, str]]:
    """Invoice -> channel of who says that it has paid, and of who says that it was paid."""
    payers: dict[str, str] = {}
    payees: dict[str, str] = {}
    for channel, account in document["accounts"].items():
        payers |= dict.fromkeys(account["paid"], channel)
        payees |= dict.fromkeys(account["received"], channel)
    return {invoice: (payers.get(invoice, ""), payees.get(invoice, "")) for invoice in payers | payees}


def _compare_receipts(document: Document, receipts: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    accounts, book = document["accounts"], {}
    for payer, merchant, invoice, amount, fee in document["hub_book"]:
        book[invoice] = (payer, merchant, amount, fee)
    for invoice, (payer, payee) in receipts.items():
        if not payer or not payee:
            yield f"payment {invoice}: {'the payer' if payer else 'the merchant'} alone knows of it"
            continue
        amount, fee = accounts[payer]["paid"][invoice]
        if amount != accounts[payee]["received"][invoice][0]:
            yield f"payment {invoice}: the two name different amounts"
        if book.get(invoice) != (payer, payee, amount, fee):
            yield f"payment {invoice}: the hub's book has {book.get(invoice)}"
    for invoice in book.keys() - receipts.keys():
        yield f"payment {invoice}: the hub's book alone knows of it"


def _refunds(document: Document, receipts: Mapping[str, tuple[str, str]]) -> dict[str, int]:
    """Channel -> what merchants say that they gave back to its owner."""
    back: dict[str, int] = {}
    for account in document["accounts"].values():
        for invoice, (_, refunded) in account["received"].items():
            payer = receipts[invoice][0]
            back[payer] = back.get(payer, 0) + refunded
    return back


def _check_hub(document: Document, share: int) -> Iterator[str]:
    chain = document["contract"]["channels"]
    brought = sum(chain[channel]["hub"] for channel in document["accounts"] if channel in chain)
    fees = sum(fee for account in document["accounts"].values() for _, fee in account["paid"].values())
    if share != brought + fees:
        yield f"the hub: {brought} paid in, {fees} of fees, and its share is {share}"


def _check_contract(contract: Mapping[str, Any], hub: str) -> Iterator[str]:
    in_channels = sum(one["party"] + one["hub"] for one in contract["channels"].values() if one["settled"] is None)
    owed = sum(contract["credits"].values())
    if in_channels + owed != contract["held"]:
        yield f"the contract says it holds {contract['held']}; channels have {in_channels}, credits are {owed}"
    if contract["balance"] != contract["held"]:
        yield f"the contract holds {contract['held']} and has {contract['balance']} tokens"
    settled = sum(one["settled"][1] for one in contract["channels"].values() if one["settled"] is not None)
    due = contract["credits"].get(hub, 0) + contract["claimed"].get(hub, 0)
    if settled != due:
        yield f"the hub: the chain settled {settled}, and {due} is credited or paid"


def _sums(document: Document) -> dict[str, int]:
    contract = document["contract"]
    claimed = sum(contract["claimed"].values())
    brought = sum(one["party"] + one["hub"] for one in contract["channels"].values())
    return {"in": brought, "held": contract["held"], "out": claimed}


def _kzt(tiyn: int) -> str:
    return f"{tiyn // TIYN:,}.{tiyn % TIYN:02d} KZT"


def main() -> int:
    """Check a document that a run has written."""
    line, problems = check(json.loads(Path(sys.argv[1]).read_text()))
    print(line)
    for problem in problems[:_SHOWN]:
        print(f"  {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
