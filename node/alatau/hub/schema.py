"""What lies where in the hub's database. Changing a line means a new ``SCHEMA_VERSION``.

Every key begins with the byte of its table; numbers are big-endian, so that keys sort by them.

=====  ==========================================  ======================================================
table  key                                         value
=====  ==========================================  ======================================================
``M``  name                                        schema version, identity of the hub, height of the chain
``c``  channel id                                  channel, RLP
``p``  payer, hash of the invoice                  payment, RLP
``o``  payer, hash of the invoice                  empty: the payment is under way
``i``  hash of the invoice                         payer
``f``  hash of the invoice, nonce (8)              refund, RLP
``u``  account                                     what it has paid, RLP
``a``  account                                     tier (2), good (1)
``s``  block (8), secret                           empty
``l``  channel id, day (4), time (8), kind (1), x  payer: a line of the statement; x is the invoice's hash, and
                                                   the nonce (8) of a refund
``d``  day (4), time (8), kind (1), x              payer: the same for all channels, without what was paid in
``j``  day (4), number (8)                         a fact that is booked, RLP
``b``  account                                     its balance at the end of the newest closed day, RLP
``t``  day (4)                                     what a closed day comes to, and whether the chain holds it, RLP
=====  ==========================================  ======================================================
"""

from typing import Final

SCHEMA_VERSION: Final = 2

META: Final = b"M"
CHANNEL: Final = b"c"
PAYMENT: Final = b"p"
UNDER_WAY: Final = b"o"
PAYER: Final = b"i"
REFUND: Final = b"f"
USAGE: Final = b"u"
ACCOUNT: Final = b"a"
SECRET: Final = b"s"
LINE: Final = b"l"
DAY: Final = b"d"
JOURNAL: Final = b"j"
BALANCE: Final = b"b"
CLOSED_DAY: Final = b"t"

VERSION_KEY: Final = META + b"version"
IDENTITY_KEY: Final = META + b"identity"
HEIGHT_KEY: Final = META + b"height"
NUMBER_KEY: Final = META + b"number"
"""Of the newest fact."""
CLOSED_KEY: Final = META + b"closed"
"""The newest closed day."""


def u32(number: int) -> bytes:
    """4 bytes."""
    return number.to_bytes(4, "big")


def u64(number: int) -> bytes:
    """8 bytes."""
    return number.to_bytes(8, "big")
