"""A wallet's folder and its settings."""

from pathlib import Path

import pytest

from alatau.app.wallet.config import domain_of_settings, unit_of
from alatau.app.wallet.home import find_home, make_home
from alatau.client.keystore import ScryptCost, WrongPasswordError
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wallet.errors import WalletHomeError

KEY = PrivateKey(b"\x62" * 32)
CHEAP = ScryptCost(n=2, r=1, p=1)


def test_a_folder_is_made_and_found(tmp_path: Path) -> None:
    """What was set is read back; the key opens with its password only."""
    with pytest.raises(WalletHomeError, match=r"wallet\.toml is missing; make one with alatau wallet create"):
        find_home(tmp_path / "w")
    given = {"hub.address": "0x" + "0b" * 20, "chain.id": 7773, "chain.contract": "0x" + "07" * 20, "money.decimals": 3}
    make_home(tmp_path / "w", KEY, "secret", given, {"hub.pem": b"A", "chain.pem": b"B"}, cost=CHEAP)
    home = find_home(tmp_path / "w")
    settings = home.settings({})
    assert (domain_of_settings(settings).chain_id, domain_of_settings(settings).contract) == (7773, b"\x07" * 20)
    assert unit_of(settings).decimals == 3
    assert home.key("secret").address == KEY.address
    with pytest.raises(WrongPasswordError):
        home.key("other")
    setup = home.setup(KEY, settings)
    assert (setup.hub, setup.nodes, setup.database) == (b"\x0b" * 20, ("127.0.0.1:7101",), home.folder / "db")
