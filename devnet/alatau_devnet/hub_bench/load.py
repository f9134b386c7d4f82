"""Payments that are signed beforehand, and who says them: gateways, each a connection with many channels.

A resident pays one invoice after the other. Its gateway says the next ``Pay`` together with the ``Fold`` of the last
one; a merchant's gateway answers a voucher's invoices with their secrets. The answers are parsed and nothing of them
is checked: what wallets do is on their own phones, and here it would take the core that is measured.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from alatau.channels.forwarding.inputs import InputAttach, InputFold, InputPay, InputSecret
from alatau.channels.invoice import Invoice, SignedInvoice, invoice_digest
from alatau.channels.messages import Lock, Voucher, sign_voucher
from alatau.channels.party.sessions import attach_digest
from alatau.client.hub_plans import METHODS
from alatau.crypto.keccak import keccak256
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.channel import Channel, Stream
from alatau.wire.channel_session import write_request
from alatau_devnet.hub_bench.city import DOMAIN, HEIGHT, HUB, LOCK_BLOCKS, Person

_pb = channel_service_pb2

AMOUNT: Final = 1_500
_LIFE_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Signed:
    """A payment, ready to be said."""

    pay: Any
    fold: Any
    secret: Any
    invoice_hash: bytes


def sign_payments(resident: Person, merchants: Sequence[Person], count: int, start: int, now: int) -> list[Signed]:
    """Payments of one resident, one after the other; ``start`` makes their secrets unlike all others."""
    made = []
    for number in range(count):
        merchant = merchants[(start + number) % len(merchants)]
        secret = keccak256(b"secret" + (start + number).to_bytes(8, "big"))
        invoice = Invoice(merchant.key.address, HUB.address, AMOUNT, keccak256(secret), now, now + _LIFE_S)
        digest = invoice_digest(DOMAIN, invoice)
        signed = SignedInvoice(invoice, merchant.key.sign(digest))
        lock = Lock(invoice.secret_hash, AMOUNT, HEIGHT + LOCK_BLOCKS)
        account, channel = resident.key.address, resident.channel_id
        locked = Voucher(channel, account, 2 * number + 1, AMOUNT * number, (lock,))
        folded = Voucher(channel, account, 2 * number + 2, AMOUNT * (number + 1))
        made.append(
            Signed(
                write_request(InputPay(channel, signed, sign_voucher(DOMAIN, locked, resident.key.sign))),
                write_request(InputFold(channel, sign_voucher(DOMAIN, folded, resident.key.sign))),
                write_request(InputSecret(merchant.channel_id, secret)),
                digest,
            )
        )
    return made


@dataclass(slots=True)
class Course:
    """What is measured while payments go on."""

    secrets: dict[bytes, Any]
    """Hash of an invoice's secret -> what its merchant says."""
    begun: dict[bytes, float] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)
    finished: int = 0
    refused: list[str] = field(default_factory=list)


class Gateway:
    """One connection with many channels."""

    def __init__(self, people: Sequence[Person], course: Course) -> None:
        self._people = people
        self._course = course
        self._outbox: list[Any] = []
        self._wake = trio.Event()
        self._queues: dict[bytes, list[Signed]] = {}
        self._last: dict[bytes, Signed] = {}
        self._busy: set[bytes] = set()
        self._attached = 0
        self.on_demand = False
        """Payments are begun by somebody else, and not as soon as the one before is done."""
        self.ready = trio.Event()

    async def run(self, channel: Channel) -> None:
        """Until cancelled."""
        async with channel.stream(METHODS["Connect"]) as stream, trio.open_nursery() as nursery:
            nursery.start_soon(self._write, stream)
            async for response in stream:
                if response.challenge:
                    self._attach(response.challenge)
                for message in response.messages:
                    self._hear(message)

    def give(self, channel_id: bytes, payments: list[Signed]) -> None:
        """Payments of a resident, the next one last."""
        self._queues[channel_id] = payments

    def begin(self, channel_id: bytes) -> bool:
        """Say a resident's next payment; False where there is none, or the last one is under way."""
        queue = self._queues[channel_id]
        if not queue or channel_id in self._busy:
            return False
        self._busy.add(channel_id)
        payment = queue.pop()
        self._last[channel_id] = payment
        self._course.begun[payment.invoice_hash] = time.perf_counter()
        self._say(payment.pay)
        return True

    def _attach(self, challenge: bytes) -> None:
        for one in self._people:
            signature = one.key.sign(attach_digest(DOMAIN, one.channel_id, challenge))
            self._say(write_request(InputAttach(one.channel_id, None, None), attach_signature=signature))

    def _hear(self, message: Any) -> None:
        match message.WhichOneof("said"):
            case "voucher":
                for lock in message.voucher.voucher.locks:
                    secret = self._course.secrets.pop(lock.secret_hash, None)
                    if secret is not None:
                        self._say(secret)
            case "secret":
                began = self._course.begun.pop(message.secret.invoice_hash, None)
                if began is not None:
                    self._course.latencies_s.append(time.perf_counter() - began)
                    self._say(self._last[message.channel_id].fold)
            case "accepted":
                self._course.finished += 1
                self._busy.discard(message.channel_id)
                if not self.on_demand:
                    self.begin(message.channel_id)
            case "attached":
                self._attached += 1
                if self._attached == len(self._people):
                    self.ready.set()
            case "refused":
                self._course.refused.append(message.refused.text)

    def _say(self, message: Any) -> None:
        self._outbox.append(message)
        self._wake.set()

    async def _write(self, stream: Stream) -> None:
        while True:
            if not self._outbox:
                self._wake = trio.Event()
                await self._wake.wait()
            while self._outbox:
                messages, self._outbox = self._outbox[:256], self._outbox[256:]
                await stream.send(_pb.ConnectRequest(messages=messages))
