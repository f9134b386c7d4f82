"""What ``alatau wallet`` and ``alatau till`` share: the folder, the password, amounts, and how both are opened."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import click
import structlog
import trio

from alatau.app.wallet.config import WalletSettings, unit_of
from alatau.app.wallet.home import WalletHome, find_home
from alatau.books.amounts import Unit, decimal_text, read_decimal
from alatau.books.calendar import day_number
from alatau.books.errors import BooksError
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.party.records import Incoming, IncomingPhase
from alatau.cli.context import ask_password, option_group, password_file_option
from alatau.cli.output import say
from alatau.wallet.channel_wallet import ChannelWallet, open_wallet
from alatau.wallet.errors import WalletError
from alatau.wallet.invoice_text import TEXT_MAX
from alatau.wallet.link import PaymentFailedError
from alatau.zones import zone_of

_PATIENCE_S: Final = 5.0
TOWER_PATIENCE_S: Final = 3.0
"""So long a command waits at its end for watchtowers to take the newest voucher; what they lack they get next time."""
_GRACE_S: Final = 30.0
"""After an invoice has run out a payment that began in time may still end."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """Which wallet."""

    wallet: Path
    password_file: Path | None

    def home(self) -> WalletHome:
        """Its folder. Raises ``WalletHomeError``."""
        return find_home(self.wallet)


folder_options = option_group(
    "folder",
    FolderOptions,
    click.option(
        "--wallet",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path.home() / ".alatau-wallet",
        envvar="ALATAU_WALLET",
        show_default="~/.alatau-wallet",
        help="The wallet's folder [env: ALATAU_WALLET].",
    ),
    password_file_option,
)
"""Gives a command ``--wallet`` and ``--password-file``, as the argument ``folder``."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open wallet, and how it writes amounts and days."""

    wallet: ChannelWallet
    settings: WalletSettings

    @property
    def unit(self) -> Unit:
        """Of its amounts."""
        return unit_of(self.settings)

    @property
    def zone(self) -> ZoneInfo:
        """In which a day begins at midnight."""
        return zone_of(self.settings.money.time_zone)

    def money(self, amount: int) -> str:
        """``1500.00 KZT``."""
        return f"{decimal_text(self.unit, amount)} {self.unit.currency}"

    def when(self, time: int) -> str:
        """Date and time of the wallet's zone."""
        return datetime.fromtimestamp(time, self.zone).isoformat(sep=" ", timespec="seconds")

    def today(self) -> int:
        """Days since 1970."""
        return day_number(self.zone, int(self.wallet.setup.clock()))

    def amount(self, text: str) -> int:
        """Token units of what was typed. Raises ``click.BadParameter``."""
        return parse_amount(self.unit, text)


def run_wallet(folder: FolderOptions, task: Callable[[Opened], Awaitable[T]]) -> T:
    """Open the wallet, do something with it, close it. Asks for its password."""
    home = folder.home()
    settings = home.settings()
    key = home.key(ask_password(f"Password of {home.keystore}", folder.password_file))

    async def main() -> T:
        async with open_wallet(home.setup(key, settings)) as wallet:
            done = await task(Opened(wallet, settings))
            with trio.move_on_after(TOWER_PATIENCE_S):
                await wallet.protected()
            return done

    with _logging_to_stderr():
        try:
            return trio.run(main)
        except BaseExceptionGroup as group:
            if group.subgroup(KeyboardInterrupt) is not None:
                raise KeyboardInterrupt from None
            raise


@contextmanager
def _logging_to_stderr() -> Iterator[None]:
    """What the wallet logs goes beside what a script reads."""
    before = structlog.get_config()
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        yield
    finally:
        structlog.configure(**before)


@asynccontextmanager
async def connected(opened: Opened, patience_s: float) -> AsyncIterator[bool]:
    """Wait a moment for the hub; gives whether it is there."""
    with trio.move_on_after(patience_s):
        while not opened.wallet.connected:  # noqa: ASYNC110  the connection may break and come again meanwhile
            await trio.sleep(0.05)
    yield opened.wallet.connected


def parse_amount(unit: Unit, text: str, *, zero: bool = False) -> int:
    """Token units. Raises ``click.BadParameter``."""
    try:
        amount = read_decimal(unit, text)
    except BooksError as error:
        raise click.BadParameter(f"{error}; amounts are in {unit.currency}") from error
    if amount < 0 or (amount == 0 and not zero):
        raise click.BadParameter(f"an amount is above zero, not {text}")
    return amount


def read_argument(given: str) -> str:
    """What was given, or a line of standard input where it is ``-``."""
    return sys.stdin.readline(TEXT_MAX + 2) if given == "-" else given


async def wait_paid(opened: Opened, made: Incoming) -> Incoming:
    """Wait for a payment. Raises ``WalletError`` when the invoice has run out and nothing is under way."""
    secret_hash = made.signed.invoice.secret_hash
    async with connected(opened, _PATIENCE_S) as there:
        if not there:
            say("The hub is not connected: the invoice can be paid as soon as it is. Waiting.")
    while True:
        left = made.signed.invoice.expires - opened.wallet.setup.clock()
        with trio.move_on_after(max(left, 0) + _GRACE_S):
            return await opened.wallet.paid(secret_hash)
        now = next(one for one in opened.wallet.incoming if one.signed.invoice.secret_hash == secret_hash)
        if now.phase is not IncomingPhase.LOCKED:
            raise WalletError("the invoice ran out, and nobody has paid it; make another")
        say("A payment is under way, and the hub has not paid it out yet: no goods before it has. Waiting.")


def why_failed(opened: Opened, error: PaymentFailedError) -> str:
    """A refusal in plain words, with what is used and what is left of a limit."""
    if error.reason is not Reason.LIMIT_EXCEEDED:
        return f"not paid, and nothing was taken: {error}"
    values: dict[str, Any] = dict(error.details)
    limit, used = int(values["limit"]), int(values["used"])
    if values["period"] == "payment":
        return f"not paid: a single payment may be {opened.money(limit)} at most"
    text = (
        f"not paid: the limit of a {values['period']} is {opened.money(limit)}; {opened.money(used)} are used,"
        f" {opened.money(max(limit - used, 0))} are left"
    )
    return f"{text}. It is free again at {opened.when(int(values['frees']))}" if "frees" in values else text
