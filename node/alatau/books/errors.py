"""Why books were refused. Nothing is changed by a refusal; whose fault it is stands with each error."""


class BooksError(ValueError):
    """Entries, balances or documents that cannot be what they say; see the subclasses."""


class WrongDayError(BooksError):
    """An entry is of another day than the ledger. Fold each day's entries alone, by the day that they carry."""

    def __init__(self, place: int, day: int, ledger_day: int) -> None:
        super().__init__(f"entry {place} is of day {day}, the ledger of day {ledger_day}")
        self.place = place
        """The entry's, from 0."""


class DuplicateEntryError(BooksError):
    """Two entries of one kind have one reference: something was booked twice. The reference is the key."""

    def __init__(self, place: int, what: str) -> None:
        super().__init__(f"entry {place} books {what} a second time")
        self.place = place


class OverdrawnError(BooksError):
    """An owner's account or what its locks hold would fall below nothing: an entry is missing, or out of its order."""

    def __init__(self, place: int, account: str, balance: int) -> None:
        super().__init__(f"entry {place} leaves {balance} on {account}: take entries in the order of their booking")
        self.place = place
        self.account = account
        self.balance = balance


class UnbalancedError(BooksError):
    """Balances that a day begins with do not add up to nothing. Take the closing balances of the day before."""

    def __init__(self, remainder: int) -> None:
        super().__init__(f"the opening balances add up to {remainder}, not to 0")
        self.remainder = remainder


class ZoneError(BooksError):
    """No zone of that name in the IANA database. Correct the name in the configuration, such as ``Asia/Almaty``."""


class NotInBookError(BooksError):
    """A channel that neither paid nor received on that day has no entry in its book."""
