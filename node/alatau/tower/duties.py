"""Looking every few seconds at what would keep the tower from contesting, before anybody closes."""

from typing import Final

import structlog
import trio

from alatau.artifacts.addresses import PARTICIPANT_REGISTRY
from alatau.chain.permission import may_transact, slot_of
from alatau.chain.registries import HANDOVERS_MAX, SUCCESSOR_SLOT
from alatau.client import Client
from alatau.tower import store
from alatau.tower.post import Post, Tip
from alatau.transport.errors import RpcError
from alatau.wire.status import Status, SyncState

_LOG = structlog.get_logger(__name__)

LOOK_S: Final = 5.0
"""Between two looks: several in the shortest window that is of use."""
_STATUS_S: Final = 4.0
"""For the node's answer."""
SILENCE_S: Final = 60.0
"""Without a new block: six of the heartbeats with which an idle chain shows that it lives."""
_FUNDED_GAS: Final = 10 * (1 << 24)
"""The balance pays for ten transactions of the largest size."""
_REGISTRY: Final = "ParticipantRegistry"


class Duties:
    """Looks and sets alarms. :meth:`run` is its task."""

    def __init__(self, post: Post, client: Client, *, canary_due_s: float | None) -> None:
        """``canary_due_s`` is how old the last trial may be; None where there are no trials."""
        self._post = post
        self._client = client
        self._canary_due_s = canary_due_s
        self._began = post.now()
        self._advanced_at = trio.current_time()
        self._seen_height = 0
        self._last_tip = post.height

    async def run(self, every_s: float = LOOK_S) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await trio.sleep(every_s)

    async def look(self) -> None:
        """Look once."""
        alarms = self._post.alarms
        try:
            with trio.fail_after(_STATUS_S):
                status = await self._client.status()
        except (RpcError, trio.TooSlowError) as error:
            alarms.say("connection", f"no node answers: {getattr(error, 'message', 'it takes too long')}")
        else:
            alarms.say("connection", self._connection_trouble(status))
            self._post.base_fee_per_gas = status.base_fee_per_gas
            self._post.tip = Tip(status.height, status.timestamp)
            try:
                await self._look_at_account(status)
            except RpcError as error:
                _LOG.warning("tower.look_failed", error=error.message)
        alarms.say("lag", self._lag())
        alarms.say("canary", self._canary_trouble())

    def _connection_trouble(self, status: Status) -> str | None:
        now = trio.current_time()
        if status.height != self._seen_height:
            self._seen_height, self._advanced_at = status.height, now
        if status.genesis_hash != self._post.network.genesis_hash:
            return f"the node is of another network, {status.network}: contests would not reach the channels' chain"
        if status.sync_state is not SyncState.SYNCED:
            return f"the node is {status.sync_state.name.lower()}, at block {status.height}"
        silent_s = now - self._advanced_at
        if silent_s > SILENCE_S:
            return f"no new block for {silent_s:.0f} s, since block {status.height}"
        return None

    def _lag(self) -> str | None:
        """Whether the tower is half a window behind where the chain was at the last look."""
        behind = self._last_tip - self._post.height
        self._last_tip = max(self._last_tip, self._post.tip.height)
        half = self._post.network.settle_blocks // 2
        if behind > half:
            return f"{behind} blocks of the chain are not looked at yet; half a window is {half}"
        return None

    async def _look_at_account(self, status: Status) -> None:
        post, address = self._post, self._post.key.address
        if any(contract.name == _REGISTRY for contract in status.system_contracts):
            registry = await self._registry_in_office()
            (word,) = await self._client.storage(registry, [slot_of(address)])
            trouble = None
            if not may_transact(word, status.timestamp):
                trouble = f"0x{address.hex()} may not send transactions: have the registrar register or reinstate it"
            post.alarms.say("permission", trouble)
        needed = post.base_fee_per_gas * _FUNDED_GAS
        balance = await self._client.balance(address) if needed else 0
        trouble = None
        if balance < needed:
            trouble = f"0x{address.hex()} has {balance} wei, and should have {needed} for ten large transactions"
        post.alarms.say("funds", trouble)

    async def _registry_in_office(self) -> bytes:
        """The registry of genesis, or whoever it has handed over to (as :mod:`alatau.chain.registries`)."""
        registry = PARTICIPANT_REGISTRY
        for _ in range(HANDOVERS_MAX):
            (successor,) = await self._client.storage(registry, [SUCCESSOR_SLOT])
            if not successor:
                break
            registry = successor.to_bytes(32, "big")[12:]
        return registry

    def _canary_trouble(self) -> str | None:
        if self._canary_due_s is None:
            return None
        if self._post.canary_failure is not None:
            return self._post.canary_failure
        last = store.canary(self._post.database).contested
        age_s = self._post.now() - (last or self._began)
        if age_s <= self._canary_due_s:
            return None
        return (
            f"the last contest of a canary channel that succeeded was {age_s:.0f} s ago"
            if last
            else (f"no contest of a canary channel has succeeded in the {age_s:.0f} s since the tower started")
        )
