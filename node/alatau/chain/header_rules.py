"""The rules of a header that need no execution: what follows from the parent and the chain configuration."""

from alatau.chain.errors import InvalidBlockError
from alatau.codec.plain_text import plain_text
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig
from alatau.types.header import (
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    ZERO_HASH,
    Header,
    mix_hash_of,
)
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, commit_hash


def last_commit_hash(last_commit: Commit | None) -> bytes:
    """What ``parent_beacon_block_root`` must be for a block that carries ``last_commit``."""
    return ZERO_HASH if last_commit is None else commit_hash(last_commit)


def check_header(
    block: Block, parent: Header, parent_hash: bytes, config: ChainConfig, validators: ValidatorSet
) -> None:
    """Check every header field that does not come out of execution.

    ``validators`` is the set that decides the block's height. The roots, the bloom and the gas used are
    compared after execution; the signatures of ``last_commit`` by ``finality.verify_commit``.

    Raises:
        InvalidBlockError: a field is not what the rules make it; its ``rule`` names the field.
    """
    header = block.header
    expected: tuple[tuple[str, object, object], ...] = (
        ("number", header.number, parent.number + 1),
        ("parent_hash", header.parent_hash, parent_hash),
        ("ommers_hash", header.ommers_hash, EMPTY_OMMERS_HASH),
        ("difficulty", header.difficulty, 0),
        ("nonce", header.nonce, NONCE),
        ("mix_hash", header.mix_hash, mix_hash_of(parent_hash, header.number)),
        ("gas_limit", header.gas_limit, config.block_gas_limit),
        ("base_fee_per_gas", header.base_fee_per_gas, config.base_fee_per_gas),
        ("extra_data", header.extra_data, validators.hash),
        ("withdrawals_root", header.withdrawals_root, EMPTY_ROOT),
        ("blob_gas_used", header.blob_gas_used, 0),
        ("excess_blob_gas", header.excess_blob_gas, 0),
        ("requests_hash", header.requests_hash, EMPTY_REQUESTS_HASH),
        ("parent_beacon_block_root", header.parent_beacon_block_root, last_commit_hash(block.last_commit)),
    )
    for field, found, wanted in expected:
        if found != wanted:
            raise InvalidBlockError(field, f"is {plain_text(found)}, expected {plain_text(wanted)}")
    if header.timestamp < parent.timestamp:
        raise InvalidBlockError("timestamp", f"{header.timestamp} is below the parent's {parent.timestamp}")
    if header.beneficiary not in validators.by_address:
        raise InvalidBlockError("beneficiary", f"0x{header.beneficiary.hex()} is no validator of this height")
    if (block.last_commit is None) != (parent.number == 0):
        raise InvalidBlockError("last_commit", "every block but the first carries the commit of its parent")
