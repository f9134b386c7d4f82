"""While a transaction waits: what for, and why, for whoever looks at the terminal."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from alatau.cli.output import say
from alatau.client import RpcError, SyncClient
from alatau.client.exchange import FINAL_TIMEOUT_S

__all__ = ["FINAL_TIMEOUT_S", "explain_waiting"]

QUIET_S: Final = 3.0
"""Seconds without a word: an ordinary transaction is final sooner."""
REPEAT_S: Final = 8.0
"""Seconds between two explanations: some four of them before the transaction is given up."""


@contextmanager
def explain_waiting(client: SyncClient, quiet_s: float | None = None, repeat_s: float = REPEAT_S) -> Iterator[None]:
    """Run the block, and say on standard error what the network waits for if the block takes long."""
    done = threading.Event()
    first_s = QUIET_S if quiet_s is None else quiet_s
    teller = threading.Thread(target=_tell, args=(client, done, first_s, repeat_s), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()  # Not joined: it may be asking a node that does not answer.


def _tell(client: SyncClient, done: threading.Event, pause_s: float, repeat_s: float) -> None:
    while not done.wait(pause_s):
        pause_s = repeat_s
        try:
            text = " ".join(client.consensus_state().explanation)
        except RpcError as error:
            text = f"the node does not answer: {error.message}"
        except ValueError:  # The client was closed: the block is over.
            return
        if not done.is_set():
            say(f"waiting until it is final. {text}")
