"""What lies where in the database. Changing a line here means a new ``SCHEMA_VERSION``.

Every key begins with the byte of its table. Heights are 8 bytes big-endian, so that keys sort by height.

=====  ================================  ==========================================================
table  key                               value
=====  ================================  ==========================================================
``M``  name                              schema version, tip, genesis hash, oldest, indexed
``h``  height                            header, RLP
``b``  height                            block, RLP
``c``  height                            commit, RLP
``r``  height                            receipts, RLP list of their encodings
``x``  block hash                        height
``t``  transaction hash                  height, index (4 bytes)
``k``  code hash                         code
``a``  address                           account, RLP
``s``  address, slot                     word without leading zeros
``n``  path key (trie)                   trie node, RLP
``i``  height                            history: checksums and offsets of the entries
``j``  height                            history: what the block replaced in ``a``, ``s`` and ``n``
``l``  address, height                   positions of the logs of that address in the block
``o``  topic, height                     positions of the logs with that topic in the block
``v``  hash of a validator set           the set, RLP
``w``  address, height, index            1: a transaction that the account sent, or was paid by
``q``  sender, nonce                     height, index (4 bytes) of that transaction
=====  ================================  ==========================================================
"""

from typing import Final

SCHEMA_VERSION: Final = 1

META: Final = b"M"
HEADER: Final = b"h"
BLOCK: Final = b"b"
COMMIT: Final = b"c"
RECEIPTS: Final = b"r"
HEIGHT_OF: Final = b"x"
TRANSACTION: Final = b"t"
CODE: Final = b"k"
ACCOUNT: Final = b"a"
SLOT: Final = b"s"
NODE: Final = b"n"
HISTORY_INDEX: Final = b"i"
HISTORY: Final = b"j"
LOG_ADDRESS: Final = b"l"
LOG_TOPIC: Final = b"o"
VALIDATORS: Final = b"v"
"""Added to version 1, which did without: a node that has no row of a set says that it is pruned."""
ACCOUNT_TRANSACTIONS: Final = b"w"
SENT: Final = b"q"
"""Added to version 1: these two are written where the operator wants the index of accounts."""

TABLES: Final = (
    META,
    HEADER,
    BLOCK,
    COMMIT,
    RECEIPTS,
    HEIGHT_OF,
    TRANSACTION,
    CODE,
    ACCOUNT,
    SLOT,
    NODE,
    HISTORY_INDEX,
    HISTORY,
    LOG_ADDRESS,
    LOG_TOPIC,
    VALIDATORS,
    ACCOUNT_TRANSACTIONS,
    SENT,
)

META_SCHEMA: Final = META + b"schema"
META_TIP: Final = META + b"tip"
META_GENESIS: Final = META + b"genesis"
META_OLDEST: Final = META + b"oldest"
"""The lowest height that the history reaches back to."""
META_INDEXED: Final = META + b"indexed"
"""The first height since which every block is in the index of accounts; absent where the last one is not."""

HEIGHT_SIZE: Final = 8


def height_key(height: int) -> bytes:
    """A height as keys hold it."""
    return height.to_bytes(HEIGHT_SIZE, "big")


def slot_key(address: bytes, slot: int) -> bytes:
    """Key of a slot in the flat table."""
    return SLOT + address + slot.to_bytes(32, "big")


def word_bytes(word: int) -> bytes:
    """A word as the flat table holds it; never empty, since 0 is not stored."""
    return word.to_bytes((word.bit_length() + 7) >> 3, "big")
