"""What committed blocks say about the next heights: the tip, the validator sets, who has been absent."""

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial

from alatau.chain.executed import ExecutedBlock
from alatau.chain.registry_reader import read_validators
from alatau.chain.tip import Tip
from alatau.consensus.inputs import HeightContext
from alatau.consensus.proposer import absent_validators
from alatau.storage.store import Store
from alatau.types.chain_config import ChainConfig
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit


@dataclass(slots=True)
class ChainView:
    """The tip and what follows from the blocks up to it."""

    config: ChainConfig
    store: Store
    tip: Tip
    validators: dict[int, ValidatorSet]
    """Height -> the set that decides it, for the tip and the two heights after it."""
    last_commits: deque[Commit]
    """The ``last_commit`` of the last blocks, oldest first."""
    tip_commit: Commit | None = field(default=None)
    """A commit of the tip; None at genesis."""

    @property
    def height(self) -> int:
        """The tip's height."""
        return self.tip.header.number

    def context(self, *, transactions_waiting: bool) -> HeightContext:
        """What consensus needs to decide the next height."""
        height = self.height + 1
        validators = self.validators[height]
        return HeightContext(
            height=height,
            validators=validators,
            next_validators=self.validators[height + 1],
            parent_hash=self.tip.hash,
            parent_timestamp=self.tip.header.timestamp,
            last_commit=self.tip_commit,
            absent=absent_validators(validators, tuple(self.last_commits), self.config.consensus.absent_commits),
            transactions_waiting=transactions_waiting,
        )

    def commit(self, executed: ExecutedBlock, commit: Commit) -> Generator[None, None, bool]:
        """Make a decided block durable, in one write, and move the tip to it. Yields while it gathers the write.

        Gives whether who belongs to the network may have changed: the registry was written, or validators that
        it dropped before have decided their last height.
        """
        yield from self.store.commit_in_steps(executed, commit)
        block = executed.block
        height = block.header.number
        self.tip = tip_of(self.store)
        self.tip_commit = commit
        if block.last_commit is not None:
            self.last_commits.append(block.last_commit)
        registry = self.config.system.validator_registry
        # A change decided in block h takes effect at h+2 (docs/chain.md).
        self.validators[height + 2] = (
            read_validators(self.tip, self.config) if registry in executed.diff.storage else self.validators[height + 1]
        )
        left = self.validators.pop(height - 1, None)
        return registry in executed.diff.storage or (left is not None and left != self.validators[height])


def open_chain_view(config: ChainConfig, store: Store, founders: ValidatorSet) -> ChainView:
    """Read what a restart needs from the store.

    ``founders`` are the validators of the genesis file, for a network without a registry contract.
    """
    tip = tip_of(store)
    height = tip.header.number
    registered = config.system.validator_registry is not None

    def set_after(decided: int) -> ValidatorSet:
        at = max(decided, 0)
        return read_validators(tip_of(store, at), config) if registered else founders

    commits: deque[Commit] = deque(maxlen=config.consensus.absent_commits)
    for number in range(max(1, height - config.consensus.absent_commits + 1), height + 1):
        block = store.block(number)
        if block is not None and block.last_commit is not None:
            commits.append(block.last_commit)
    return ChainView(
        config=config,
        store=store,
        tip=tip,
        validators={number: set_after(number - 2) for number in range(height, height + 3)},
        last_commits=commits,
        tip_commit=store.commit_of(height) if height else None,
    )


def tip_of(store: Store, height: int | None = None) -> Tip:
    """The stored block at a height (default: the last) as something to build on."""
    header = store.tip if height is None else store.header(height)
    assert header is not None, "the store has a genesis block"
    hash_ = store.hash_of(header.number)
    assert hash_ is not None
    return Tip(header, hash_, store.state(height), store.trie(height), partial(_known_hash, store))


def _known_hash(store: Store, height: int) -> bytes:
    hash_ = store.hash_of(height)
    assert hash_ is not None, "asked only for ancestors"
    return hash_
