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
=====  ==========================================  ======================================================
"""

from typing import Final

SCHEMA_VERSION: Final = 1

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

VERSION_KEY: Final = META + b"version"
IDENTITY_KEY: Final = META + b"identity"
HEIGHT_KEY: Final = META + b"height"


def u32(number: int) -> bytes:
    """4 bytes."""
    return number.to_bytes(4, "big")


def u64(number: int) -> bytes:
    """8 bytes."""
    return number.to_bytes(8, "big")
