"""A block: header, transactions, and the commit of its parent."""

from dataclasses import dataclass, field

from alatau.codec import rlp
from alatau.types.header import Header, encode_header, header_from_item, header_hash
from alatau.types.transaction import Transaction, decode_transaction
from alatau.types.vote import Commit, commit_from_item, commit_item


@dataclass(frozen=True, slots=True)
class Block:
    """A block. Its identity is the header's hash and does not depend on the round that decided it."""

    header: Header
    transactions: tuple[Transaction, ...]
    last_commit: Commit | None
    """The commit of the parent; None in genesis and in the first block."""
    hash: bytes = field(init=False)
    """keccak256 of the header's RLP."""

    def __post_init__(self) -> None:
        """Hash once."""
        object.__setattr__(self, "hash", header_hash(self.header))


def encode_block(block: Block) -> bytes:
    """RLP of (header, transactions as envelope strings, commit or empty list), for the wire and the store."""
    commit: rlp.Item = [] if block.last_commit is None else commit_item(block.last_commit)
    payload = encode_header(block.header) + rlp.encode([tx.encoded for tx in block.transactions]) + rlp.encode(commit)
    return rlp.wrap_list(payload)


def decode_block(data: bytes) -> Block:
    """Read a block; raises ``RlpError`` or ``TransactionError``. Checks form only, not validity."""
    header, transactions, commit = rlp.to_list(rlp.decode(data), 3)
    return Block(
        header=header_from_item(header),
        transactions=tuple(decode_transaction(rlp.to_bytes(tx)) for tx in rlp.to_list(transactions)),
        last_commit=None if commit == [] else commit_from_item(commit),
    )
