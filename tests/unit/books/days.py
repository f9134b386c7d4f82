"""Days of a hub to test with: whatever can happen in a city, drawn at random and booked in an order that can be."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from alatau.books import bookings
from alatau.books.accounts import Account
from alatau.books.calendar import day_start, moment
from alatau.books.entries import AMOUNT_MAX, Entry, Moment
from alatau.books.ledger import DayLedger, fold_day
from alatau.zones import zone_of

ALMATY = zone_of("Asia/Almaty")
DAY = 20_784
"""27 November 2026."""
CHANNELS = tuple(bytes((n,)) * 32 for n in range(1, 5))


def reference(number: int) -> bytes:
    """32 bytes that are no other entry's."""
    return number.to_bytes(32, "big")


def clock(second: int, day: int = DAY) -> Moment:
    """The moment so many seconds after the day's midnight."""
    return moment(ALMATY, day_start(ALMATY, day) + second)


@dataclass(slots=True)
class City:
    """A hub's money while a day is made up: only what can be paid is paid."""

    entries: list[Entry] = field(default_factory=list)
    owned: dict[bytes, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    held: dict[bytes, list[tuple[bytes, int]]] = field(default_factory=lambda: {channel: [] for channel in CHANNELS})

    def happen(self, what: int, first: int, second: int, amount: int, fee: int, day: int = DAY) -> None:
        """One of the things that happen, with as much of ``amount`` as there is."""
        at = clock(len(self.entries), day)
        number = reference(len(self.entries) + 1)
        payer, payee = CHANNELS[first], CHANNELS[second]
        spendable = min(amount, self.owned[payer])
        match what:
            case 0 | 1 if spendable > fee and payer != payee:
                paid = spendable - fee
                invoice = number if what else b""
                entry = bookings.payment(
                    at, number, payer, payee, paid, fee=fee, invoice_hash=invoice, offline=bool(what)
                )
                self._moved(entry, payer, -spendable)
                self.owned[payee] += paid
            case 2 if spendable and payer != payee:
                self._moved(bookings.refund(at, number, payer, payee, spendable), payer, -spendable)
                self.owned[payee] += spendable
            case 3 if spendable:
                self._moved(bookings.fee(at, number, payer, spendable), payer, -spendable)
            case 4 if spendable:
                self._moved(bookings.withdrawal(at, number, payer, spendable), payer, -spendable)
            case 5 if spendable:
                self._moved(bookings.hold(at, number, payer, spendable), payer, -spendable)
                self.held[payer].append((number, spendable))
            case 6 if self.held[payer]:
                lock, locked = self.held[payer].pop()
                self._moved(bookings.release(at, lock, payer, locked), payer, locked)
            case 7:
                self.entries.append(bookings.hub_deposit(at, number, payer, amount))
            case 8:
                self.entries.append(bookings.rebalance(at, number, payer, b"", amount))
            case 9:
                self._moved(bookings.adjustment(at, number, payer, amount), payer, amount)
            case 10 if spendable:
                self._moved(bookings.close_payout(at, number, payer, spendable, fee), payer, -spendable)
            case _:
                self._moved(bookings.deposit(at, number, payer, amount), payer, amount)

    def _moved(self, entry: Entry, channel: bytes, change: int) -> None:
        self.entries.append(entry)
        self.owned[channel] += change


@st.composite
def city_days(draw: st.DrawFn, days: int = 1, largest: int = AMOUNT_MAX >> 8) -> list[list[Entry]]:
    """Entries of one day after another, in the order of their booking, with amounts up to ``largest``."""
    place = st.integers(0, len(CHANNELS) - 1)
    amount = st.integers(1, 10**6) | st.integers(1, largest)
    happening = st.tuples(st.integers(0, 12), place, place, amount, st.integers(0, 100))
    city = City()
    told = []
    for number in range(days):
        before = len(city.entries)
        for drawn in draw(st.lists(happening, max_size=12)):
            city.happen(*drawn, day=DAY + number)
        told.append(city.entries[before:])
    return told


def ledger_of(entries: list[Entry], openings: dict[Account, int] | None = None, day: int = DAY) -> DayLedger:
    """The ledger of a day that begins with nothing, or with ``openings``."""
    return fold_day(day, openings or {}, entries)
