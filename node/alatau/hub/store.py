"""The hub's disk: one LevelDB, one durable write a batch, and the archive that the core asks.

A batch, with the height up to which the chain's news is in it, is all or nothing: after kill -9 the hub stands where
it stood after some batch, and what it had said by then is in it. ``mark_restored`` is for a copy that was put back:
every channel then waits for its party.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from alatau.channels.forwarding.book import (
    Book,
    Member,
    Policy,
    Standing,
    keep_member,
    keep_payment,
    keep_secret,
)
from alatau.channels.forwarding.effects import (
    DoBook,
    DoForgetChannel,
    DoForgetSecret,
    DoStoreAccount,
    DoStoreChannel,
    DoStorePayment,
    DoStoreRefund,
    DoStoreSecret,
    DoStoreUsage,
    Store,
)
from alatau.channels.forwarding.paying import watch
from alatau.channels.forwarding.payment import LineKind, Payment, PaymentKey, PaymentPhase, Refund
from alatau.channels.messages import Domain
from alatau.channels.state import ChannelState
from alatau.crypto.secp256k1 import Signer
from alatau.hub import schema
from alatau.hub.journal import Journal
from alatau.storage import channel_records as records
from alatau.storage.database import Database, DatabaseOptions, open_database
from alatau.storage.disk import Disk
from alatau.storage.errors import StorageError

_OPEN_PHASES: Final = (PaymentPhase.LOCKED, PaymentPhase.REVEALED)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a statement."""

    kind: LineKind
    payment: Payment
    refund: Refund | None
    """Of a refund."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose database it is: another hub's is refused."""

    chain_id: int
    contract: bytes
    hub: bytes

    def encode(self) -> bytes:
        """48 bytes."""
        return schema.u64(self.chain_id) + self.contract + self.hub


def _read_identity(data: bytes) -> Identity:
    return Identity(int.from_bytes(data[:8], "big"), data[8:28], data[28:])


class WrongDatabaseError(StorageError):
    """The folder holds the database of another hub, chain or version. Name another folder."""


class HubStore:
    """An open database. Not safe to write from two threads."""

    def __init__(self, database: Database, domain: Domain) -> None:
        self._database = database
        self._domain = domain
        self.journal = Journal(database)
        """The books."""

    # As ``Archive``

    def payment(self, key: PaymentKey) -> Payment | None:
        """The payment, if there was one."""
        data = self._database.get(schema.PAYMENT + key[0] + key[1])
        return None if data is None else records.read_payment(data)

    def payer_of(self, invoice_hash: bytes) -> bytes | None:
        """Who has paid, or tried to pay, an invoice last."""
        return self._database.get(schema.PAYER + invoice_hash)

    # Starting

    def load(self, hub: bytes, sign: Signer, policy: Policy) -> Book:
        """The hub's memory as of the last batch."""
        book = Book(self._domain, hub, sign, policy, self)
        for _, data in self._database.items_with(schema.CHANNEL):
            channel = records.read_channel(self._domain, data)
            keep_member(book, Member(channel.state, channel.withdrawn_on_chain, agreed=channel.agreed))
        for key, _ in self._database.items_with(schema.UNDER_WAY):
            payment = self.payment((key[1:21], key[21:]))
            assert payment is not None, "what is under way is kept"
            keep_payment(book, payment)
            watch(book, payment)
        for key, data in self._database.items_with(schema.USAGE):
            book.usage[key[1:]] = records.read_usage(data)
        for key, data in self._database.items_with(schema.ACCOUNT):
            book.standings[key[1:]] = Standing(int.from_bytes(data[:2], "big"), bool(data[2]))
        for key, _ in self._database.items_with(schema.SECRET):
            keep_secret(book, key[9:], int.from_bytes(key[1:9], "big"))
        return book

    def states(self) -> Iterator[ChannelState]:
        """Channels as of the last batch."""
        for _, data in self._database.items_with(schema.CHANNEL):
            yield records.read_channel(self._domain, data).state

    @property
    def height(self) -> int:
        """The block up to which the chain's events are in what is stored."""
        return int.from_bytes(self._database.get(schema.HEIGHT_KEY) or b"", "big")

    def mark_restored(self) -> int:
        """This copy was put back: every channel waits until its party has attached. Gives their number."""
        batch = self._database.batch()
        count = 0
        for key, data in self._database.items_with(schema.CHANNEL):
            channel = records.read_channel(self._domain, data)
            batch.put(key, records.write_channel(replace(channel, agreed=False)))
            count += 1
        self._database.write(batch)
        return count

    # Writing

    def write(self, stores: Sequence[Store], height: int | None) -> None:
        """One batch, durable when this returns; ``height`` is None where nothing of the chain is in it."""
        if not stores and height is None:
            return
        batch = self._database.batch()
        for store in stores:
            self._put(batch, store)
        if height is not None:
            batch.put(schema.HEIGHT_KEY, schema.u64(height))
        self._database.write(batch)

    def _put(self, batch: Any, store: Store) -> None:
        match store:
            case DoStoreChannel():
                batch.put(schema.CHANNEL + store.state.id, records.write_channel(store))
            case DoForgetChannel():
                batch.delete(schema.CHANNEL + store.channel_id)
            case DoStorePayment(payment):
                self._put_payment(batch, payment)
            case DoStoreRefund(refund):
                self._put_refund(batch, refund)
            case DoStoreUsage(account, usage):
                batch.put(schema.USAGE + account, records.write_usage(usage))
            case DoStoreAccount(account, tier, good):
                batch.put(schema.ACCOUNT + account, tier.to_bytes(2, "big") + bytes((good,)))
            case DoStoreSecret(secret, block):
                batch.put(schema.SECRET + schema.u64(block) + secret, b"")
            case DoBook(fact):
                self.journal.put(batch, fact)
            case DoForgetSecret(secret, block):
                batch.delete(schema.SECRET + schema.u64(block) + secret)

    def _put_payment(self, batch: Any, payment: Payment) -> None:
        key = payment.payer + payment.invoice_hash
        batch.put(schema.PAYMENT + key, records.write_payment(payment))
        batch.put(schema.PAYER + payment.invoice_hash, payment.payer)
        if payment.phase in _OPEN_PHASES:
            batch.put(schema.UNDER_WAY + key, b"")
        else:
            batch.delete(schema.UNDER_WAY + key)
        if payment.secret is not None:
            at = schema.u32(payment.day) + schema.u64(payment.time)
            for channel_id, kind in (
                (payment.payer_channel, LineKind.PAID),
                (payment.merchant_channel, LineKind.RECEIVED),
            ):
                line = schema.LINE + channel_id + at + bytes((kind,)) + payment.invoice_hash
                batch.put(line, payment.payer)
            batch.put(schema.DAY + at + bytes((LineKind.PAID,)) + payment.invoice_hash, payment.payer)

    def _put_refund(self, batch: Any, refund: Refund) -> None:
        key = refund.invoice_hash + schema.u64(refund.nonce)
        batch.put(schema.REFUND + key, records.write_refund(refund))
        at = schema.u32(refund.day) + schema.u64(refund.time)
        for channel_id, kind in (
            (refund.payer_channel, LineKind.REFUND_RECEIVED),
            (refund.merchant_channel, LineKind.REFUND_PAID),
        ):
            batch.put(schema.LINE + channel_id + at + bytes((kind,)) + key, refund.payer)
        batch.put(schema.DAY + at + bytes((LineKind.REFUND_PAID,)) + key, refund.payer)

    # Statements

    def lines(self, channel_id: bytes, from_day: int, to_day: int, after: bytes = b"") -> Iterator[tuple[bytes, Line]]:
        """Lines of a channel from one day to another, each with its place; ``after`` goes on behind one."""
        prefix = schema.LINE + channel_id
        start = after + b"\0" if after else prefix + schema.u32(from_day)
        for key, payer in self._database.items(start, prefix + schema.u32(to_day + 1)):
            yield key, self._line(key[len(prefix) + 12 :], payer)

    def day(self, day: int) -> Iterator[Line]:
        """Payments and refunds of a day, in the order of their times."""
        for key, payer in self._database.items(schema.DAY + schema.u32(day), schema.DAY + schema.u32(day + 1)):
            yield self._line(key[13:], payer)

    def _line(self, tail: bytes, payer: bytes) -> Line:
        kind, invoice_hash, nonce = LineKind(tail[0]), tail[1:33], tail[33:]
        payment = self.payment((payer, invoice_hash))
        assert payment is not None, "a line is of a payment"
        data = self._database.get(schema.REFUND + invoice_hash + nonce) if nonce else None
        return Line(kind, payment, None if data is None else records.read_refund(data))

    def prune(self, before_day: int, most: int) -> int:
        """Forget lines and ended payments of days before ``before_day``, at most ``most``; gives how many went."""
        batch = self._database.batch()
        count = 0
        for key, payer in self._database.items(schema.DAY, schema.DAY + schema.u32(before_day)):
            if count == most:
                break
            line = self._line(key[13:], payer)
            if line.payment.phase in _OPEN_PHASES or (line.refund is None and self._has_refunds(line.payment)):
                continue  # a payment goes after its refunds, whose lines tell of it
            self._forget(batch, key, line)
            count += 1
        if count:
            self._database.write(batch)
        return count + (self.journal.prune(before_day, most - count) if count < most else 0)

    def _has_refunds(self, payment: Payment) -> bool:
        prefix = schema.REFUND + payment.invoice_hash
        return next(self._database.keys(prefix, prefix + b"\xff" * 9), None) is not None

    def _forget(self, batch: Any, key: bytes, line: Line) -> None:
        payment, at, tail = line.payment, key[1:13], key[14:]
        batch.delete(key)
        places = ((payment.payer_channel, LineKind.PAID), (payment.merchant_channel, LineKind.RECEIVED))
        if line.refund is not None:
            refund = line.refund
            places = (
                (refund.payer_channel, LineKind.REFUND_RECEIVED),
                (refund.merchant_channel, LineKind.REFUND_PAID),
            )
            batch.delete(schema.REFUND + tail)
        else:
            batch.delete(schema.PAYMENT + payment.payer + payment.invoice_hash)
            batch.delete(schema.PAYER + payment.invoice_hash)
        for channel_id, kind in places:
            batch.delete(schema.LINE + channel_id + at + bytes((kind,)) + tail)

    def close(self) -> None:
        """Let go of the folder."""
        self._database.close()


def read_identity(path: Path) -> Identity:
    """Whose database a folder holds. Raises ``StorageError``."""
    database = open_database(path, DatabaseOptions(), Disk(), expected=True)
    try:
        known, version = database.get(schema.IDENTITY_KEY), database.get(schema.VERSION_KEY)
    finally:
        database.close()
    if known is None or version != schema.u32(schema.SCHEMA_VERSION):
        raise WrongDatabaseError(f"{path} is no hub's database of this version")
    return _read_identity(known)


def open_copy(path: Path, domain: Domain) -> HubStore:
    """Open a copy of a hub's database, to read. Raises ``StorageError``."""
    return HubStore(open_database(path, DatabaseOptions(sync=False), Disk(), expected=True), domain)


def open_store(path: Path, domain: Domain, hub: bytes, *, sync: bool = True) -> HubStore:
    """Open or make the database of a hub.

    Raises:
        WrongDatabaseError: it is another hub's, or of another version.
        StorageError: it cannot be opened; the message says what to do.
    """
    expected = path.exists() and any(path.iterdir())
    database = open_database(path, DatabaseOptions(sync=sync), Disk(), expected=expected)
    identity = Identity(domain.chain_id, domain.contract, hub).encode()
    version = schema.u32(schema.SCHEMA_VERSION)
    known, found = database.get(schema.IDENTITY_KEY), database.get(schema.VERSION_KEY)
    if known is None:
        batch = database.batch()
        batch.put(schema.IDENTITY_KEY, identity)
        batch.put(schema.VERSION_KEY, version)
        database.write(batch)
    elif (known, found) != (identity, version):
        database.close()
        raise WrongDatabaseError(f"{path} is the database of another hub, chain or version")
    return HubStore(database, domain)
