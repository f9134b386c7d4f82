"""A light client: headers, accounts and slots that follow from one trusted block hash and nobody's word.

Theory of operation. Trust begins with the hash of one block, of genesis usually, got from a source that is trusted.
A header names its validator set by hash, so a set that a node sends is checked against it. A later header is
believed when its commit carries more than two thirds of *its* set's power (it was decided) and more than one third of
the *trusted* set's power (at least one validator that was honest then took part, so no other block was decided).
Where the set has changed too much for the second rule, the client goes there in smaller steps; since a change of more
than a third of the power in one height is refused (docs/chain.md), single steps always work on an honest chain.
(The skipping verification of Tendermint's light client, arXiv 2010.07031, section 3.)

The trusted block must not be older than the time within which validators of old could be held to account for signing
another chain: keep the client in step, or anchor it anew from a trusted hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alatau.chain.errors import InvalidCommitError
from alatau.chain.finality import verify_commit
from alatau.client import queries
from alatau.client.errors import NodeUntrustworthyError
from alatau.client.exchange import Plan
from alatau.codec import rlp
from alatau.codec.rlp import RlpError
from alatau.crypto.keccak import keccak256
from alatau.trie.errors import ProofError
from alatau.trie.ordered import ordered_root
from alatau.trie.proof import AccountProof, verify
from alatau.types.account import Account
from alatau.types.block import Block, decode_block
from alatau.types.header import Header, decode_header
from alatau.types.transaction import TransactionError
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, commit_from_item, commit_hash, consensus_domain
from alatau.wire.block import BlockView


@dataclass(frozen=True, slots=True)
class TrustedHeader:
    """A header that is believed, and the set that decided it (for genesis: that decides block 1)."""

    header: Header
    hash: bytes
    validators: ValidatorSet


class LightClient:
    """What is believed so far. Its methods are plans, for either client to run.

    For example::

        light = await client.run(LightClient.anchored(chain_id, genesis_hash))
        account = await client.run(light.account(address))

    Every plan raises ``NodeUntrustworthyError`` where what the node sends does not follow from what is trusted.
    """

    def __init__(self, chain_id: int, genesis_hash: bytes, trusted: TrustedHeader) -> None:
        self.trusted = trusted
        """The newest header that is believed."""
        self._domain = consensus_domain(chain_id, genesis_hash)

    @classmethod
    def anchored(
        cls, chain_id: int, genesis_hash: bytes, height: int = 0, block_hash: bytes | None = None
    ) -> Plan["LightClient"]:
        """Begin from a block whose hash is known from a trusted source; from genesis where none is given."""
        expected = genesis_hash if block_hash is None else block_hash
        header, found_hash, _ = yield from _fetch_header(height)
        if found_hash != expected:
            raise NodeUntrustworthyError(
                f"block {height} has the hash 0x{found_hash.hex()} on this node, 0x{expected.hex()} is trusted"
            )
        validators = yield from _fetch_validators(header)
        return cls(chain_id, genesis_hash, TrustedHeader(header, found_hash, validators))

    def advance(self, height: int | None = None) -> Plan[Header]:
        """Believe the header at ``height`` (default: the node's tip), which must not be below the trusted one."""
        if height is None:
            height = (yield from queries.status()).height
        if height < self.trusted.header.number:
            raise ValueError(f"height {height} is below {self.trusted.header.number}, which is trusted already")
        goals = [height]
        while goals:
            start, goal = self.trusted.header.number, goals[-1]
            if goal > start and not (yield from self._step(goal)):
                if goal == start + 1:
                    raise NodeUntrustworthyError(f"the validators of block {goal} are strangers to those before it")
                goals.append((start + goal) // 2)
                continue
            goals.pop()
        return self.trusted.header

    def prove(self, address: bytes, slots: Sequence[int] = ()) -> Plan[AccountProof]:
        """An account and slots of it after the newest block that is believed or newer, verified.

        A node that is behind what is believed answers HEIGHT_NOT_REACHED: that is no lie.
        """
        state_proof = yield from queries.proof(address, slots)
        header = _decoded_header(state_proof.header)
        if header.number < self.trusted.header.number:
            state_proof = yield from queries.proof(address, slots, self.trusted.header.number)
            header = _decoded_header(state_proof.header)
        yield from self.advance(header.number)
        proof = state_proof.proof
        if keccak256(state_proof.header) != self.trusted.hash:
            raise NodeUntrustworthyError(f"the proof is for another block {header.number} than the one decided")
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

    def block(self, height: int) -> Plan[Block]:
        """A block with its transactions at or above the trusted height, verified (its receipts' root included)."""
        yield from self.advance(height)
        record = yield from queries.block(height, BlockView.RAW)
        assert record.raw is not None
        try:
            block = decode_block(record.raw.block)
        except (RlpError, TransactionError) as error:
            raise NodeUntrustworthyError(f"block {height} cannot be read: {error}") from error
        if block.hash != self.trusted.hash:
            raise NodeUntrustworthyError(f"the node sent another block {height} than the one decided")
        if ordered_root([tx.encoded for tx in block.transactions]) != block.header.transactions_root:
            raise NodeUntrustworthyError(f"the transactions of block {height} are not those of its header")
        if block.last_commit is not None and commit_hash(block.last_commit) != block.header.parent_beacon_block_root:
            raise NodeUntrustworthyError(f"the parent's commit in block {height} is not the one of its header")
        return block

    def _step(self, height: int) -> Plan[bool]:
        """Believe ``height`` from where trust stands; False where its validators are too new for one step."""
        header, block_hash, commit = yield from _fetch_header(height)
        if header.extra_data == self.trusted.validators.hash:
            # The power of an address is part of the hash; names and endpoints are not, and nobody relies on them.
            validators = self.trusted.validators
        else:
            validators = yield from _fetch_validators(header)
        if commit is None:
            raise NodeUntrustworthyError(f"the node sent no commit of block {height}")
        try:
            verify_commit(commit, height, block_hash, validators, self._domain)
        except InvalidCommitError as error:
            raise NodeUntrustworthyError(f"block {height} is not decided: {error}") from error
        known = self.trusted.validators
        if not known.has_honest(sum(known.power_of(entry.validator) for entry in commit.signatures)):
            return False
        self.trusted = TrustedHeader(header, block_hash, validators)
        return True


def _fetch_header(height: int) -> Plan[tuple[Header, bytes, Commit | None]]:
    """The header at a height with its hash and its commit, read but not believed."""
    record = yield from queries.block(height, BlockView.RAW)
    if record.raw is None:
        raise NodeUntrustworthyError(f"the node sent block {height} without its encodings")
    header = _decoded_header(record.raw.header)
    if header.number != height:
        raise NodeUntrustworthyError(f"the node sent block {header.number} where {height} was asked for")
    try:
        commit = commit_from_item(rlp.decode(record.raw.commit)) if record.raw.commit else None
    except RlpError as error:
        raise NodeUntrustworthyError(f"the commit of block {height} cannot be read: {error}") from error
    return header, keccak256(record.raw.header), commit


def _fetch_validators(header: Header) -> Plan[ValidatorSet]:
    """The set that ``header`` names by its hash. Genesis names the set of block 1."""
    at = yield from queries.validators(max(1, header.number))
    if at.validators.hash != header.extra_data:
        raise NodeUntrustworthyError(f"the node names other validators of block {header.number} than its header")
    return at.validators


def _decoded_header(data: bytes) -> Header:
    try:
        return decode_header(data)
    except RlpError as error:
        raise NodeUntrustworthyError(f"a header cannot be read: {error}") from error
