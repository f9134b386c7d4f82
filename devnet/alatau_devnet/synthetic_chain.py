"""Blocks with plausible state changes, made without the EVM: what storage tests and benchmarks commit.

Block h is a function of the seed and of the blocks before it, so a test that kills a writing process can say
afterwards what must be on the disk, to the last hash.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from alatau.chain.executed import ExecutedBlock
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.state.diff import BlockDiff
from alatau.trie.ordered import ordered_root
from alatau.trie.state_trie import NodeCache, NoNodes, StateTrie
from alatau.types.account import Account
from alatau.types.block import Block
from alatau.types.header import (
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    ZERO_HASH,
    Header,
    mix_hash_of,
)
from alatau.types.receipt import Log, Receipt, encode_receipt, logs_bloom
from alatau.types.transaction import Transaction, TransactionType, UnsignedTransaction, sign_transaction
from alatau.types.vote import Commit, CommitSignature, commit_hash

TOKEN = bytes.fromhex("a1a7a0" + "00" * 16 + "01")
"""A contract with a slot for each holder."""
TRANSFER_TOPIC = keccak256(b"Transfer(address,address,uint256)")
_CHAIN_ID = 7773


@dataclass(frozen=True, slots=True)
class Shape:
    """How much a block changes."""

    payments: int = 4
    """Each changes an account and two slots of the token, and leaves a log."""
    people: int = 64
    """Accounts among which payments go."""
    removals: bool = True
    """Whether an account with storage is made and removed now and then."""


class SyntheticChain:
    """Makes one block after another. Keeps the whole state in memory, apart from the trie where it is given one."""

    def __init__(self, seed: int, shape: Shape = Shape()) -> None:
        self._random = random.Random(seed)  # noqa: S311  repeatable, not secret
        self.shape = shape
        self.people = [self._random.randbytes(20) for _ in range(shape.people)]
        self._key = PrivateKey(keccak256(b"synthetic" + seed.to_bytes(8, "big")))
        self.accounts: dict[bytes, Account] = {}
        self.storage: dict[bytes, dict[int, int]] = {}
        self.parent: Block | None = None
        self.trie = StateTrie.open(EMPTY_ROOT, NoNodes(), NodeCache(1 << 30))

    def genesis(self) -> ExecutedBlock:
        """Block 0: everyone has money, the token has code."""
        code = b"\x60\x00"
        diff = BlockDiff({}, {}, {keccak256(code): code})
        for person in self.people:
            diff.accounts[person] = Account(0, 10**18)
        diff.accounts[TOKEN] = Account(1, 0, EMPTY_ROOT, keccak256(code))
        diff.storage[TOKEN] = {int.from_bytes(person, "big"): 10**6 for person in self.people}
        return self._execute(diff, (), (), None)

    def next(self) -> tuple[ExecutedBlock, Commit]:
        """The next block and a commit of it. Signatures in the commit are noise of the right size."""
        assert self.parent is not None, "genesis comes first"
        parent = self.parent
        last = _commit_of(parent) if parent.header.number else None
        diff, transactions, receipts = BlockDiff({}, {}, {}), [], []
        for index in range(self.shape.payments):
            payer, payee = self._random.sample(self.people, 2)
            self._pay(diff, payer, payee)
            transactions.append(self._transaction(parent.header.number * 1_000 + index))
            receipts.append(_receipt(payer, payee, index))
        if self.shape.removals:
            self._come_and_go(diff, parent.header.number + 1)
        executed = self._execute(diff, tuple(transactions), tuple(receipts), last)
        return executed, _commit_of(executed.block)

    def _pay(self, diff: BlockDiff, payer: bytes, payee: bytes) -> None:
        account = diff.accounts.get(payer) or self.accounts[payer]
        diff.accounts[payer] = Account(account.nonce + 1, account.balance - 21_000)
        diff.accounts.setdefault(TOKEN, self.accounts[TOKEN])
        words = diff.storage.setdefault(TOKEN, {})
        amount = self._random.randrange(1, 100)
        for person, change in ((payer, -amount), (payee, amount)):
            slot = int.from_bytes(person, "big")
            words[slot] = max(0, words.get(slot, self.storage[TOKEN].get(slot, 0)) + change)

    def _come_and_go(self, diff: BlockDiff, height: int) -> None:
        """A guest with storage arrives at every third height and is removed at the next but one."""
        guest = keccak256(b"guest" + (height // 3).to_bytes(8, "big"))[:20]
        if height % 3 == 0:
            diff.accounts[guest] = Account(1, height)
            diff.storage[guest] = {slot: height + slot for slot in range(1, 20)}
        elif height % 3 == 2 and guest in self.accounts:
            diff.accounts[guest] = None

    def _transaction(self, nonce: int) -> Transaction:
        unsigned = UnsignedTransaction(
            type=TransactionType.FEE_MARKET,
            chain_id=_CHAIN_ID,
            nonce=nonce,
            gas_limit=60_000,
            to=TOKEN,
            data=self._random.randbytes(68),
        )
        return sign_transaction(unsigned, self._key.sign)

    def _execute(
        self,
        diff: BlockDiff,
        transactions: tuple[Transaction, ...],
        receipts: tuple[Receipt, ...],
        last_commit: Commit | None,
    ) -> ExecutedBlock:
        applied = self.trie.apply(diff.accounts, diff.storage)
        for address, account in applied.accounts.items():
            if account is None:
                del self.accounts[address]
                self.storage.pop(address, None)
            else:
                self.accounts[address] = account
        for address, words in diff.storage.items():
            kept = self.storage.setdefault(address, {})
            kept.update(words)
            for slot in [slot for slot, word in words.items() if not word]:
                del kept[slot]
        self.trie = applied.trie
        header = self._header(applied.root, transactions, receipts, last_commit)
        block = Block(header, transactions, last_commit)
        self.parent = block
        return ExecutedBlock(
            block=block,
            senders=tuple(self._key.address for _ in transactions),
            receipts=receipts,
            diff=BlockDiff(applied.accounts, diff.storage, diff.codes),
            trie=applied,
            encoded_receipts=tuple(map(encode_receipt, receipts)),
        )

    def _header(
        self,
        root: bytes,
        transactions: tuple[Transaction, ...],
        receipts: tuple[Receipt, ...],
        last_commit: Commit | None,
    ) -> Header:
        number = 0 if self.parent is None else self.parent.header.number + 1
        parent_hash = ZERO_HASH if self.parent is None else self.parent.hash
        return Header(
            parent_hash=parent_hash,
            ommers_hash=EMPTY_OMMERS_HASH,
            beneficiary=self.people[0],
            state_root=root,
            transactions_root=ordered_root([tx.encoded for tx in transactions]),
            receipts_root=ordered_root([encode_receipt(receipt) for receipt in receipts]),
            logs_bloom=logs_bloom(log for receipt in receipts for log in receipt.logs),
            difficulty=0,
            number=number,
            gas_limit=100_000_000,
            gas_used=len(transactions) * 50_000,
            timestamp=1_750_000_000 + number,
            extra_data=ZERO_HASH,
            mix_hash=mix_hash_of(parent_hash, number),
            nonce=NONCE,
            base_fee_per_gas=0,
            withdrawals_root=EMPTY_ROOT,
            blob_gas_used=0,
            excess_blob_gas=0,
            parent_beacon_block_root=ZERO_HASH if last_commit is None else commit_hash(last_commit),
            requests_hash=EMPTY_REQUESTS_HASH,
        )


def _receipt(payer: bytes, payee: bytes, index: int) -> Receipt:
    topics = (TRANSFER_TOPIC, payer.rjust(32, b"\0"), payee.rjust(32, b"\0"))
    logs = (Log(TOKEN, topics, index.to_bytes(32, "big")),)
    return Receipt(2, True, (index + 1) * 50_000, logs, logs_bloom(logs))


def _commit_of(block: Block) -> Commit:
    signatures = tuple(CommitSignature(bytes((n,)) * 20, block.hash * 2 + b"\x1b") for n in range(1, 5))
    return Commit(block.header.number, 0, block.hash, signatures)


def first_blocks(seed: int, count: int, shape: Shape = Shape()) -> Iterator[tuple[ExecutedBlock, Commit | None]]:
    """Genesis and the ``count`` blocks after it."""
    chain = SyntheticChain(seed, shape)
    yield chain.genesis(), None
    for _ in range(count):
        yield chain.next()
