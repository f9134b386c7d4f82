"""What a tower has on its disk: one LevelDB, keys by table.

=====  ==============================  ===========================================================================
table  key                             value
=====  ==============================  ===========================================================================
``M``  name                            schema, network, cursor, canary
``c``  channel id                      what the chain has said of the channel (``records``)
``k``  channel id                      empty: the channel is closing
``v``  channel id, direction           the newest voucher with its receipt; 0 is what a pays, 1 what b pays
``r``  channel id, direction           a party's request to close; 0 is a's
``z``  settled block, channel id       empty: the channel may be forgotten some time after
=====  ==============================  ===========================================================================

The cursor is the height up to which the chain's events are in here: it is written with them, in one batch, so a tower
that was killed goes on exactly behind what it knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from alatau.channels.messages import Domain, Parties, channels_domain
from alatau.channels.protection import Protection, SignedCloseRequest
from alatau.channels.state import Phase
from alatau.channels.watching import WatchedChannel, payers
from alatau.codec import rlp
from alatau.crypto.signature_schemes import NO_PASSKEYS
from alatau.storage.database import MIB, Database, DatabaseOptions, open_database
from alatau.storage.disk import Disk
from alatau.storage.errors import SchemaError
from alatau.tower.group_commit import Changes
from alatau.tower.records import (
    decode_channel,
    decode_close_request,
    decode_protection,
    encode_channel,
    encode_close_request,
    encode_protection,
)

_SCHEMA: Final = 1
_META, _CHANNEL, _CLOSING, _VOUCHER, _REQUEST, _SETTLED = b"M", b"c", b"k", b"v", b"r", b"z"
_META_SCHEMA: Final = _META + b"schema"
_META_NETWORK: Final = _META + b"network"
_META_CURSOR: Final = _META + b"cursor"
_META_CANARY: Final = _META + b"canary"

OPTIONS: Final = DatabaseOptions(write_buffer_bytes=8 * MIB, block_cache_bytes=16 * MIB, verify_bytes_max=64 * MIB)
"""A city's 55,000 channels are about 40 MB: they are read whole when the tower starts."""


class Reading(Protocol):
    """What can be read from: the database, or a change under way."""

    def get(self, key: bytes) -> bytes | None:
        """What lies under a key."""


@dataclass(frozen=True, slots=True)
class Network:
    """Which channels a database is about."""

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    """CityChannels; 20 bytes."""
    settle_blocks: int
    settle_seconds: int
    rp_id_hash: bytes = NO_PASSKEYS
    """Of the domain whose passkeys the network takes; 32 bytes."""

    @property
    def domain(self) -> Domain:
        """Of what parties sign."""
        return replace(channels_domain(self.chain_id, self.contract), rp_id_hash=self.rp_id_hash)


@dataclass(frozen=True, slots=True)
class Canary:
    """The tower's own trial of itself."""

    salt: bytes
    """Of the channel under trial; 32 bytes, empty before the first."""
    contested: int
    """Seconds since 1970 of the last contest that succeeded; 0 for none yet."""


def open_store(folder: Path, disk: Disk | None = None) -> Database:
    """Open a tower's database, or make it.

    Raises:
        StorageError: it is locked, damaged, or of another version.
    """
    database = open_database(folder, OPTIONS, disk or Disk(), expected=False)
    schema = database.get(_META_SCHEMA)
    if schema is None:
        batch = database.batch()
        batch.put(_META_SCHEMA, bytes((_SCHEMA,)))
        database.write(batch)
    elif schema != bytes((_SCHEMA,)):
        database.close()
        raise SchemaError(f"{folder} was written by another version of the tower (schema {schema[0]}, here {_SCHEMA})")
    return database


def stored_network(reading: Reading) -> Network | None:
    """Of the channels in here; None in a new database."""
    data = reading.get(_META_NETWORK)
    if data is None:
        return None
    chain_id, genesis_hash, contract, blocks, seconds, rp_id_hash = rlp.to_list(rlp.decode(data), 6)
    return Network(
        rlp.to_uint(chain_id, 64),
        rlp.to_bytes(genesis_hash, 32),
        rlp.to_bytes(contract, 20),
        rlp.to_uint(blocks, 64),
        rlp.to_uint(seconds, 64),
        rlp.to_bytes(rp_id_hash, 32),
    )


def keep_network(changes: Changes, network: Network) -> None:
    """Bind the database to a network.

    Raises:
        SchemaError: it is bound to another. Choose another home, or another node.
    """
    known = stored_network(changes)
    if known not in (None, network):
        raise SchemaError(
            f"the tower's database holds channels of chain {known.chain_id} (genesis {known.genesis_hash.hex()[:16]}, "
            f"contract 0x{known.contract.hex()}), but the node is of chain {network.chain_id} (genesis "
            f"{network.genesis_hash.hex()[:16]}, contract 0x{network.contract.hex()}); choose another home or node"
        )
    changes.put(
        _META_NETWORK,
        rlp.encode(
            [
                network.chain_id,
                network.genesis_hash,
                network.contract,
                network.settle_blocks,
                network.settle_seconds,
                network.rp_id_hash,
            ]
        ),
    )


def cursor(reading: Reading) -> int | None:
    """The height up to which the chain's events are in here; None before the first."""
    data = reading.get(_META_CURSOR)
    return None if data is None else int.from_bytes(data, "big")


def keep_cursor(changes: Changes, height: int) -> None:
    """The chain's events up to ``height`` are in here."""
    changes.put(_META_CURSOR, height.to_bytes(8, "big"))


def canary(reading: Reading) -> Canary:
    """The trial as it stands."""
    data = reading.get(_META_CANARY)
    return Canary(b"", 0) if data is None else Canary(data[8:], int.from_bytes(data[:8], "big"))


def keep_canary(changes: Changes, state: Canary) -> None:
    """Write how the trial stands."""
    changes.put(_META_CANARY, state.contested.to_bytes(8, "big") + state.salt)


def channel(reading: Reading, channel_id: bytes) -> WatchedChannel | None:
    """What the chain has said of a channel; None for one that it has not opened, or that is forgotten."""
    data = reading.get(_CHANNEL + channel_id)
    return None if data is None else decode_channel(data)


def keep_channel(changes: Changes, channel_id: bytes, state: WatchedChannel) -> None:
    """Write what the chain has said of a channel, and where it is found again by its phase."""
    changes.put(_CHANNEL + channel_id, encode_channel(state))
    if state.phase is Phase.CLOSING:
        changes.put(_CLOSING + channel_id, b"")
    elif state.phase is Phase.SETTLED:
        changes.delete(_CLOSING + channel_id)
        changes.put(_settled_key(state.settled_block, channel_id), b"")


def protection(reading: Reading, channel_id: bytes, parties: Parties, payer: bytes) -> Protection | None:
    """The newest voucher of a direction."""
    data = reading.get(_key(_VOUCHER, channel_id, parties, payer))
    return None if data is None else decode_protection(channel_id, parties, data)


def protections(reading: Reading, channel_id: bytes, parties: Parties) -> list[Protection]:
    """The newest vouchers of a channel, of each direction that has one."""
    found = (protection(reading, channel_id, parties, payer) for payer in payers(parties))
    return [held for held in found if held is not None]


def keep_protection(changes: Changes, held: Protection) -> None:
    """Write a newer voucher over an older one."""
    key = _key(_VOUCHER, held.voucher.channel_id, held.parties, held.voucher.payer)
    changes.put(key, encode_protection(held))


def close_request(reading: Reading, channel_id: bytes, parties: Parties, party: bytes) -> SignedCloseRequest | None:
    """A party's request to close."""
    data = reading.get(_key(_REQUEST, channel_id, parties, party))
    return None if data is None else decode_close_request(channel_id, parties, data)


def close_requests(reading: Reading, channel_id: bytes, parties: Parties) -> list[SignedCloseRequest]:
    """The requests to close of a channel's parties."""
    found = (close_request(reading, channel_id, parties, party) for party in payers(parties))
    return [held for held in found if held is not None]


def keep_close_request(changes: Changes, signed: SignedCloseRequest) -> None:
    """Write a request with a later deadline over one with an earlier."""
    request = signed.request
    changes.put(_key(_REQUEST, request.channel_id, signed.parties, request.party), encode_close_request(signed))


def forget(changes: Changes, settled_block: int, channel_id: bytes) -> None:
    """Drop everything about a settled channel."""
    changes.delete(_settled_key(settled_block, channel_id))
    changes.delete(_CHANNEL + channel_id)
    for table in (_VOUCHER, _REQUEST):
        for direction in (b"\x00", b"\x01"):
            changes.delete(table + channel_id + direction)


def closing(database: Database) -> Iterator[bytes]:
    """Ids of the channels that are closing."""
    for key, _ in database.items_with(_CLOSING):
        yield key[1:]


def settled_until(database: Database, height: int) -> Iterator[tuple[int, bytes]]:
    """Channels that settled in a block up to ``height``: the block and the id, oldest first."""
    for key in database.keys(_SETTLED, _settled_key(height + 1, b"")):
        yield int.from_bytes(key[1:9], "big"), key[9:]


def protected_channels(database: Database) -> Iterator[bytes]:
    """Ids of the channels with a voucher, each once."""
    yield from _ids_of(database, _VOUCHER)


def channels_with_request(database: Database) -> Iterator[bytes]:
    """Ids of the channels with a request to close, each once."""
    yield from _ids_of(database, _REQUEST)


def _ids_of(database: Database, table: bytes) -> Iterator[bytes]:
    last = b""
    for key in database.keys(table, bytes((table[0] + 1,))):
        if key[1:33] != last:
            last = key[1:33]
            yield last


def _key(table: bytes, channel_id: bytes, parties: Parties, party: bytes) -> bytes:
    return table + channel_id + (b"\x00" if party == parties.a else b"\x01")


def _settled_key(settled_block: int, channel_id: bytes) -> bytes:
    return _SETTLED + settled_block.to_bytes(8, "big") + channel_id
