"""What committed blocks say about the next heights: the tip, the validator sets, who has been absent."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from alatau.chain.executed import Tip
from alatau.chain.registries import registries_until_now
from alatau.chain.registry_reader import read_observers, read_validators
from alatau.chain.validator_registry import SET_VERSION_SLOT, Observer, RegistryAnswerError, with_known_endpoints
from alatau.consensus.inputs import HeightContext
from alatau.consensus.proposer import PastBlock, absent_validators, blocks_looked_at, failing_validators
from alatau.state.diff import BlockDiff
from alatau.storage.store import PreparedCommit, Store
from alatau.types.chain_config import ChainConfig
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit

_LOG = structlog.get_logger(__name__)

_PAST_MAX: Final = 1_024
"""Past blocks held, without their transactions: more than a set of 300 validators looks at."""


@dataclass(slots=True)
class ChainView:
    """The tip and what follows from the blocks up to it."""

    config: ChainConfig
    store: Store
    tip: Tip
    validators: dict[int, ValidatorSet]
    """Height -> the set that decides it, for the tip and the two heights after it."""
    past: deque[PastBlock]
    """The last blocks, oldest first: as many as have been needed, at most ``_PAST_MAX``."""
    tip_commit: Commit | None = field(default=None)
    """A commit of the tip; None at genesis."""
    registry_faults: int = field(default=0)
    """How often the registry held what could not be read, and what was known before was kept."""
    observers: tuple[Observer, ...] = field(default=())
    """The observers that ``read_observers`` read last."""

    @property
    def height(self) -> int:
        """The tip's height."""
        return self.tip.header.number

    def context(self, *, transactions_waiting: bool) -> HeightContext:
        """What consensus needs to decide the next height."""
        height = self.height + 1
        validators = self.validators[height]
        window = self.config.consensus.absent_commits
        past = self._past_blocks(blocks_looked_at(validators, window))
        commits = [block.last_commit for block in past if block.last_commit is not None]
        return HeightContext(
            height=height,
            validators=validators,
            next_validators=self.validators[height + 1],
            parent_hash=self.tip.hash,
            parent_timestamp=self.tip.header.timestamp,
            last_commit=self.tip_commit,
            absent=absent_validators(validators, commits[-window:], window),
            failing=failing_validators(validators, past, window),
            transactions_waiting=transactions_waiting,
        )

    def _past_blocks(self, count: int) -> tuple[PastBlock, ...]:
        """The last ``count`` blocks, oldest first; fewer where the chain is shorter.

        What a set that grew needs beyond what is held is read from the store, so that every node looks at the same.
        """
        while len(self.past) < min(count, self.height):
            number = self.past[0].height - 1 if self.past else self.height
            block = self.store.block(number)
            if block is None:
                break
            self.past.appendleft(PastBlock(number, block.header.beneficiary, block.last_commit))
        return tuple(self.past)[-count:]

    def finish(self, prepared: PreparedCommit) -> bool:
        """Move the tip to a block that is durable.

        Gives whether who belongs to the network may have changed: the registry's ``set_version`` grew, or validators
        that it dropped before have decided their last height.
        """
        self.store.finish_commit(prepared)
        executed, commit = prepared.executed, prepared.commit
        block = executed.block
        height = block.header.number
        self.tip = tip_of(self.store)
        self.tip_commit = commit
        self.past.append(PastBlock(height, block.header.beneficiary, block.last_commit))
        changed = self._members_written(executed.diff)
        # A change decided in block h takes effect at h+2 (docs/chain.md).
        self.validators[height + 2] = self.validators[height + 1]
        if changed:
            self.validators[height + 2] = self._registered_set()
            self.store.keep_validators(self.validators[height + 2])
        left = self.validators.pop(height - 1, None)
        return changed or (left is not None and left != self.validators[height])

    def _members_written(self, diff: BlockDiff) -> bool:
        """Whether a block changed validators or observers; proposals and decisions write other slots only.

        A handover raises the version of the registry that was in office before it.
        """
        first = self.config.system.validator_registry
        if first is None:
            return False
        registries = registries_until_now(self.tip.state, first)
        return any(SET_VERSION_SLOT in diff.storage.get(registry, ()) for registry in registries)

    def registered_observers(self) -> tuple[Observer, ...]:
        """The observers registered at the tip; those known before where they cannot be read."""
        try:
            self.observers = read_observers(self.tip, self.config)
        except RegistryAnswerError as error:
            self._note_fault("observers are kept", str(error))
        return self.observers

    def _registered_set(self) -> ValidatorSet:
        """The set registered at the tip, which is committed: whatever a contract holds, it stops no node.

        A set that cannot be read changes nothing. Every node keeps the same, and finds it again after a restart
        (``registered_set``).
        """
        known = self.validators[self.height + 1]
        try:
            found = read_validators(self.tip, self.config)
        except RegistryAnswerError as error:
            self._note_fault("the validator set is kept", str(error))
            return known
        for validator in found.validators:
            if not validator.endpoint:
                self._note_fault("the known endpoint is kept", f"{validator.name} registered one that nobody can dial")
        return with_known_endpoints(found, known)

    def _note_fault(self, consequence: str, reason: str) -> None:
        self.registry_faults += 1
        _LOG.error("registry.unreadable", height=self.height, consequence=consequence, reason=reason)


def open_chain_view(config: ChainConfig, store: Store, founders: ValidatorSet) -> ChainView:
    """Read what a restart needs from the store.

    ``founders`` are the validators of the genesis file, for a network without a registry contract.
    """
    tip = tip_of(store)
    height = tip.header.number
    validators = {number: registered_set(config, store, founders, number - 2) for number in range(height, height + 3)}
    for known in validators.values():
        store.keep_validators(known)
    return ChainView(
        config=config,
        store=store,
        tip=tip,
        validators=validators,
        past=deque(maxlen=_PAST_MAX),
        tip_commit=store.commit_of(height) if height else None,
    )


def registered_set(config: ChainConfig, store: Store, founders: ValidatorSet, decided: int) -> ValidatorSet:
    """The set registered in the state that block ``decided`` left; before genesis it is that of genesis.

    Where that state holds none that can be read, it is the last one before it that can, as it was for the nodes that
    ran then.

    Raises:
        RegistryAnswerError: genesis itself has no registry that answers.
        HistoryPrunedError: the state is no longer stored.
    """
    if config.system.validator_registry is None:
        return founders
    at = max(decided, 0)
    while True:
        try:
            return with_known_endpoints(read_validators(tip_of(store, at), config), founders)
        except RegistryAnswerError as error:
            if at == 0:
                raise
            _LOG.error("registry.unreadable", height=at, consequence="an earlier set is looked for", reason=str(error))
            at -= 1


def tip_of(store: Store, height: int | None = None) -> Tip:
    """The stored block at a height (default: the last) as something to build on."""
    header = store.tip if height is None else store.header(height)
    assert header is not None, "the store has a genesis block"
    return Tip(
        header,
        store.hash_of(header.number),
        store.state(height),
        store.trie(height),
        store.hash_of,
        partial(store.frozen_state, header.number),
    )
