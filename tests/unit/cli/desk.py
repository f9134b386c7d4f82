"""Somebody with a wallet's folder at a terminal, with a real hub on a real chain."""

from contextlib import AbstractContextManager

from alatau.app.private_file import write_keystore
from alatau.app.wallet.home import find_home
from alatau.client.keystore import ScryptCost
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wallet.plain import PlainWallet, open_plain_wallet
from tests.support.hub_city import ServedCity
from tests.unit.cli.command_line import Alatau, Outcome

_CHEAP = ScryptCost(n=2, r=1, p=1)


class Desk:
    """Somebody at a terminal, with a wallet's folder."""

    def __init__(self, alatau: Alatau, served: ServedCity, name: str, key: PrivateKey) -> None:
        self.alatau, self.served, self.key = alatau, served, key
        self.folder = served.folder / name
        keystore = served.folder / f"{name}.json"
        write_keystore(keystore, key, "correct horse", _CHEAP)
        ca = served.folder / "ca.pem"
        made = self(
            "wallet", "create", "--weak", "--hub", served.city.hub_endpoint, "--hub-ca", ca,
            "--node", served.city.chain.endpoint, "--ca", ca, "--from", keystore, "--json",
        )  # fmt: skip
        assert made.code == 0, made.err
        assert made.json()["address"] == "0x" + key.address.hex()

    def __call__(self, *arguments: object) -> Outcome:
        """Run a command with this wallet."""
        return self.alatau(*arguments, *self.options)

    @property
    def options(self) -> tuple[str, ...]:
        """Which wallet."""
        return ("--wallet", str(self.folder), "--password-file", str(self.served.folder / "password"))

    def plain(self) -> AbstractContextManager[PlainWallet]:
        """The same wallet for a program."""
        home = find_home(self.folder)
        return open_plain_wallet(home.setup(self.key, home.settings({})))
