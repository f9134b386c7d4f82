"""A resident at the command line, with a real hub on a real chain."""

from pathlib import Path

from alatau.channels.party.records import Receipt
from alatau.wallet.invoice_text import invoice_text
from alatau.wallet.receipt import receipt_text
from tests.support.hub_city import RESIDENTS, TILL, ServedCity
from tests.unit.cli.command_line import Alatau
from tests.unit.cli.desk import Desk


def test_a_resident_pays_at_the_command_line(alatau: Alatau, served: ServedCity, tmp_path: Path) -> None:
    """Create, open, pay, look, back up, restore, close; what is refused is said in plain words."""
    resident, shop = Desk(alatau, served, "resident", RESIDENTS[0]), Desk(alatau, served, "shop", TILL)
    again = resident("wallet", "create", "--hub", "h:1", "--hub-ca", __file__, "--node", "n:1", "--ca", __file__)
    assert (again.code, "holds a wallet already" in again.err) == (3, True)
    assert resident("wallet", "open", "50.00", "--json").json()["available"] == "50.00 KZT"
    assert shop("wallet", "open", "0").code == 0
    served.give_liquidity(TILL, 2_000)
    with shop.plain() as till:
        bill = till.invoice(300).signed
        text = invoice_text(bill)
        unasked = resident("wallet", "pay", text)
        assert (unasked.code, "say --yes to pay" in unasked.err) == (2, True)
        paid = resident("wallet", "pay", text, "--yes", "--json")
        assert paid.code == 0, paid.err
        assert [line.split() for line in paid.err.splitlines()[:2]] == [
            ["to", "pay", "3.00", "KZT"],
            ["fee", "0.00", "KZT"],
        ]
        assert paid.json()["paid"] == "3.00 KZT"
        repeated = resident("wallet", "pay", text, "--json")
        assert (repeated.code, "paid before" in repeated.err) == (0, True)
        assert repeated.json()["receipt"] == paid.json()["receipt"]
        assert till.paid(bill.invoice.secret_hash).paid_time > 0
        limit = resident("wallet", "pay", invoice_text(till.invoice(601).signed), "--yes")
        assert (limit.code, "a single payment may be 6.00 KZT at most" in limit.err) == (1, True)
        dear = resident("wallet", "pay", invoice_text(till.invoice(9_000).signed), "--yes")
        assert (dear.code, "90.00 KZT are to be paid, 47.00 KZT are available" in dear.err) == (1, True)
    verified = shop("wallet", "verify", paid.json()["receipt"], "--json")
    assert verified.json()["paid"] == "3.00 KZT"
    forged = receipt_text(Receipt(bill, bytes(32)))
    assert "no proof of a payment" in shop("wallet", "verify", forged).err
    states = {row["state"] for row in resident("wallet", "history", "--json").json()}
    assert states == {"paid", "refused: a payment may be 600 at most"}
    assert [row["amount"] for row in resident("wallet", "statement", "--json").json()] == ["3.00"]
    assert resident("wallet", "balance", "--json").json()["available"] == "47.00 KZT"
    backup = tmp_path / "backup.json"
    assert resident("wallet", "backup", backup, "--weak").code == 0
    assert b"correct" not in backup.read_bytes()
    restored = alatau(
        "wallet", "restore", backup, "--wallet", tmp_path / "back", "--password-file", tmp_path / "password"
    )  # fmt: skip
    assert restored.code == 0, restored.err
    resident.folder = tmp_path / "back"
    assert resident("wallet", "balance", "--json").json()["available"] == "47.00 KZT"
    assert resident("wallet", "close", "--json").json() == {"phase": "settled", "claimed": "47.00 KZT"}
    over = resident("wallet", "pay", text.replace("alatau:", "alatau:AAAA"), "--yes")
    assert (over.code, "damaged" in over.err) == (1, True)
