"""What must not be on the chain, looked for in every byte of every block: names, single amounts, who paid whom."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from alatau.channels.party.records import IncomingPhase, OutgoingPhase
from alatau.client import Client
from alatau.wire.block import BlockView
from alatau_devnet.city.actor import Actor
from alatau_devnet.city.population import Person

_WORD: Final = 32
_NEAR: Final = 8
"""So many words after a channel or an account its own amounts stand, in a call or in an event."""
_TEXT: Final = re.compile(rb"[ -~]{8,}")
"""Where a name could be: nothing shorter is looked for."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is looked for."""

    personal: tuple[bytes, ...]
    """Names and numbers of identity cards, as bytes."""
    invoices: frozenset[bytes]
    """Hashes of invoices that were paid: with one, whoever has the invoice knows who paid whom."""
    locks: frozenset[bytes]
    """Hashes of secrets of payments: both hops have the same."""
    amounts: dict[bytes, frozenset[int]]
    """Channel, and account in a word -> amounts of its single payments, where there are two or more: the sum of one
    alone is that one, and no channel can hide it."""


@dataclass(slots=True)
class Findings:
    """What was found, and in how much."""

    transactions: int = 0
    bytes: int = 0
    found: list[str] = field(default_factory=list)
    revealed: int = 0
    """Locks that the chain had to decide, since somebody was away: their hash is public, as the contract says."""


def secrets_of(actors: Sequence[Actor]) -> Secrets:
    """Of a day."""
    invoices, locks, amounts = set(), set(), {}
    for actor in actors:
        paid = [one for one in actor.core.outgoing.values() if one.phase is OutgoingPhase.PAID]
        invoices |= {one.invoice_hash for one in paid}
        locks |= {one.signed.invoice.secret_hash for one in paid}
        single = {one.signed.invoice.amount for one in paid} | {one.lock.amount for one in paid}
        received = [one for one in actor.core.incoming.values() if one.phase is IncomingPhase.PAID]
        single |= {one.signed.invoice.amount for one in received}
        if len(paid) > 1 or len(received) > 1:
            amounts[actor.person.channel_id] = frozenset(single)
            amounts[bytes(12) + actor.person.address] = frozenset(single)
    personal = tuple(text.encode() for actor in actors for text in _texts(actor.person))
    return Secrets(personal, frozenset(invoices), frozenset(locks), amounts)


class Names:
    """Finds any of many texts: by its first four bytes, then whole."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._by_head: dict[bytes, list[bytes]] = {}
        for text in texts:
            self._by_head.setdefault(text[:4], []).append(text)

    def within(self, data: bytes) -> Iterator[bytes]:
        """Those that stand in ``data``."""
        for run in _TEXT.finditer(data):
            for at in range(run.start(), run.end() - 3):
                for text in self._by_head.get(data[at : at + 4], ()):
                    if data.startswith(text, at):
                        yield text


async def scan(client: Client, secrets: Secrets) -> Findings:
    """Every transaction and every event of the chain."""
    findings = Findings()
    names = Names(secrets.personal)
    async for data in _payloads(client, findings):
        examine(data, secrets, names, findings)
    return findings


def examine(data: bytes, secrets: Secrets, names: Names, findings: Findings) -> None:
    """One transaction's call data, or one event's topics and data."""
    findings.bytes += len(data)
    for text in names.within(data):
        findings.found.append(f"a person's {text.decode()}")
    words = [data[at : at + _WORD] for at in range(len(data) % _WORD, len(data), _WORD)]
    for word in words:
        if word in secrets.invoices:
            findings.found.append(f"an invoice's hash {word.hex()}")
        findings.revealed += word in secrets.locks
    for at, word in enumerate(words):
        single = secrets.amounts.get(word)
        if single is None:
            continue
        for near in words[at + 1 : at + _NEAR]:
            if int.from_bytes(near, "big") in single:
                findings.found.append(f"a single amount of {word.hex()}")


def _texts(person: Person) -> tuple[str, str]:
    return (person.name, person.identity)


async def _payloads(client: Client, findings: Findings) -> AsyncIterator[bytes]:
    status = await client.status()
    async for block in client.blocks(1, status.height, view=BlockView.FULL):
        for transaction in block.transactions:
            findings.transactions += 1
            yield transaction.data
        for receipt in block.receipts:
            for log in receipt.logs:
                yield b"".join(log.topics) + log.data
