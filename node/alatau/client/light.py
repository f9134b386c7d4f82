"""A light client: headers, accounts, slots and receipts that follow from one trusted block hash and nobody's word.

Theory of operation. Trust begins with the hash of one block, of genesis usually, got from a source that is trusted.
A header names its validator set by hash, so a set that a node sends is checked against it. Another header is
believed when its commit carries more than two thirds of *its* set's power (it was decided) and more than one third of
the *trusted* set's power (at least one validator that was honest then took part, so no other block was decided).
Where the set has changed too much for the second rule, the client goes there in smaller steps, the smallest of which
are linked by the parent's hash as well. (The skipping verification of Tendermint's light client, arXiv 2010.07031,
section 3.) The same holds from a trusted header back to an older one, where the last resort needs no signature: the
parent's hash.

What is assumed (docs/light.md): of the trusted set, less than a third of the power is dishonest, or has lost its keys,
for as long as the *trusting period* after its block. An older trusted block is refused: either it is replaced by a
newer hash from a trusted source, or each header since is verified one by one (``sequential``), which assumes the same
of every set that there was, until today.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from alatau.chain.errors import InvalidCommitError
from alatau.chain.finality import verify_commit
from alatau.client import queries
from alatau.client.errors import NodeUntrustworthyError, TrustExpiredError
from alatau.client.exchange import Plan
from alatau.crypto.keccak import keccak256
from alatau.trie.errors import ProofError
from alatau.trie.ordered import item_at, ordered_root
from alatau.trie.proof import AccountProof, verify
from alatau.types.account import Account
from alatau.types.block import Block, decode_block
from alatau.types.header import Header, decode_header, header_hash
from alatau.types.receipt import Receipt, decode_receipt
from alatau.types.transaction import Transaction, decode_transaction, recover_sender
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, commit_hash, consensus_domain
from alatau.wire.block import BlockView

T = TypeVar("T")

TRUSTING_PERIOD_S: Final = 30 * 86_400
"""How long a block is trusted by default: an operator that leaves guards its old key, or has it told, that long."""


@dataclass(frozen=True, slots=True)
class TrustedHeader:
    """A header that is believed, and the set that decided it (for genesis: that decides block 1)."""

    header: Header
    hash: bytes
    validators: ValidatorSet
    commit: Commit | None = None
    """What proved it; None for the block where trust began."""


@dataclass(frozen=True, slots=True)
class ProvedReceipt:
    """A final transaction and what it came to, proved under a header that is believed."""

    transaction: Transaction
    sender: bytes
    receipt: Receipt
    index: int
    """Of the transaction in its block."""
    header: Header
    block_hash: bytes


class LightClient:
    """What is believed so far. Its methods are plans, for either client to run.

    For example::

        light = await client.run(LightClient.anchored(chain_id, genesis_hash))
        account = await client.run(light.account(address))

    Every plan raises ``NodeUntrustworthyError`` where what the node sends does not follow from what is trusted, and
    ``TrustExpiredError`` where what is trusted is too old.
    """

    def __init__(
        self,
        chain_id: int,
        genesis_hash: bytes,
        trusted: TrustedHeader,
        *,
        trusting_period_s: float = TRUSTING_PERIOD_S,
        sequential: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``sequential`` verifies every header on the way, without a trusting period; ``clock`` gives Unix seconds."""
        self.trusted = trusted
        """The newest header that is believed."""
        self.chain_id = chain_id
        self.genesis_hash = genesis_hash
        self.trusting_period_s = trusting_period_s
        self.sequential = sequential
        self.clock = clock
        self.on_step: Callable[[TrustedHeader, int], None] = lambda _at, _goal: None
        """Told of every header that is believed on the way, and of the height that is the goal."""
        self._domain = consensus_domain(chain_id, genesis_hash)

    @classmethod
    def anchored(
        cls, chain_id: int, genesis_hash: bytes, height: int = 0, block_hash: bytes | None = None
    ) -> Plan["LightClient"]:
        """Begin from a block whose hash is known from a trusted source; from genesis where none is given."""
        expected = genesis_hash if block_hash is None else block_hash
        header = yield from _fetch_header(height)
        found_hash = header_hash(header)
        if found_hash != expected:
            raise NodeUntrustworthyError(
                f"block {height} has the hash 0x{found_hash.hex()} on this node, 0x{expected.hex()} is trusted"
            )
        validators = yield from _fetch_validators(header)
        return cls(chain_id, genesis_hash, TrustedHeader(header, found_hash, validators))

    @classmethod
    def anchored_at(cls, block_hash: bytes) -> Plan["LightClient"]:
        """Begin from any block's hash alone.

        The network's id and genesis come from the node; what it says of them is checked by the block's own commit,
        which the trusted set signed for no other network, or, for block 0, by every commit that follows.
        """
        status = yield from _read(queries.status(), "the status")
        record = yield from _read(queries.block(block_hash, BlockView.HEADER), "the trusted block")
        header = record.header
        if header_hash(header) != block_hash:
            raise NodeUntrustworthyError(f"the node sent another block than 0x{block_hash.hex()}, which is trusted")
        genesis_hash = status.genesis_hash if header.number else block_hash
        validators = yield from _fetch_validators(header)
        light = cls(status.chain_id, genesis_hash, TrustedHeader(header, block_hash, validators))
        if header.number:
            commit = yield from _fetch_commit(header.number)
            light._check_commit(commit, header.number, block_hash, validators)
        return light

    def advance(self, height: int | None = None) -> Plan[Header]:
        """Believe the header at ``height`` (default: the node's tip), which must not be below the trusted one."""
        if height is None:
            height = (yield from _read(queries.status(), "the status")).height
            if height < self.trusted.header.number:
                return self.trusted.header  # The node lags: that is no lie.
        if height < self.trusted.header.number:
            raise ValueError(f"height {height} is below {self.trusted.header.number}, which is trusted already")
        return (yield from self.header_at(height)).header

    def header_at(self, height: int) -> Plan[TrustedHeader]:
        """Believe the header at any height; what is newer than all that is believed is trusted from then on."""
        trusted, goals = self.trusted, [height]
        while goals:
            start, goal = trusted.header.number, goals[-1]
            if goal == start:
                goals.pop()
                continue
            self._check_age(trusted)
            step = start + 1 if self.sequential and goal > start else goal
            found = yield from self._step(trusted, step)
            if found is None:
                if abs(step - start) == 1:
                    raise NodeUntrustworthyError(f"the validators of block {step} are strangers to those before it")
                goals.append((start + goal) // 2)
                continue
            trusted = found
            if step > self.trusted.header.number:
                self.trusted = trusted
            self.on_step(trusted, height)
        return trusted

    def prove(self, address: bytes, slots: Sequence[int] = ()) -> Plan[AccountProof]:
        """An account and slots of it after the newest block that is believed or newer, verified.

        A node that is behind what is believed answers HEIGHT_NOT_REACHED: that is no lie.
        """
        state_proof = yield from _read(queries.proof(address, slots), "the proof")
        header = _decoded_header(state_proof.header)
        if header.number < self.trusted.header.number:
            state_proof = yield from _read(queries.proof(address, slots, self.trusted.header.number), "the proof")
            header = _decoded_header(state_proof.header)
        yield from self._believe(state_proof.header, header, "proof")
        proof = state_proof.proof
        if proof.address != address or [entry.slot for entry in proof.slots] != list(slots):
            raise NodeUntrustworthyError("the proof is not of what was asked")
        try:
            verify(header.state_root, proof)
        except ProofError as error:
            raise NodeUntrustworthyError(f"the proof is wrong: {error}") from error
        return proof

    def account(self, address: bytes) -> Plan[Account | None]:
        """An account, verified; None is verified too."""
        return (yield from self.prove(address)).account

    def storage(self, address: bytes, slots: Sequence[int]) -> Plan[tuple[int, ...]]:
        """Words of a contract's storage, verified."""
        proof = yield from self.prove(address, slots)
        return tuple(entry.value for entry in proof.slots)

    def receipt(self, transaction_hash: bytes) -> Plan[ProvedReceipt]:
        """A final transaction of any height and its receipt, both verified."""
        proof = yield from _read(queries.receipt_proof(transaction_hash), "the proof of the receipt")
        header = _decoded_header(proof.header)
        block_hash = yield from self._believe(proof.header, header, "receipt")
        if keccak256(proof.transaction) != transaction_hash:
            raise NodeUntrustworthyError("the proof is of another transaction than was asked for")
        try:
            transaction = item_at(header.transactions_root, proof.index, proof.transaction_nodes)
            outcome = item_at(header.receipts_root, proof.index, proof.receipt_nodes)
        except ProofError as error:
            raise NodeUntrustworthyError(f"the proof is wrong: {error}") from error
        if transaction != proof.transaction:
            raise NodeUntrustworthyError(f"block {header.number} has another transaction at {proof.index}")
        if outcome != proof.receipt:
            raise NodeUntrustworthyError(f"block {header.number} has another receipt at {proof.index}")
        decoded = decode_transaction(transaction)
        return ProvedReceipt(decoded, recover_sender(decoded), decode_receipt(outcome), proof.index, header, block_hash)

    def block(self, height: int) -> Plan[Block]:
        """A block with its transactions, verified."""
        believed = yield from self.header_at(height)
        record = yield from _read(queries.block(height, BlockView.RAW), f"block {height}")
        if record.raw is None:
            raise NodeUntrustworthyError(f"the node sent block {height} without its encodings")
        try:
            block = decode_block(record.raw.block)
        except ValueError as error:
            raise NodeUntrustworthyError(f"block {height} cannot be read: {error}") from error
        if block.hash != believed.hash:
            raise NodeUntrustworthyError(f"the node sent another block {height} than the one decided")
        if ordered_root([tx.encoded for tx in block.transactions]) != block.header.transactions_root:
            raise NodeUntrustworthyError(f"the transactions of block {height} are not those of its header")
        if block.last_commit is not None and commit_hash(block.last_commit) != block.header.parent_beacon_block_root:
            raise NodeUntrustworthyError(f"the parent's commit in block {height} is not the one of its header")
        return block

    def rival(self) -> Plan[TrustedHeader | None]:
        """The block that the node shows for the trusted height, where a commit proves it: that, or its rival.

        None where strangers decided it: that proves nothing against the validators.
        """
        return (yield from self._step(self.trusted, self.trusted.header.number))

    def _believe(self, encoded: bytes, header: Header, of: str) -> Plan[bytes]:
        """Check that the header with this RLP was decided; gives its hash."""
        block_hash = keccak256(encoded)
        believed = yield from self.header_at(header.number)
        if block_hash != believed.hash:
            raise NodeUntrustworthyError(f"the {of} is for another block {header.number} than the one decided")
        return block_hash

    def _step(self, trusted: TrustedHeader, height: int) -> Plan[TrustedHeader | None]:
        """Believe ``height`` from ``trusted``; None where its validators are too different for one step."""
        header = yield from _fetch_header(height)
        block_hash, known = header_hash(header), trusted.validators
        upwards = height > trusted.header.number
        forward_s = header.timestamp - trusted.header.timestamp
        if (forward_s < 0) if upwards else (forward_s > 0 and height < trusted.header.number):
            raise NodeUntrustworthyError(f"block {height} is not of the time that its height says")
        if height == trusted.header.number + 1 and header.parent_hash != trusted.hash:
            raise NodeUntrustworthyError(f"block {height} does not follow from block {height - 1}, which is trusted")
        # The power of an address is part of the hash; names and endpoints are not, and nobody relies on them.
        same = header.extra_data == known.hash
        validators = known if same else (yield from _fetch_validators(header))
        if height == trusted.header.number - 1 or height == 0:
            if block_hash != (self.genesis_hash if height == 0 else trusted.header.parent_hash):
                raise NodeUntrustworthyError(f"block {height} is not the one from which block {height + 1} follows")
            return TrustedHeader(header, block_hash, validators)
        commit = yield from _fetch_commit(height)
        self._check_commit(commit, height, block_hash, validators)
        if not known.has_honest(sum(known.power_of(entry.validator) for entry in commit.signatures)):
            return None
        return TrustedHeader(header, block_hash, validators, commit)

    def _check_commit(self, commit: Commit, height: int, block_hash: bytes, validators: ValidatorSet) -> None:
        try:
            verify_commit(commit, height, block_hash, validators, self._domain)
        except InvalidCommitError as error:
            raise NodeUntrustworthyError(f"block {height} is not decided: {error}") from error

    def _check_age(self, trusted: TrustedHeader) -> None:
        age_s = self.clock() - trusted.header.timestamp
        if not self.sequential and age_s > self.trusting_period_s:
            raise TrustExpiredError(trusted.header.number, age_s, self.trusting_period_s)


def _fetch_header(height: int) -> Plan[Header]:
    """The header at a height, read but not believed."""
    record = yield from _read(queries.block(height, BlockView.HEADER), f"block {height}")
    if record.header.number != height:
        raise NodeUntrustworthyError(f"the node sent block {record.header.number} where {height} was asked for")
    return record.header


def _fetch_commit(height: int) -> Plan[Commit]:
    """The commit of a height, read but not believed."""
    return (yield from _read(queries.commit(height), f"the commit of block {height}"))


def _fetch_validators(header: Header) -> Plan[ValidatorSet]:
    """The set that ``header`` names by its hash. Genesis names the set of block 1."""
    at = yield from _read(queries.validators(max(1, header.number)), f"the validators of block {header.number}")
    if at.validators.hash != header.extra_data:
        raise NodeUntrustworthyError(f"the node names other validators of block {header.number} than its header")
    return at.validators


def _read(plan: Plan[T], what: str) -> Plan[T]:
    """An answer of the node; one that cannot be read is its fault."""
    try:
        return (yield from plan)
    except ValueError as error:
        raise NodeUntrustworthyError(f"{what} cannot be read: {error}") from error


def _decoded_header(data: bytes) -> Header:
    try:
        return decode_header(data)
    except ValueError as error:
        raise NodeUntrustworthyError(f"a header cannot be read: {error}") from error
