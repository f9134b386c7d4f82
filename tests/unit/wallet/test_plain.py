"""The wallet without an event loop: threads, and errors as they are."""

from pathlib import Path
from threading import Thread

import pytest

from alatau.channels.errors import InvalidVoucherError
from alatau.channels.party.records import Outgoing
from alatau.storage.errors import StoreLockedError
from alatau.wallet.plain import open_plain_wallet
from tests.support.hub_city import RESIDENTS, TILL, served_city


def test_threads_share_a_wallet(tmp_path: Path) -> None:
    """Opened, paid by twenty threads at once, paid back, closed: once each, and the same receipt for all."""
    with served_city(tmp_path) as served:
        resident = served.city.setup(RESIDENTS[0], tmp_path / "resident")
        till = served.city.setup(TILL, tmp_path / "till")
        with open_plain_wallet(resident) as payer, open_plain_wallet(till) as payee:
            with pytest.raises(StoreLockedError), open_plain_wallet(resident):
                pass
            payer.open(5_000)
            payee.open(0)
            served.give_liquidity(TILL, 2_000)
            signed = payee.invoice(300).signed
            assert payer.quote(signed).available == 5_000
            paid: list[Outgoing] = []
            threads = [Thread(target=lambda: paid.append(payer.pay(signed))) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert {one.secret for one in paid} == {payer.outgoing[0].secret}
            assert len(paid) == 20
            secret_hash = signed.invoice.secret_hash
            payee.paid(secret_hash)
            assert payee.refund(secret_hash, 100).refunded == 100
            with pytest.raises(InvalidVoucherError, match="cannot refund 201"):
                payee.refund(secret_hash, 201)
            payer.deposit(50)
            assert payee.withdraw(200) == 200
            day = payee.incoming[0].paid_time // 86_400
            assert [line.amount for line in payee.statement(day - 1, day + 1)] == [300, 100]
            assert payer.close() == 5_000 - 300 + 100 + 50
            state = payee.close_alone()
            assert state.window is not None
