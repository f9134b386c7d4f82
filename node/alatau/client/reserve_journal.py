"""The journal of the reserve: read from events, chained anew, and held against one slot of the chain's state.

The contracts keep ``head' = keccak256(head, index, kind, payload hash, block number)`` (``contracts/lib/journal.vy``).
Whoever has the events recomputes the head; a storage proof of slot 0 under a decided header shows that no entry is
missing, added or changed. Each entry commits to an act: decisions by their id, other acts by the hash of their event.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alatau.client import queries
from alatau.client.abi import Abi, Event, encode
from alatau.client.errors import JournalError, NodeUntrustworthyError
from alatau.client.exchange import Plan
from alatau.client.light import LightClient, TrustedHeader
from alatau.crypto.keccak import keccak256
from alatau.trie.errors import ProofError
from alatau.trie.proof import verify
from alatau.wire.logs import EventLog

HEAD_SLOT: Final = 0
"""Of ``journal_head``, in every contract that keeps a journal."""
_EXTENDED: Final = "JournalExtended"
_ID: Final = ("id",)
ACTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "deposit": ("Deposited", ("asset", "depositor", "case_id", "provenance", "amount")),
    "propose release": ("ReleaseProposed", _ID),
    "release": ("Released", _ID),
    "propose change": ("ChangeProposed", _ID),
    "change": ("Changed", _ID),
    "propose body": ("BodyProposed", _ID),
    "replace body": ("Executed", _ID),
    "endorse": ("Endorsed", _ID),
    "approve": ("Approved", _ID),
    "veto": ("Vetoed", _ID),
    "decide case": ("CaseDecided", ("case_id", "state", "owner", "order_hash")),
    "confirm case": ("CaseConfirmed", ("case_id", "order_hash", "ready_at")),
    "veto case": ("CaseVetoed", ("case_id", "guardian")),
    "return": ("Returned", ("case_id", "asset", "owner", "amount")),
    "pause": ("Paused", ("by", "until")),
    "sign off": ("SignedOff", ("auditor", "head", "report_hash")),
    "report": (
        "Reported",
        ("position", "sequence", "quantity", "encumbered", "price", "as_of", "price_as_of", "evidence_hash"),
    ),
    "dispute": ("Disputed", ("position", "auditor", "evidence_hash")),
    "assure": ("Assured", ("custodian", "auditor", "report_hash", "expires")),
}
"""Word of an act -> its event and the members whose hash is the payload; a lone id is the payload itself."""
_WORDS: Final = {keccak256(word.encode()): word for word in ACTS}


@dataclass(frozen=True, slots=True)
class Entry:
    """One act."""

    index: int
    kind: str
    payload_hash: bytes
    head: bytes
    """After it."""
    height: int
    transaction_hash: bytes
    event: str
    values: Mapping[str, Any]
    """Of the act's event."""


@dataclass(frozen=True, slots=True)
class ProvedHead:
    """The journal's head as the state says it, under a header that is believed."""

    head: bytes
    believed: TrustedHeader


def read_journal(abi: Abi, logs: Iterable[EventLog]) -> list[Entry]:
    """The entries in a contract's logs from its first block on, each with the event that it commits to.

    Raises:
        JournalError: entries are missing, chained wrongly, of an unknown kind, or do not commit to their event.
    """
    entries: list[Entry] = []
    acts: list[Event] = []
    waiting: list[Event] = []
    within = b""
    for log in logs:
        if log.transaction_hash != within:
            _settle(entries, waiting, acts, abi)
            acts, waiting, within = [], [], log.transaction_hash
        event = abi.decode_event(log)
        if event is None:
            continue
        if event.name == _EXTENDED:
            waiting.append(event)
        else:
            acts.append(event)
    _settle(entries, waiting, acts, abi)
    return entries


def chained(head: bytes, index: int, kind: str, payload_hash: bytes, height: int) -> bytes:
    """The head after an act."""
    words = (head, index.to_bytes(32, "big"), keccak256(kind.encode()), payload_hash, height.to_bytes(32, "big"))
    return keccak256(b"".join(words))


def check_chain(entries: Sequence[Entry], head: bytes) -> None:
    """Raise ``JournalError`` unless the entries, from the first on, chain to ``head``."""
    found = bytes(32)
    for index, entry in enumerate(entries):
        found = chained(found, index, entry.kind, entry.payload_hash, entry.height)
        if entry.index != index or entry.head != found:
            raise JournalError(f"entry {entry.index} of the journal does not follow from those before it")
    if found != head:
        raise JournalError(
            f"the entries chain to 0x{found.hex()}, the state's head is 0x{head.hex()}: some are missing or invented"
        )


def payload_hash(kind: str, values: Mapping[str, Any], types: Mapping[str, str]) -> bytes:
    """What an act's entry commits to."""
    members = ACTS[kind][1]
    if members == _ID:
        found: bytes = values["id"]
        return found
    return keccak256(encode([types[name] for name in members], [values[name] for name in members], kind))


def proved_head(light: LightClient, address: bytes, height: int) -> Plan[ProvedHead]:
    """The head of a journal after block ``height``, verified. Raises ``NodeUntrustworthyError``."""
    believed = yield from light.header_at(height)
    answer = yield from queries.proof(address, (HEAD_SLOT,), height)
    if keccak256(answer.header) != believed.hash:
        raise NodeUntrustworthyError(f"the proof is for another block {height} than the one decided")
    proof = answer.proof
    if proof.address != address or [entry.slot for entry in proof.slots] != [HEAD_SLOT]:
        raise NodeUntrustworthyError("the proof is not of what was asked")
    try:
        verify(believed.header.state_root, proof)
    except ProofError as error:
        raise NodeUntrustworthyError(f"the proof is wrong: {error}") from error
    return ProvedHead(proof.slots[0].value.to_bytes(32, "big"), believed)


def _settle(entries: list[Entry], waiting: list[Event], acts: list[Event], abi: Abi) -> None:
    """Take the entries of one transaction, each with an event of its own."""
    left = list(acts)
    for event in waiting:
        values = event.values
        index, kind = values["index"], _WORDS.get(values["kind"])
        if kind is None:
            raise JournalError(f"entry {index} of the journal is of an unknown kind 0x{values['kind'].hex()}")
        act = next(
            (a for a in left if a.name == ACTS[kind][0] and _commits(abi, kind, a, values["payload_hash"])), None
        )
        if act is None:
            raise JournalError(f"entry {index} of the journal ({kind}) commits to no event of its transaction")
        left.remove(act)
        before = entries[-1].head if entries else bytes(32)
        head = chained(before, len(entries), kind, values["payload_hash"], event.log.height)
        if index != len(entries) or values["head"] != head:
            raise JournalError(f"entry {index} of the journal does not follow from those before it")
        height, transaction = event.log.height, event.log.transaction_hash
        entries.append(Entry(index, kind, values["payload_hash"], head, height, transaction, act.name, act.values))


def _commits(abi: Abi, kind: str, act: Event, wanted: bytes) -> bool:
    types = {field.name: field.type for field in abi.event(act.name).fields}
    return payload_hash(kind, act.values, types) == wanted
