"""A wallet's disk: what it has signed is on it before it leaves. One LevelDB a wallet, of one channel after another.

=====  =====================  ==========================================================================
table  key                    value
=====  =====================  ==========================================================================
``c``                         the channel, RLP
``h``                         height up to which the channel knows the chain, and what was taken out, RLP
``o``  hash of the invoice    a payment of one's own, RLP
``i``  hash of the secret     an invoice of one's own, RLP
``r``                         the refund that waits for the hub's answer, RLP
``s``                         empty: the folder was put back from a backup and has not agreed with its hub
``p``  channel id             a channel that is over, RLP
``w``  tower, channel, payer  nonce up to which a tower has signed that it protects the direction, 8 bytes
=====  =====================  ==========================================================================
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alatau.channels.forwarding.effects import DoStoreChannel
from alatau.channels.forwarding.inputs import InputRefund
from alatau.channels.messages import Domain
from alatau.channels.party.effects import Put, PutChain, PutChannel, PutIncoming, PutOutgoing, PutRefund
from alatau.channels.party.records import Incoming, Outgoing
from alatau.channels.state import ChannelState, Phase
from alatau.storage import channel_records as records
from alatau.storage.database import Database, DatabaseOptions, open_database
from alatau.storage.disk import Disk

_CHANNEL: Final = b"c"
_CHAIN: Final = b"h"
_OUTGOING: Final = b"o"
_INCOMING: Final = b"i"
_REFUND: Final = b"r"
_STALE: Final = b"s"
_PAST: Final = b"p"
_WORD: Final = b"w"
_END: Final = b"\xff"
"""After every table."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was on the disk."""

    state: ChannelState | None
    height: int
    """Of the chain: all its news up to here is in the state."""
    withdrawn: tuple[int, int]
    """By a and by b, as the chain said up to then."""
    outgoing: tuple[Outgoing, ...]
    incoming: tuple[Incoming, ...]
    refunding: InputRefund | None
    stale: bool
    """The folder was put back from a backup."""


class WalletStore:
    """An open wallet. Not safe to write from two threads."""

    def __init__(self, database: Database, domain: Domain) -> None:
        self._database = database
        self._domain = domain

    def load(self) -> Kept:
        """All of it: a resident's payments of some years are a few megabytes."""
        channel = self._database.get(_CHANNEL)
        chain = self._database.get(_CHAIN)
        refund = self._database.get(_REFUND)
        height, withdrawn = (0, (0, 0)) if chain is None else records.read_chain(chain)
        return Kept(
            None if channel is None else records.read_channel(self._domain, channel).state,
            height,
            withdrawn,
            tuple(records.read_outgoing(data) for _, data in self._database.items_with(_OUTGOING)),
            tuple(records.read_incoming(data) for _, data in self._database.items_with(_INCOMING)),
            None if refund is None else records.read_pending_refund(refund),
            self._database.get(_STALE) is not None,
        )

    def begin(self, state: ChannelState, height: int, withdrawn: tuple[int, int], *, stale: bool) -> None:
        """A channel that the chain has told up to ``height``; one that is over is put aside."""
        batch = self._database.batch()
        before = self._database.get(_CHANNEL)
        if before is not None:
            old = records.read_channel(self._domain, before).state
            assert old.phase is Phase.SETTLED, "a wallet has one channel at a time"
            batch.put(_PAST + old.id, before)
        batch.put(_CHANNEL, _channel(state))
        batch.put(_CHAIN, records.write_chain(height, withdrawn))
        batch.delete(_REFUND)
        if stale:
            batch.put(_STALE, b"")
        self._database.write(batch)

    def keep(self, puts: Iterable[Put]) -> None:
        """All or none, durable when this returns."""
        batch = self._database.batch()
        for put in puts:
            match put:
                case PutChannel(state):
                    batch.put(_CHANNEL, _channel(state))
                case PutChain(height, withdrawn):
                    batch.put(_CHAIN, records.write_chain(height, withdrawn))
                case PutOutgoing(outgoing):
                    batch.put(_OUTGOING + outgoing.invoice_hash, records.write_outgoing(outgoing))
                case PutIncoming(incoming):
                    batch.put(_INCOMING + incoming.signed.invoice.secret_hash, records.write_incoming(incoming))
                case PutRefund(None):
                    batch.delete(_REFUND)
                case PutRefund(request):
                    assert request is not None, "matched above"
                    batch.put(_REFUND, records.write_pending_refund(request))
        self._database.write(batch)

    def agreed(self) -> None:
        """The two sides have compared their vouchers: what came from a backup is no longer behind."""
        if self._database.get(_STALE) is not None:
            batch = self._database.batch()
            batch.delete(_STALE)
            self._database.write(batch)

    def load_words(self, tower: bytes) -> dict[bytes, int]:
        """Channel id and payer -> nonce up to which a tower (20 bytes) has signed that it protects the direction."""
        prefix = _WORD + tower
        return {key[len(prefix) :]: int.from_bytes(value, "big") for key, value in self._database.items_with(prefix)}

    def keep_words(self, tower: bytes, news: Mapping[bytes, int]) -> None:
        """A tower has signed; nonce 0 forgets the direction."""
        batch = self._database.batch()
        for direction, nonce in news.items():
            if nonce:
                batch.put(_WORD + tower + direction, nonce.to_bytes(8, "big"))
            else:
                batch.delete(_WORD + tower + direction)
        self._database.write(batch)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Everything, for a backup: as it is now, whatever is written meanwhile."""
        return self._database.items(b"", _END)

    def put_back(self, items: Mapping[bytes, bytes]) -> None:
        """What a backup holds, into an empty folder. It is behind until the hub has been asked."""
        assert not any(self.items()), "the folder is empty"
        batch = self._database.batch()
        for key, value in items.items():
            batch.put(key, value)
        batch.put(_STALE, b"")
        self._database.write(batch)

    def close(self) -> None:
        """Let go of the folder."""
        self._database.close()


def _channel(state: ChannelState) -> bytes:
    return records.write_channel(DoStoreChannel(state, (0, 0), agreed=True))


def open_wallet_store(path: Path, domain: Domain) -> WalletStore:
    """Open or make a wallet's database. Raises ``StorageError``; its message says what to do."""
    expected = path.exists() and any(path.iterdir())
    return WalletStore(open_database(path, DatabaseOptions(), Disk(), expected=expected), domain)
