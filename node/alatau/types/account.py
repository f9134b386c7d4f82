"""An account's fields, as the state trie stores them (Yellow Paper, section 4.1)."""

from dataclasses import dataclass
from typing import Final

from alatau.codec import rlp
from alatau.crypto.keccak import EMPTY_HASH
from alatau.types.header import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Account:
    """An account: nonce, balance in wei, root of its storage trie, hash of its code."""

    nonce: int = 0
    balance: int = 0
    storage_root: bytes = EMPTY_ROOT
    code_hash: bytes = EMPTY_HASH


EMPTY_ACCOUNT: Final = Account()


def encode_account(account: Account) -> bytes:
    """RLP, as hashed into the state trie."""
    # Joined by hand: every changed account passes here, and the generic encoder takes four times as long.
    return rlp.wrap_list(
        b"".join(
            (
                rlp.encode(account.nonce),
                rlp.encode(account.balance),
                b"\xa0",
                account.storage_root,
                b"\xa0",
                account.code_hash,
            )
        )
    )


def decode_account(data: bytes) -> Account:
    """Read an account; raises ``RlpError``."""
    f = rlp.to_list(rlp.decode(data), 4)
    return Account(rlp.to_uint(f[0], 64), rlp.to_uint(f[1]), rlp.to_bytes(f[2], 32), rlp.to_bytes(f[3], 32))
