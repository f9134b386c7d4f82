"""Events in the words of their contracts: those of genesis, and one that the command line names."""

from collections.abc import Mapping
from typing import Any

from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.artifacts.artifact import load
from alatau.cli.values import shown
from alatau.client.abi import Abi, load_abi
from alatau.wire.logs import EventLog


class EventNames:
    """Names logs by the ABI of the contract that emitted them."""

    def __init__(self, more: Mapping[bytes, tuple[str, Abi]] | None = None) -> None:
        """Know the contracts of genesis and ``more``, by address."""
        self._known = {address: (name, artifact) for name, (artifact, address) in GENESIS_CONTRACTS.items()}
        self._abis: dict[str, Abi] = {}
        self._more = dict(more or {})

    def contract(self, address: bytes) -> tuple[str, Abi] | None:
        """The name and ABI of a contract, loaded when it is first met."""
        if address in self._more:
            return self._more[address]
        if address not in self._known:
            return None
        name, artifact = self._known[address]
        if artifact not in self._abis:
            self._abis[artifact] = load_abi(load(artifact).abi)
        return name, self._abis[artifact]

    def document(self, log: EventLog) -> dict[str, Any]:
        """A log as JSON has it: named and decoded where its contract is known, else as it is."""
        known = self.contract(log.address)
        event = None if known is None else known[1].decode_event(log)
        facts: dict[str, Any] = {"contract": None if known is None else known[0], "address": shown(log.address)}
        if event is None:
            facts |= {"name": None, "topics": [shown(topic) for topic in log.topics], "data": shown(log.data)}
        else:
            facts |= {"name": event.name, "values": {name: shown(value) for name, value in event.values.items()}}
        return facts | {
            "height": log.height,
            "log_index": log.log_index,
            "transaction": shown(log.transaction_hash),
        }

    def line(self, log: EventLog) -> str:
        """A log as people read it."""
        facts = self.document(log)
        where = facts["contract"] or facts["address"]
        if facts["name"] is None:
            return f"{where} {' '.join(facts['topics'])} {facts['data']}"
        members = ", ".join(f"{name}={value}" for name, value in facts["values"].items())
        return f"{where}.{facts['name']}({members})"
