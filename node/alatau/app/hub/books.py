"""A hub's books as its operator reads them, beside the running hub: on a copy of its database of this moment."""

import csv
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alatau.app.config_file import ConfigError, Problem, read_config_of
from alatau.app.home import Home, HomeError
from alatau.app.hub.config import SCHEMA, BooksConfig, HubSettings
from alatau.app.hub.home import HUB
from alatau.app.service_home import check_kind
from alatau.books.amounts import Unit
from alatau.books.day_export import Heading
from alatau.books.errors import BooksError
from alatau.books.pacs008 import Beneficiary
from alatau.books.parties import Agent, Holder
from alatau.channels.messages import Domain, channels_domain
from alatau.hub.store import HubStore, open_copy, read_identity
from alatau.storage.checkpoint import copy_database

_ROWS_MAX = 1 << 20


class HubBooks:
    """Books of the hub in a home; made by :func:`open_books`."""

    def __init__(self, home: Home, config: HubSettings, store: HubStore, domain: Domain, hub: bytes) -> None:
        self.home = home
        self.config = config
        self.store = store
        self.domain = domain
        self.hub = hub

    @property
    def unit(self) -> Unit:
        """Of exports."""
        return Unit(self.config.books.currency, self.config.books.decimals)

    def heading(self, day: int) -> Heading:
        """Of a day's export. Raises ``BooksError``: the day is not closed."""
        if self.store.journal.closed(day) is None:
            raise BooksError(f"day {day} is not closed yet, or was forgotten: alatau hub status names the last one")
        return Heading(self.hub, self.domain.chain_id, self.config.hub.time_zone, day, self.unit)

    @property
    def holder(self) -> Holder:
        """The hub's account, from which it pays."""
        return Holder(self.config.books.name, self.config.books.account)

    @property
    def agent(self) -> Agent:
        """The bank that has it."""
        return Agent(self.config.books.bank, self.config.books.bic)

    def beneficiaries(self) -> dict[bytes, Beneficiary]:
        """Owners with a bank account, by channel. Raises ``ConfigError``, naming the line."""
        return read_beneficiaries(self.home, self.config.books)


@contextmanager
def open_books(home: Home) -> Iterator[HubBooks]:
    """The books as they are now, whether or not the hub runs; nothing of it is changed.

    Raises:
        HomeError: it is no hub's home, or the hub never ran.
        ConfigError: a setting is wrong.
        StorageError: the disk.
    """
    check_kind(HUB, home)
    config = read_config_of(SCHEMA, home.config_file, os.environ)
    if not (home.database / "CURRENT").exists():
        raise HomeError(f"{home.folder} has no database yet: the hub never ran")
    copy = home.folder / f"books-{os.getpid()}"
    try:
        copy_database(home.database, copy)
        identity = read_identity(copy)
        domain = channels_domain(identity.chain_id, identity.contract)
        store = open_copy(copy, domain)
        try:
            yield HubBooks(home, config, store, domain, identity.hub)
        finally:
            store.close()
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def read_beneficiaries(home: Home, config: BooksConfig) -> dict[bytes, Beneficiary]:
    """Of the file that the settings name; nobody where they name none. Raises ``ConfigError``, naming the line."""
    if not config.beneficiaries:
        return {}
    path = home.folder / config.beneficiaries
    found: dict[bytes, Beneficiary] = {}
    for line, row in _rows(path):
        try:
            channel, name, account, bank, bic = (part.strip() for part in row)
            channel_id = bytes.fromhex(channel.removeprefix("0x"))
            if len(channel_id) != 32:
                raise BooksError("a channel is 0x and 64 digits")
            found[channel_id] = Beneficiary(Holder(name, account), Agent(bank, bic))
        except ValueError as error:
            raise ConfigError((Problem(f"{path}:{line}", f"channel,name,account,bank,bic: {error}"),)) from error
    return found


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for line, row in enumerate(csv.reader(file), start=1):
            if line > _ROWS_MAX:
                return
            if row and not row[0].startswith("#"):
                yield line, row
