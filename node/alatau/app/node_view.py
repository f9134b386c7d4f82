"""The running node as the client services see it (``rpc.node.Node``)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import trio

from alatau.consensus.core import Consensus
from alatau.consensus.view import RoundView
from alatau.engine.admission import Admission, next_nonce
from alatau.engine.chain_view import ChainView, registered_set
from alatau.engine.engine import Engine
from alatau.engine.subscriptions import Subscriptions
from alatau.mempool.pool import Mempool
from alatau.p2p.network import Network
from alatau.rpc.node import NodeStatus, PeerView, SyncState
from alatau.rpc.stall import why_kept_out
from alatau.storage.errors import HistoryPrunedError
from alatau.storage.scrub import Scrub
from alatau.storage.store import Store
from alatau.types.chain_config import ChainConfig
from alatau.types.genesis import Genesis, genesis_validator_set
from alatau.types.validator import ValidatorSet

_BEHIND_MIN: Final = 2
"""Blocks behind the highest peer from which a node counts as syncing: at the tip a peer is often one ahead."""
_ALONE_S: Final = 10.0
"""Without a peer for longer than this, a node is cut off: twice the longest pause between two attempts to dial."""


@dataclass(slots=True)
class NodeView:
    """Answers the services from the engine, the store and the peers."""

    genesis: Genesis
    chain: ChainView
    engine: Engine
    consensus: Consensus
    mempool: Mempool
    admission: Admission
    subscriptions: Subscriptions
    network: Network
    validator: bytes | None
    scrub: Scrub

    @property
    def config(self) -> ChainConfig:
        """The rules of the network."""
        return self.genesis.config

    @property
    def store(self) -> Store:
        """Committed blocks and state."""
        return self.chain.store

    def next_nonce(self, address: bytes) -> int:
        """The account's nonce, past its transactions that wait in the pool without a gap."""
        return next_nonce(self.mempool, self.chain.tip.state, address)

    def next_block_time(self) -> int:
        """The timestamp that a block proposed now would have, by this node's clock."""
        return max(self.chain.tip.header.timestamp, int(time.time()))

    def status(self) -> NodeStatus:
        """Sync state and pool."""
        highest = self.network.credible_height()
        return NodeStatus(
            sync_state=self._sync_state(highest),
            highest_peer_height=highest,
            pool_transactions=len(self.mempool),
            pool_bytes=self.mempool.size_bytes,
            validator_address=self.validator,
            since_last_block_ms=round((trio.current_time() - self.engine.last_block_at) * 1_000),
            scrub=self.scrub.state,
            kept_out_by=self._kept_out_by(),
        )

    def _kept_out_by(self) -> dict[str, str]:
        peers = self.network.peers()
        return {p.member.name or p.member.peer_id.hex(): p.keeps_us_out for p in peers if p.keeps_us_out}

    def cut_off(self) -> str | None:
        """Why nothing that is submitted here would reach a validator."""
        if self.network.connected():
            return None
        validators = self.chain.validators[self.chain.height + 1].validators
        if all(validator.address == self.validator for validator in validators):
            return None  # it decides alone
        if kept_out_by := self._kept_out_by():
            return why_kept_out(kept_out_by)
        alone_s = self.network.alone_s()
        return f"This node has had no peer for {alone_s:.0f} s." if alone_s > _ALONE_S else None

    def _sync_state(self, highest: int) -> SyncState:
        if self.engine.syncing or highest >= self.chain.height + _BEHIND_MIN:
            return SyncState.SYNCING
        if not self.engine.joined:
            return SyncState.STARTING
        alone = len(self.chain.validators[self.chain.height + 1].validators) == 1
        if alone or self.engine.committed or self.network.connected():
            return SyncState.SYNCED
        return SyncState.STARTING

    def round_view(self) -> RoundView | None:
        """The round as this node sees it."""
        return self.consensus.view() if self.engine.joined else None

    def peers(self) -> Sequence[PeerView]:
        """Connected nodes."""
        return [
            PeerView(
                id=peer.member.peer_id,
                name=peer.member.name,
                address=peer.member.endpoint,
                validator=peer.member.validator is not None,
                outbound=peer.dialed,
                height=peer.height,
                round_trip_us=None if peer.round_trip_ms is None else round(peer.round_trip_ms * 1_000),
                connected_at_ms=peer.connected_at_ms,
            )
            for peer in self.network.peers()
            if peer.connected
        ]

    def validators(self, height: int) -> ValidatorSet | None:
        """The set that decides ``height``; None where that is not known (too far ahead, or pruned)."""
        known = self.chain.validators.get(height)
        if known is not None or height < 0:
            return known
        if height > self.chain.height + 2:
            return None
        founders = genesis_validator_set(self.genesis)
        try:
            return registered_set(self.config, self.store, founders, height - 2)
        except HistoryPrunedError:
            header = self.store.header(height)
            return None if header is None else self.store.validators_of(header.extra_data)
