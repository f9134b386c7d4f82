"""Payments in the background of a test, with a record of what was acknowledged as final."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from alatau.artifacts import addresses
from alatau.client import RpcError
from alatau_devnet import accounts
from alatau_devnet.network import Devnet, DevnetNode
from alatau_devnet.token_payment import transfer_call
from alatau_devnet.watch import client_of
from tests.support.transactions import signed


@dataclass(slots=True)
class Acknowledged:
    """What a node told a client to be final."""

    receipts: dict[bytes, int] = field(default_factory=dict)
    """Transaction hash -> height."""
    refusals: list[str] = field(default_factory=list)


def payment(network: Devnet, sender: str, nonce: int) -> bytes:
    """A signed transfer of one unit to the merchant."""
    call = transfer_call(accounts.address_of(accounts.MERCHANT), 1)
    terms = {"chain_id": network.chain_id, "nonce": nonce, "gas_limit": 100_000, "value": 0, "data": call}
    return signed(accounts.key_of(sender), to=addresses.SETTLEMENT_TOKEN, **terms).encoded


@contextmanager
def paying(network: Devnet, node: DevnetNode, sender: str) -> Iterator[Acknowledged]:
    """One payment after the other to ``node``, each waited for; goes on through outages of that node."""
    stop = threading.Event()
    done = Acknowledged()

    def pay() -> None:
        while not stop.is_set():
            try:
                with client_of(node) as client:
                    nonce = client.account(accounts.address_of(sender)).next_nonce
                    while not stop.is_set():
                        receipt = client.submit_and_wait(payment(network, sender, nonce), timeout_s=5)
                        assert receipt.succeeded
                        done.receipts[receipt.transaction_hash] = receipt.position.height
                        nonce += 1
            except RpcError as error:
                done.refusals.append(error.reason)
                time.sleep(0.2)

    thread = threading.Thread(target=pay, name=f"pays through {node.name}")
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
