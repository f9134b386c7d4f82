"""A merchant at the command line, with a real hub on a real chain."""

import subprocess
import sys
from pathlib import Path

from alatau.wallet.invoice_text import read_invoice_text
from tests.support.hub_city import RESIDENTS, TILL, ServedCity
from tests.unit.cli.command_line import Alatau
from tests.unit.cli.desk import Desk


def test_a_till_shows_waits_refunds_and_adds_up(alatau: Alatau, served: ServedCity, tmp_path: Path) -> None:
    """A process of its own: the invoice on the terminal, a receipt when it is paid; day end without the hub."""
    resident, shop = Desk(alatau, served, "resident", RESIDENTS[0]), Desk(alatau, served, "shop", TILL)
    assert resident("wallet", "open", "50.00").code == 0
    assert shop("wallet", "open", "0").code == 0
    served.give_liquidity(TILL, 2_000)
    command = [
        sys.executable, "-m", "alatau.cli", "till", "invoice", "2.50", "--wait", "--json", "--reference", "bread",
        "--register-number", "010100000007", "--receipt-number", "12", "--png", str(tmp_path / "qr.png"),
        "--svg", str(tmp_path / "qr.svg"), *shop.options,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        drawn = []
        for line in lines:
            if line.startswith("alatau:"):
                break
            drawn.append(line)
        assert sum("█" in one or "▀" in one for one in drawn) > 20, "a QR code was drawn"
        invoice = read_invoice_text(line)
        assert invoice.invoice.amount == 250
        with resident.plain() as payer:
            served.wait_attached(TILL)
            payer.pay(invoice)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert '"paid": "2.50 KZT"' in out
    assert '"register_number": "010100000007"' in out
    assert (tmp_path / "qr.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "<svg" in (tmp_path / "qr.svg").read_text()
    (sold,) = shop("wallet", "history", "--json").json()
    refunded = shop("till", "refund", sold["invoice_hash"], "1.00", "--json")
    assert refunded.json()["in_all"] == "1.00 KZT", refunded.err
    too_much = shop("till", "refund", sold["invoice_hash"], "2.00")
    assert (too_much.code, "1.50 KZT of this invoice can be refunded" in too_much.err) == (1, True)
    served.stop_hub()
    day = shop("till", "day", "--json").json()
    assert (day["payments"], day["received"], day["refunded"], day["left"]) == (1, "2.50 KZT", "1.00 KZT", "1.50 KZT")
    rows = shop("till", "day", "--receipts", "--json").json()
    assert [(row["what"], row["receipt_number"]) for row in rows] == [("received", "12"), ("refunded", "12")]
    assert shop("till", "day", "--date", "2020-01-01", "--json").json()["payments"] == 0
