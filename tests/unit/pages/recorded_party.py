"""A party's core that writes down each step, what it gave and what it came to, for its twin in JavaScript."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from alatau.channels.errors import ChannelError
from alatau.channels.forwarding.effects import Message
from alatau.channels.invoice import SignedInvoice
from alatau.channels.party.core import Now, PartyCore
from alatau.channels.party.effects import (
    Effect,
    Reveal,
    Send,
    TellDispute,
    TellFailed,
    TellPaid,
    TellReceived,
    TellRefunded,
    TellRefusal,
)
from alatau.channels.party.records import Incoming, Outgoing
from alatau.channels.state import Side
from alatau.channels.transition import Change, ChangeClosing, ChangeDeposited, ChangeSettled, ChangeWithdrawn
from alatau.transport.web.json_form import json_of
from alatau.wire.channel import write_invoice, write_voucher
from alatau.wire.channel_session import write_message, write_request

_TELLS = {
    TellPaid: "paid",
    TellFailed: "failed",
    TellReceived: "received",
    TellRefunded: "refunded",
    TellRefusal: "refusal",
    TellDispute: "dispute",
    Reveal: "reveal",
}


def hexed(data: bytes) -> str:
    """As the pages write bytes."""
    return f"0x{data.hex()}"


def as_json(message: Any) -> Any:
    """A message in Connect's JSON."""
    return json.loads(json_of(message, as_hex=True))


@dataclass(slots=True)
class RecordedParty(PartyCore):
    """The core, and what it did."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    signatures: dict[str, str] = field(default_factory=dict)
    """By digest."""

    def start(self) -> dict[str, Any]:
        """What the twin begins with; to be asked for before the first step."""
        domain, parties = self.state.domain, self.state.parties
        return {
            "chainId": domain.chain_id,
            "contract": hexed(domain.contract),
            "rpIdHash": hexed(domain.rp_id_hash),
            "parties": {"a": hexed(parties.a), "b": hexed(parties.b), "salt": hexed(parties.salt)},
            "settleBlocks": self.state.settle_blocks,
            "me": hexed(self.me),
            "stale": self.stale,
            **self.summary(),
        }

    def summary(self) -> dict[str, Any]:
        """All that the two must agree on."""
        agreement = self.state.agreement
        return {
            "id": hexed(self.state.id),
            "phase": self.state.phase.name.lower(),
            "a": _side(self.state.a),
            "b": _side(self.state.b),
            "agreement": None
            if agreement is None
            else [str(agreement.message.payout_a), str(agreement.message.payout_b), agreement.message.deadline],
            "outgoing": sorted((_outgoing(one) for one in self.outgoing.values()), key=lambda one: one["invoiceHash"]),
            "incoming": sorted((_incoming(one) for one in self.incoming.values()), key=lambda one: one["invoiceHash"]),
            "refunding": self.refunding is not None,
        }

    def sign_recorded(self, sign: Callable[[bytes], bytes]) -> None:
        """Sign with ``sign`` from here on, and remember by which digest."""

        def signed(digest: bytes) -> bytes:
            self.signatures[hexed(digest)] = hexed(signature := sign(digest))
            return signature

        self.sign = signed

    def hello(self) -> tuple[Effect, ...]:
        """As the core."""
        return self._step({"op": "hello"}, lambda: PartyCore.hello(self))

    def invoice(
        self, amount: int, secret: bytes, now: Now, *, seconds: int, details: bytes = b""
    ) -> tuple[Effect, ...]:
        """As the core."""
        step = {"op": "invoice", "amount": str(amount), "secret": hexed(secret), "seconds": seconds}
        step["details"] = hexed(details)
        return self._step(
            step, lambda: PartyCore.invoice(self, amount, secret, now, seconds=seconds, details=details), now
        )

    def pay(self, signed: SignedInvoice, fee: int, life: int, now: Now) -> tuple[Effect, ...]:
        """As the core."""
        step = {"op": "pay", "invoice": as_json(write_invoice(signed)), "fee": str(fee), "life": life}
        return self._step(step, lambda: PartyCore.pay(self, signed, fee, life, now), now)

    def refund(self, secret_hash: bytes, amount: int, now: Now) -> tuple[Effect, ...]:
        """As the core."""
        step = {"op": "refund", "secretHash": hexed(secret_hash), "amount": str(amount)}
        return self._step(step, lambda: PartyCore.refund(self, secret_hash, amount, now), now)

    def close(self, deadline: int, now: Now) -> tuple[Effect, ...]:
        """As the core."""
        return self._step({"op": "close", "deadline": deadline}, lambda: PartyCore.close(self, deadline, now), now)

    def news(self, change: Change, now: Now) -> tuple[Effect, ...]:
        """As the core."""
        return self._step({"op": "news", **_change(change)}, lambda: PartyCore.news(self, change, now), now)

    def hear(self, message: Message, now: Now) -> tuple[Effect, ...]:
        """As the core."""
        step = {"op": "hear", "message": as_json(write_message(self.state.id, message))}
        return self._step(step, lambda: PartyCore.hear(self, message, now), now)

    def expire(self, now: Now) -> tuple[Effect, ...]:
        """As the core."""
        return self._step({"op": "expire"}, lambda: PartyCore.expire(self, now), now)

    def _step(
        self, step: dict[str, Any], do: Callable[[], tuple[Effect, ...]], now: Now | None = None
    ) -> tuple[Effect, ...]:
        if now is not None:
            step["now"] = {"block": now.block, "time": now.time}
        step["agreed"] = self.agreed
        step["revealed"] = {hexed(secret_hash): block for secret_hash, block in self.revealed.items()}
        self.steps.append(step)
        try:
            effects = do()
        except ChannelError:
            step["fails"] = True
            step["after"] = self.summary()
            raise
        step["fails"] = False
        step["sends"] = [as_json(write_request(one.request)) for one in effects if isinstance(one, Send)]
        step["tells"] = list(_told(effects))
        step["after"] = self.summary()
        return effects


def _told(effects: Iterable[Effect]) -> Iterable[str]:
    return (_TELLS[type(effect)] for effect in effects if type(effect) in _TELLS)


def _change(change: Change) -> dict[str, Any]:
    match change:
        case ChangeDeposited(party, total):
            return {"change": "deposited", "party": hexed(party), "total": str(total)}
        case ChangeWithdrawn(party, total):
            return {"change": "withdrawn", "party": hexed(party), "total": str(total)}
        case ChangeClosing(window):
            return {"change": "closing", "block": window.settle_block, "time": window.settle_time}
        case ChangeSettled():
            return {"change": "settled"}
    raise AssertionError(f"the pages hear nothing of {change}")


def _side(side: Side) -> dict[str, Any]:
    return {
        "deposited": str(side.deposited),
        "withdrawn": str(side.withdrawn),
        "latest": None if side.latest is None else as_json(write_voucher(side.latest)),
        "receipt": None if side.receipt is None else hexed(side.receipt),
    }


def _outgoing(one: Outgoing) -> dict[str, Any]:
    return {
        "invoiceHash": hexed(one.invoice_hash),
        "phase": one.phase.name.lower(),
        "secret": None if one.secret is None else hexed(one.secret),
        "refunded": str(one.refunded),
        "note": one.note,
    }


def _incoming(one: Incoming) -> dict[str, Any]:
    return {
        "invoiceHash": hexed(one.invoice_hash),
        "phase": one.phase.name.lower(),
        "paidTime": one.paid_time,
        "refunded": str(one.refunded),
        "refunds": [[time, str(amount)] for time, amount in one.refunds],
    }
