"""Wallet and till in a real browser with an authenticator, against a hub and a chain in this process.

What the contracts and the hub refuse (challenges of another payment or in another field, types, flags, relying parties,
high s, points off the curve, raised caps, delegations of other channels and chains) is in
``tests/contracts/test_signature_verifier.py``, ``tests/contracts/test_p256_account.py``,
``tests/contracts/city_channels`` and ``tests/unit/crypto/test_signature_schemes.py``; here is what pages must not do.
"""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import segno

from alatau.channels.delegation import voucher_signed_by
from alatau.pb.channel.v1 import channel_pb2
from alatau.wallet.invoice_text import read_invoice_text
from alatau.wire.channel import write_invoice
from tests.support.browser import CHROMIUM, Browser, PageDriver, browser
from tests.support.hub_city import DOMAIN
from tests.support.javascript import with_packages
from tests.support.said_vouchers import vouchers_of
from tests.support.shops import buy, charge, offer, open_till, open_wallet, pay
from tests.support.site_city import Site, served_site

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None or shutil.which("npm") is None, reason="needs chromium and npm"),
]

LANGUAGES = ("kk", "ru", "en")
WIDTHS = (320, 390, 1280)
HOSTILE = "<img src=x onerror=window.owned=1><script>window.owned=1</script>"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The hub."""
    with served_site(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser."""
    with_packages()
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def wallet(chromium: Browser, site: Site) -> PageDriver:
    """A resident with a passkey and 2,000.00."""
    return open_wallet(chromium, site, "wallet")


@pytest.fixture(scope="module")
def till(chromium: Browser, site: Site) -> PageDriver:
    """A shop with a name that would be a program."""
    return open_till(chromium, site, "till", HOSTILE)


def test_a_resident_pays_a_shop_and_is_paid_back(chromium: Browser, wallet: PageDriver, till: PageDriver) -> None:
    """Paid, ticked on both sides, the receipt checked in the page; a part refunded; the day added up."""
    pay(wallet, charge(till, "15050"))
    till.wait("#received")
    assert "150.50" in till.text("#received")
    wallet.click("#receipt")
    assert "Receipt checked" in wallet.text("#receipt-check")
    wallet.press("Back")
    assert "1,848.75" in wallet.text("#balance"), "the fee is half a percent"
    till.click("#next")
    till.click("#day")
    assert "150.50" in till.text("#day-received")
    till.click("#movements button")
    till.click("#refund")
    till.fill("#refund-amount", "50,25")
    till.click("#refund-do")
    till.ask("waitText", selector="main", text="50.25")
    till.press("Back")
    assert "50.25" in till.text("#day-refunded")
    till.press("Back")
    wallet.ask("waitText", selector="#balance", text="1,899.00")
    assert chromium.errors == []


def test_a_merchants_name_is_text(chromium: Browser, wallet: PageDriver, till: PageDriver) -> None:
    """Markup in it is shown and never becomes elements, on neither page, nor a request or a policy's report."""
    offer(wallet, charge(till, "100"))
    assert HOSTILE in wallet.text("main")
    for page in (wallet, till):
        assert page.ask(
            "evaluate", code="window.owned === undefined && !document.querySelector('main img, main script')"
        )
    wallet.press("Cancel")
    till.press("Cancel")
    assert chromium.errors == []


def test_what_is_signed_is_what_is_shown(wallet: PageDriver, till: PageDriver) -> None:
    """The voucher that leaves locks the total that stands on the button, under its hash; the cap is no more."""
    invoice = charge(till, "2000")
    offer(wallet, invoice)
    assert wallet.text("#confirm") == "Pay 20.10\u00a0KZTD"
    wallet.click("#confirm")
    wallet.wait("#paid", 60)
    said = [request["body"] for request in wallet.ask("requests") if request["url"].endswith("/Say")]
    signed = [one for body in said for one in vouchers_of(json.loads(body))]
    secret_hash = read_invoice_text(invoice).invoice.secret_hash
    locking = [one for one in signed if any(lock.secret_hash == secret_hash for lock in one.voucher.locks)]
    assert locking
    for one in locking:
        (lock,) = [lock for lock in one.voucher.locks if lock.secret_hash == secret_hash]
        assert lock.amount == 2_010
        assert voucher_signed_by(DOMAIN, one.voucher, one.signature)
        assert one.signature[0] == 3
        cap = int.from_bytes(one.signature[129:161], "big")
        assert cap == one.voucher.transferred + sum(lock.amount for lock in one.voucher.locks), (
            "not a tiyn more is lent"
        )
    wallet.press("OK")
    till.click("#next")


def test_an_invoice_that_was_changed_is_refused(wallet: PageDriver, till: PageDriver) -> None:
    """A hub, or a link, that says another amount than the merchant signed: nothing can be confirmed."""
    text = charge(till, "300")
    message = write_invoice(read_invoice_text(text))
    for change in ({"amount": b"\x01\x00"}, {"merchant": bytes(20)}, {"details": b'{"name":"another shop"}'}):
        changed = channel_pb2.Invoice()
        changed.CopyFrom(message)
        for name, value in change.items():
            setattr(changed, name, value)
        encoded = base64.urlsafe_b64encode(changed.SerializeToString()).decode().rstrip("=")
        offer(wallet, f"alatau:{encoded}")
        wallet.ask("waitText", selector="#notices", text="has not signed this invoice")
        assert wallet.ask("evaluate", code="document.getElementById('confirm') === null")
        wallet.ask("evaluate", code="document.getElementById('notices').replaceChildren()")
    till.press("Cancel")


def test_who_says_no_pays_nothing(wallet: PageDriver, till: PageDriver) -> None:
    """The authenticator does not know its user: nothing leaves; asked again with the right finger, it pays once."""
    before = wallet.text("#balance")
    invoice = charge(till, "400")
    wallet.ask("verified", value=False)
    offer(wallet, invoice)
    wallet.click("#confirm")
    wallet.ask("waitText", selector="main", text="Nothing was taken")
    wallet.press("OK")
    assert wallet.text("#balance") == before
    wallet.ask("verified", value=True)
    pay(wallet, invoice)
    wallet.press("OK")
    till.wait("#received")
    till.click("#next")
    offer(wallet, invoice)
    assert "Receipt checked" in wallet.text("#receipt-check"), "the same invoice again is the same payment"
    wallet.press("Back")


def test_a_second_tab_signs_nothing(chromium: Browser, site: Site, wallet: PageDriver) -> None:
    """Two tabs of a wallet would sign two vouchers of one number."""
    chromium.ask("open", name="second", url=f"{site.origin}/wallet?lang=en", beside=wallet.name)
    chromium.page("second").ask("waitText", selector="main", text="open in another tab")
    chromium.ask("close", name="second")


def test_a_cleared_browser_finds_its_key_and_agrees_first(site: Site, wallet: PageDriver, till: PageDriver) -> None:
    """All storage is gone: the passkey is found again, the hub gives the vouchers back, and it goes on paying."""
    before = wallet.text("#balance")
    clear = "indexedDB.deleteDatabase('alatau-wallet'); localStorage.clear()"
    wallet.ask("evaluate", code=clear)
    wallet.ask("goto", url=f"{site.origin}/wallet?lang=en")
    wallet.press("I have a key already")
    wallet.press("Connect")
    wallet.ask("waitText", selector="#balance", text=before)
    wallet.wait("#status.online")
    buy(wallet, till, "500")
    wallet.ask("waitText", selector="#history", text="5.02")


def test_a_clock_that_is_wrong_by_a_day_is_told(chromium: Browser, site: Site) -> None:
    """Nobody could pay its invoices, and it would take expired ones."""
    script = "{ const now = Date.now; Date.now = () => now() + 86400000; }"
    chromium.ask("open", name="wrong", url=f"{site.origin}/till?lang=en", script=script)
    chromium.page("wrong").ask("waitText", selector="#notices", text="wrong by 1440 minutes")
    chromium.ask("close", name="wrong")


def test_pages_ask_nobody_else(site: Site, wallet: PageDriver, till: PageDriver) -> None:
    """Every request of both pages went to their own origin; under it there is no inline script to run."""
    for page in (wallet, till):
        urls = {request["url"] for request in page.ask("requests")}
        assert len(urls) > 20
        assert {url for url in urls if not url.startswith((f"{site.origin}/", "data:"))} == set()


def test_the_camera_reads_the_tills_code(site: Site, till: PageDriver, tmp_path: Path) -> None:
    """A resident's phone looks at the till's screen, and the payment goes through."""
    picture = segno.make(charge(till, "700"), error="l", micro=False)
    rows = [list(row) for row in picture.matrix_iter(scale=6, border=4)]
    film(rows, tmp_path / "till.y4m")
    with browser(tmp_path, camera=tmp_path / "till.y4m") as phone:
        page = open_wallet(phone, site, "phone")
        page.click("#pay")
        page.wait("#confirm", 60)
        assert "7.03" in page.text("#confirm")
        page.click("#confirm")
        page.wait("#paid", 60)
    till.wait("#received")
    till.click("#next")


def film(rows: list[list[int]], path: Path, frames: int = 2) -> None:
    """An uncompressed film of a picture, as Chromium's camera takes it: luma of each row, then grey chroma."""
    side = len(rows) + len(rows) % 2
    luma = bytearray(b"\xff" * side * side)
    for y, row in enumerate(rows):
        luma[y * side : y * side + len(row)] = bytes(0 if dark else 255 for dark in row)
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (side * side // 2)
    path.write_bytes(f"YUV4MPEG2 W{side} H{side} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * frames)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_and_nothing_overflows(
    site: Site, wallet: PageDriver, till: PageDriver, dark: bool, tmp_path: Path
) -> None:
    """WCAG 2.2 AA on every view of both pages, in both colour schemes; three languages at 320, 390 and 1,280 px."""

    def look(page: PageDriver, view: str) -> None:
        for width in WIDTHS:
            overflows = page.ask("screenshot", path=str(tmp_path / f"{view}-{width}.png"), width=width, dark=dark)
            assert not overflows, f"{view} at {width} px"
        assert page.ask("axe") == [], view

    for language in LANGUAGES:
        for page in (wallet, till):
            choose = f"{{ const s = document.getElementById('language'); s.value = '{language}'; s.onchange(); }}"
            page.ask("evaluate", code=choose)
        invoice = charge(till, "15000")
        look(till, f"charge-{language}")
        offer(wallet, invoice)
        wallet.wait("#confirm")
        look(wallet, f"confirm-{language}")
        wallet.click("#confirm")
        wallet.wait("#paid", 60)
        look(wallet, f"paid-{language}")
        till.wait("#received")
        look(till, f"received-{language}")
        wallet.click("#receipt")
        wallet.wait("#receipt-check")
        look(wallet, f"receipt-{language}")
        wallet.click("main button.primary")
        wallet.wait("#balance")
        look(wallet, f"home-{language}")
        wallet.click("#more")
        wallet.wait("#limits")
        look(wallet, f"more-{language}")
        wallet.click("main button.primary")
        till.click("#next")
        till.wait("#charge")
        look(till, f"keypad-{language}")
        till.click("#day")
        till.wait("#movements")
        look(till, f"day-{language}")
        till.click("main > button.primary")
        till.wait("#charge")
