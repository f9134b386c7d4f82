"""What people do on the pages, for tests that drive a browser."""

from typing import Protocol

from tests.support.browser import Browser, PageDriver

MERCHANT = 2


class Place(Protocol):
    """Where pages are, and who registers accounts there."""

    @property
    def origin(self) -> str:
        """Of the pages."""

    def admit(self, account: bytes, *, kind: int = 1, units: int = 0) -> None:
        """Register, and send money."""


def open_wallet(chromium: Browser, place: Place, name: str) -> PageDriver:
    """A resident makes a passkey, is registered with 5,000.00, and opens a channel with 2,000.00."""
    chromium.ask("open", name=name, url=f"{place.origin}/wallet?lang=en", authenticator=True)
    page = chromium.page(name)
    page.press("Make a key")
    place.admit(bytes.fromhex(page.text("#account-code")[2:]), units=500_000)
    page.wait("#open")
    page.fill("#amount", "2000")
    page.click("#open")
    page.wait("#pay", 60)
    page.wait("#status.online", 60)
    return page


def open_till(chromium: Browser, place: Place, name: str, shop: str) -> PageDriver:
    """A merchant sets a till up, and is registered."""
    chromium.ask("open", name=name, url=f"{place.origin}/till?lang=en")
    page = chromium.page(name)
    page.fill("#shop-name", shop)
    page.fill("#register", "KKM-17")
    page.click("#create")
    place.admit(bytes.fromhex(page.text("#account-code")[2:]), kind=MERCHANT)
    page.wait("#charge", 60)
    page.wait("#status.online", 60)
    return page


def charge(till: PageDriver, digits: str) -> str:
    """Ask for money by the keypad; gives the invoice's text."""
    for digit in digits:
        till.press(digit)
    till.click("#charge")
    return till.text("#invoice-text")


def offer(wallet: PageDriver, invoice: str) -> None:
    """Open the link of an invoice."""
    wallet.ask("evaluate", code=f"location.hash = {invoice!r}")


def pay(wallet: PageDriver, invoice: str) -> None:
    """Open it, confirm it, wait for the tick."""
    offer(wallet, invoice)
    wallet.click("#confirm")
    wallet.wait("#paid", 60)


def buy(wallet: PageDriver, till: PageDriver, digits: str) -> None:
    """A payment that both have ticked; both are where they began."""
    pay(wallet, charge(till, digits))
    wallet.press("OK")
    till.wait("#received")
    till.click("#next")
