"""What a person pastes after a network has come up."""

import os
import sys
from pathlib import Path

from alatau.app.private_file import write_keystore, write_private
from alatau.client.keystore import DEVNET_COST
from alatau_devnet import accounts
from alatau_devnet.network import Devnet

_KEYSTORES = (accounts.resident(1), accounts.resident(2), accounts.DEVELOPER, accounts.ISSUER, accounts.HUB)
_PASSWORD = "devnet"  # noqa: S105  throw-away keys, published anyway


def write_account_keystores(network: Devnet) -> Path:
    """Keystores of a few inhabitants, for the command line; gives their folder."""
    folder = network.folder / "accounts"
    folder.mkdir(exist_ok=True)
    password = folder / "password"
    if not password.exists():
        write_private(password, _PASSWORD.encode())
    for name in _KEYSTORES:
        path = folder / f"{name}.json"
        if not path.exists():
            write_keystore(path, accounts.key_of(name), _PASSWORD, DEVNET_COST)
    return folder


def paste_ready(network: Devnet, folder: Path) -> str:
    """Commands and code that work as they stand, in the folder where this program was started."""
    alatau = _short(Path(sys.executable).with_name("alatau"))
    first = network.nodes[0]
    home, keys = _short(first.home), _short(folder)
    receiver = "0x" + accounts.address_of(accounts.resident(2)).hex()
    return f"""\
# how the network is doing
{alatau} devnet status
{alatau} --home {home} status --watch

# a payment in settlement tokens (two decimals), and the balance afterwards
{alatau} --home {home} tx invoke SettlementToken transfer {receiver} 12345 \\
    --from {keys}/resident_1.json --password-file {keys}/password
{alatau} --home {home} call SettlementToken balanceOf {receiver}

# a contract of your own
{alatau} --home {home} deploy docs/examples/Counter.vy 5 --from {keys}/developer.json --password-file {keys}/password

# from Python
from alatau.client import client_tls, connect_sync
with connect_sync("{first.rpc}", client_tls(ca="{_short(network.ca_file)}")) as client:
    print(client.status().height)

# from curl or a browser: the same services over Connect and gRPC-Web
curl --json '{{}}' http://{first.http}/alatau.api.v1.NodeService/GetStatus

# from another language: gRPC with TLS, root certificates {_short(network.ca_file)}, reflection is on
curl -s http://{first.metrics}/metrics | grep ^consensus_"""


def _short(path: Path) -> str:
    return os.path.relpath(path)
