"""A hub and its parties in one process, without a network: what is stored survives a crash, what is sent may be lost.

The hub runs the real core and so does every party. ``City.step`` delivers one message, ``City.crash_hub`` throws the
hub's memory away and loads what was stored, exactly as a process that was killed does.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from alatau.channels.forwarding.book import Book, Member, Policy, Standing, keep_member, keep_payment, keep_secret
from alatau.channels.forwarding.core import HubCore
from alatau.channels.forwarding.effects import (
    Act,
    DoAlarm,
    DoAskLiquidity,
    DoBook,
    DoCarry,
    DoForgetChannel,
    DoForgetSecret,
    DoReveal,
    DoSend,
    DoStoreAccount,
    DoStoreChannel,
    DoStorePayment,
    DoStoreRefund,
    DoStoreSecret,
    DoStoreUsage,
    Message,
    Store,
)
from alatau.channels.forwarding.facts import Fact
from alatau.channels.forwarding.inputs import (
    Input,
    InputBlock,
    InputClosing,
    InputDeposited,
    InputDetach,
    InputOpened,
    InputRefund,
    InputRevealed,
    Request,
)
from alatau.channels.forwarding.limits import Limits, Moment, Usage
from alatau.channels.forwarding.paying import watch
from alatau.channels.forwarding.payment import Payment, PaymentKey, PaymentPhase, Refund
from alatau.channels.messages import Parties, channels_domain
from alatau.channels.party.core import Now, PartyCore
from alatau.channels.party.effects import (
    Carry,
    Effect,
    PutChannel,
    PutIncoming,
    PutOutgoing,
    PutRefund,
    Reveal,
    Send,
    Tell,
)
from alatau.channels.party.records import Incoming, Outgoing
from alatau.channels.state import ChannelState, opened, side_of
from alatau.channels.transition import ChangeDeposited, transition
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey

DOMAIN = channels_domain(7773, b"\x07" * 20)
SETTLE_BLOCKS = 100
DAY_SECONDS = 86_400
HUB = PrivateKey(b"\x0b" * 32)
NEWS = (InputOpened, InputDeposited, InputRevealed, InputClosing)
POLICY = Policy({0: Limits()})


@dataclass
class Disk:
    """What the hub has written."""

    channels: dict[bytes, DoStoreChannel] = field(default_factory=dict)
    payments: dict[PaymentKey, Payment] = field(default_factory=dict)
    payers: dict[bytes, bytes] = field(default_factory=dict)
    refunds: list[Refund] = field(default_factory=list)
    usage: dict[bytes, Usage] = field(default_factory=dict)
    accounts: dict[bytes, Standing] = field(default_factory=dict)
    secrets: dict[bytes, int] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    """What is booked."""
    cursor: int = 0
    """So much of the chain's news is in what was written."""

    def write(self, stores: Iterable[Store]) -> None:
        """One batch, all of it."""
        for store in stores:
            match store:
                case DoStoreChannel():
                    self.channels[store.state.id] = store
                case DoForgetChannel():
                    self.channels.pop(store.channel_id, None)
                case DoStorePayment(payment):
                    self.payments[payment.key] = payment
                    self.payers[payment.invoice_hash] = payment.payer
                case DoStoreRefund(refund):
                    self.refunds.append(refund)
                case DoStoreUsage(account, usage):
                    self.usage[account] = usage
                case DoBook(fact):
                    self.facts.append(fact)
                case DoStoreSecret(secret, block):
                    self.secrets[secret] = block
                case DoForgetSecret(secret, _block):
                    del self.secrets[secret]
                case DoStoreAccount(account, tier, good):
                    self.accounts[account] = Standing(tier, good)

    def payment(self, key: PaymentKey) -> Payment | None:
        """As ``Archive``."""
        return self.payments.get(key)

    def payer_of(self, invoice_hash: bytes) -> bytes | None:
        """As ``Archive``."""
        return self.payers.get(invoice_hash)

    def copy(self) -> "Disk":
        """A backup."""
        return Disk(
            dict(self.channels),
            dict(self.payments),
            dict(self.payers),
            list(self.refunds),
            dict(self.usage),
            dict(self.accounts),
            dict(self.secrets),
            list(self.facts),
            self.cursor,
        )


def loaded(disk: Disk, policy: Policy) -> HubCore:
    """A hub as it starts from its disk."""
    book = Book(DOMAIN, HUB.address, HUB.sign, policy, disk)
    for channel in disk.channels.values():
        keep_member(book, Member(channel.state, channel.withdrawn_on_chain, agreed=channel.agreed))
    for payment in disk.payments.values():
        if payment.phase in (PaymentPhase.LOCKED, PaymentPhase.REVEALED):
            keep_payment(book, payment)
            watch(book, payment)
    for secret, block in disk.secrets.items():
        keep_secret(book, secret, block)
    book.usage.update(disk.usage)
    book.standings.update(disk.accounts)
    return HubCore(book)


@dataclass
class Person:
    """A wallet or a till with its own disk."""

    key: PrivateKey
    core: PartyCore
    connected: bool = False
    inbox: deque[Message] = field(default_factory=deque)
    told: list[Tell] = field(default_factory=list)
    carried: list[Carry] = field(default_factory=list)
    stored_state: ChannelState | None = None
    stored_outgoing: dict[bytes, Outgoing] = field(default_factory=dict)
    stored_incoming: dict[bytes, Incoming] = field(default_factory=dict)
    stored_refund: InputRefund | None = None

    @property
    def channel_id(self) -> bytes:
        """Of its channel."""
        return self.core.state.id


@dataclass
class City:
    """A hub, people, a chain of blocks."""

    policy: Policy = POLICY
    disk: Disk = field(default_factory=Disk)
    people: dict[bytes, Person] = field(default_factory=dict)
    """By channel id."""
    queue: deque[Input] = field(default_factory=deque)
    block: int = 1
    time: int = 1_000_000
    revealed: dict[bytes, int] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    """What the hub did besides sending."""
    news: list[Input] = field(default_factory=list)
    """All that the chain ever told, in order."""
    batches: int = 0
    before_write: Callable[[int], None] = lambda _batch: None
    """Called before a batch is written; may raise ``Killed``."""
    after_write: Callable[[int], None] = lambda _batch: None
    """Called when it is written and nothing has been sent yet."""

    def __post_init__(self) -> None:
        self.hub = loaded(self.disk, self.policy)

    @property
    def moment(self) -> Moment:
        """The hub's now."""
        day, month = self.time // DAY_SECONDS, self.time // (30 * DAY_SECONDS)
        return Moment(self.time, self.block, day, (day + 1) * DAY_SECONDS, month, (month + 1) * 30 * DAY_SECONDS)

    @property
    def now(self) -> Now:
        """Everybody else's."""
        return Now(self.block, self.time)

    def join(self, number: int, *, deposit: int = 0, hub_deposit: int = 0) -> Person:
        """Somebody opens a channel; the hub puts money in."""
        key = PrivateKey(number.to_bytes(32, "big"))
        parties = Parties(key.address, HUB.address, bytes(32))
        state = opened(DOMAIN, parties, deposit, settle_blocks=SETTLE_BLOCKS)
        state, _ = transition(state, ChangeDeposited(HUB.address, hub_deposit))
        person = Person(key, PartyCore(state, key.address, key.sign, revealed=self.revealed), stored_state=state)
        self.people[state.id] = person
        self.tell(InputOpened(parties, deposit, SETTLE_BLOCKS))
        self.tell(InputDeposited(state.id, HUB.address, hub_deposit))
        return person

    def connect(self, person: Person) -> None:
        """Begin anew: what was on its way is lost."""
        self.disconnect(person)
        person.connected = True
        self.do(person, person.core.hello())

    def disconnect(self, person: Person) -> None:
        """The connection breaks, in both directions."""
        person.connected = False
        person.inbox.clear()
        person.core.agreed = False
        lost = [isinstance(told, Request) and told.channel_id == person.channel_id for told in self.queue]
        self.queue = deque(told for told, gone in zip(self.queue, lost, strict=True) if not gone)
        self.queue.append(InputDetach(person.channel_id))

    def do(self, person: Person, effects: Iterable[Effect]) -> None:
        """A person's effects, in order."""
        for effect in effects:
            match effect:
                case PutChannel(state):
                    person.stored_state = state
                case PutOutgoing(outgoing):
                    person.stored_outgoing[outgoing.invoice_hash] = outgoing
                case PutIncoming(incoming):
                    person.stored_incoming[incoming.signed.invoice.secret_hash] = incoming
                case PutRefund(request):
                    person.stored_refund = request
                case Send(request):
                    self._send(person, request)
                case Reveal(secret, _by_block):
                    self.reveal(secret)
                case Carry():
                    person.carried.append(effect)
                case _:
                    person.told.append(effect)

    def _send(self, person: Person, request: Request) -> None:
        if person.connected:
            self.queue.append(request)

    def restart(self, person: Person) -> None:
        """Its process was killed: what it had stored is what it has."""
        self.disconnect(person)
        assert person.stored_state is not None
        person.core = PartyCore(person.stored_state, person.key.address, person.key.sign, revealed=self.revealed)
        person.core.outgoing.update(person.stored_outgoing)
        person.core.incoming.update(person.stored_incoming)
        person.core.refunding = person.stored_refund

    def run_hub(self, most: int = 64) -> None:
        """One batch of what has come in."""
        cursor = self.disk.cursor
        for _ in range(min(most, len(self.queue))):
            told = self.queue.popleft()
            cursor += isinstance(told, NEWS)
            self.hub.take(told, self.moment)
        batch = self.hub.finish(self.moment)
        self.batches += 1
        self.before_write(self.batches)
        self.disk.write(batch.stores)
        self.disk.cursor = cursor
        self.after_write(self.batches)
        for act in batch.acts:
            self._act(act)

    def _act(self, act: Act) -> None:
        match act:
            case DoSend(channel_id, message):
                person = self.people[channel_id]
                if person.connected:
                    person.inbox.append(message)
            case DoReveal(secret, _by_block):
                self.reveal(secret)
            case DoCarry() | DoAskLiquidity() | DoAlarm():
                self.acts.append(act)

    def reveal(self, secret: bytes) -> None:
        """On chain, in the next block."""
        if keccak256(secret) in self.revealed:
            return
        self.revealed[keccak256(secret)] = self.block
        self.tell(InputRevealed(secret, self.block))

    def tell(self, news: Input) -> None:
        """The chain tells the hub."""
        self.news.append(news)
        self.queue.append(news)

    def hear(self, person: Person) -> bool:
        """One message of the hub's reaches its party."""
        if not person.inbox:
            return False
        self.do(person, person.core.hear(person.inbox.popleft(), self.now))
        return True

    def settle_down(self) -> None:
        """Until nobody has anything to say."""
        while self.queue or any(person.inbox for person in self.people.values()):
            self.run_hub()
            for person in self.people.values():
                while self.hear(person):
                    pass

    def mine(self, blocks: int = 1) -> None:
        """So many blocks go by, a second each."""
        for _ in range(blocks):
            self.block += 1
            self.time += 1
            self.queue.append(InputBlock())
            self.run_hub()
            for person in self.people.values():
                self.do(person, person.core.expire(self.now))

    def crash_hub(self) -> None:
        """Kill -9: memory and connections are gone, the disk stays."""
        for person in self.people.values():
            person.connected = False
            person.inbox.clear()
            person.core.agreed = False
        self.queue = deque(self.news[self.disk.cursor :])
        self.hub = loaded(self.disk, self.policy)
        self.hub.resume(self.moment)

    def restore_hub(self, backup: Disk) -> None:
        """Its disk is lost; an older one is put in."""
        self.disk = backup.copy()
        for channel_id, channel in self.disk.channels.items():
            self.disk.channels[channel_id] = replace(channel, agreed=False)
        self.crash_hub()

    def member(self, person: Person) -> ChannelState:
        """The hub's view of a person's channel."""
        return self.hub.book.members[person.channel_id].state

    def hub_gain(self) -> int:
        """What the hub owns more than it paid in, over all channels, by its newest vouchers; locks count nothing."""
        gain = 0
        for member in self.hub.book.members.values():
            state = member.state
            gain += side_of(state, member.party).transferred - side_of(state, HUB.address).transferred
        return gain


class Killed(Exception):  # noqa: N818
    """The hub's process ended here."""


def with_limits(limits: Limits) -> Policy:
    """A policy with these limits for everybody."""
    return replace(POLICY, tiers={0: limits})
