"""The simulated chain: real blocks, commits and transactions, with an execution that is a hash.

Signatures are hashes that name their author; nobody in the simulation forges them but by calling :func:`forge`,
which gives what a forger could produce: bytes that do not check.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from alatau.consensus.authenticity import Authority, digest_of
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import SignatureError
from alatau.trie.ordered import ordered_root
from alatau.types.block import Block
from alatau.types.header import (
    BLOOM_SIZE,
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    ZERO_HASH,
    Header,
    mix_hash_of,
)
from alatau.types.transaction import Transaction, UnsignedTransaction, sign_transaction
from alatau.types.validator import Validator, ValidatorSet, validator_set
from alatau.types.vote import Commit, Vote, VoteKind, commit_hash, consensus_domain

CHAIN_ID = 7773
DOMAIN = consensus_domain(CHAIN_ID, keccak256(b"genesis of the simulation"))
GENESIS_SECONDS = 1_700_000_000


def address_of(number: int) -> bytes:
    """Address of validator or client ``number``."""
    return number.to_bytes(20, "big")


def validator(number: int, power: int = 1) -> Validator:
    """A validator of the simulation."""
    return Validator(address_of(number), power, number.to_bytes(32, "big"), f"v{number}:1", f"ministry {number}")


def equal_validators(count: int) -> ValidatorSet:
    """``count`` validators with one vote each."""
    return validator_set(validator(n) for n in range(1, count + 1))


@lru_cache(maxsize=16_384)
def sign_as(address: bytes, digest: bytes) -> bytes:
    """The one signature of ``digest`` by ``address``: 65 bytes."""
    return (address + keccak256(address + digest)).ljust(65, b"\0")


def recover(digest: bytes, signature: bytes) -> bytes:
    """Who signed, as ``crypto.secp256k1.recover_address`` would say."""
    address = signature[:20]
    if signature != sign_as(address, digest):
        raise SignatureError("no point on the curve")
    return address


def forge(address: bytes) -> bytes:
    """What somebody else could write under ``address``'s name."""
    return address.ljust(65, b"\1")


def authority_of(address: bytes | None) -> Authority:
    """Who signs for ``address``."""
    return Authority(address, lambda digest: sign_as(address or b"", digest), recover, DOMAIN)


def signed_vote(address: bytes, kind: VoteKind, height: int, round_: int, block_hash: bytes | None) -> Vote:
    """A vote with its signature."""
    unsigned = Vote(kind, height, round_, block_hash, address, b"")
    signature = sign_as(address, digest_of(authority_of(address), unsigned))
    return Vote(kind, height, round_, block_hash, address, signature)


@lru_cache(maxsize=4_096)
def payment(client: int, nonce: int) -> Transaction:
    """The ``nonce``-th transaction of a client; its value names the client."""
    unsigned = UnsignedTransaction(chain_id=CHAIN_ID, nonce=nonce, gas_limit=21_000, to=address_of(1), value=client)
    return sign_transaction(unsigned, lambda _: b"\1".rjust(32, b"\0") * 2 + b"\0")


def sender_of(tx: Transaction) -> bytes:
    """The client that sent a payment."""
    return address_of(1_000_000 + tx.value)


class InvalidBlockError(ValueError):
    """A block breaks a rule of the simulated chain."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@lru_cache(maxsize=1_024)
def build_header(
    parent: Header, parent_hash: bytes, builder: bytes, validators: ValidatorSet, timestamp: int,
    transactions: tuple[Transaction, ...], last_commit: Commit | None,
) -> Header:  # fmt: skip
    """The only header that is right for these contents."""
    body = b"".join(tx.hash for tx in transactions)
    return Header(
        parent_hash=parent_hash,
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=builder,
        state_root=keccak256(parent.state_root + body),
        transactions_root=ordered_root([tx.encoded for tx in transactions]),
        receipts_root=EMPTY_ROOT,
        logs_bloom=bytes(BLOOM_SIZE),
        difficulty=0,
        number=parent.number + 1,
        gas_limit=30_000_000,
        gas_used=21_000 * len(transactions),
        timestamp=timestamp,
        extra_data=validators.hash,
        mix_hash=mix_hash_of(parent_hash, parent.number + 1),
        nonce=NONCE,
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH if last_commit is None else commit_hash(last_commit),
        requests_hash=EMPTY_REQUESTS_HASH,
    )


def _genesis() -> Block:
    empty = equal_validators(1)
    seed = Header(
        ZERO_HASH, ZERO_HASH, ZERO_HASH, ZERO_HASH, ZERO_HASH, ZERO_HASH, ZERO_HASH,
        0, -1, 0, 0, 0, ZERO_HASH, ZERO_HASH, NONCE, 0, ZERO_HASH, 0, 0, ZERO_HASH, ZERO_HASH,
    )  # fmt: skip
    return Block(build_header(seed, ZERO_HASH, address_of(0), empty, GENESIS_SECONDS, (), None), (), None)


GENESIS = _genesis()


@dataclass(frozen=True, slots=True)
class Rules:
    """Who decides which height: sets by the first height at which they hold, ascending."""

    sets: tuple[tuple[int, ValidatorSet], ...]

    def validators(self, height: int) -> ValidatorSet:
        """The set that decides ``height``."""
        return next(chosen for start, chosen in reversed(self.sets) if start <= height)


@dataclass(slots=True)
class Ledger:
    """A node's committed chain: what its disk keeps."""

    rules: Rules
    blocks: list[Block] = field(default_factory=lambda: [GENESIS])
    commits: list[Commit | None] = field(default_factory=lambda: [None])
    nonces: dict[bytes, int] = field(default_factory=dict)

    @property
    def tip(self) -> Block:
        """The last committed block."""
        return self.blocks[-1]

    @property
    def height(self) -> int:
        """Of the tip."""
        return len(self.blocks) - 1

    def next_nonce(self, client: int) -> int:
        """The nonce of a client's next payment."""
        return self.nonces.get(address_of(1_000_000 + client), 0)

    def check(self, block: Block) -> None:
        """Raise ``InvalidBlockError`` unless ``block`` may follow the tip."""
        parent, header = self.tip, block.header
        validators = self.rules.validators(self.height + 1)
        if header.timestamp < parent.header.timestamp:
            raise InvalidBlockError("timestamp")
        if header.beneficiary not in validators.by_address:
            raise InvalidBlockError("beneficiary")
        expected = build_header(
            parent.header, parent.hash, header.beneficiary, validators, header.timestamp, block.transactions,
            block.last_commit,
        )  # fmt: skip
        if header != expected:
            raise InvalidBlockError("header")
        nonces: dict[bytes, int] = {}
        for tx in block.transactions:
            sender = sender_of(tx)
            if tx.nonce != nonces.get(sender, self.nonces.get(sender, 0)):
                raise InvalidBlockError("nonce")
            nonces[sender] = tx.nonce + 1
        if (block.last_commit is None) != (self.height == 0):
            raise InvalidBlockError("last_commit")
        if block.last_commit is not None:
            check_commit(block.last_commit, parent, self.rules.validators(self.height))

    def append(self, block: Block, commit: Commit) -> None:
        """Commit a block that was checked."""
        assert block.header.number == self.height + 1
        self.blocks.append(block)
        self.commits.append(commit)
        for tx in block.transactions:
            self.nonces[sender_of(tx)] = tx.nonce + 1


def check_commit(commit: Commit, block: Block, validators: ValidatorSet) -> None:
    """Raise ``InvalidBlockError`` unless ``commit`` proves that ``block`` was decided."""
    addresses = [entry.validator for entry in commit.signatures]
    if addresses != sorted(set(addresses)):
        raise InvalidBlockError("commit order")
    if (commit.height, commit.block_hash) != (block.header.number, block.hash):
        raise InvalidBlockError("commit subject")
    for entry in commit.signatures:
        vote = signed_vote(entry.validator, VoteKind.PRECOMMIT, commit.height, commit.round, commit.block_hash)
        if vote.signature != entry.signature:
            raise InvalidBlockError("commit signature")
    if not validators.has_quorum(sum(validators.power_of(address) for address in addresses)):
        raise InvalidBlockError("commit power")
