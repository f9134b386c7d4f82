"""The wallet's watchtowers: they get each voucher of the hub's, and say what they hold when the folder was put back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
import trio

from alatau.channels.errors import ChannelError
from alatau.channels.messages import SignedVoucher
from alatau.channels.state import ChannelState
from alatau.client.tower_feeding import Party, TowerError, TowerLink
from alatau.wallet.link import Link
from alatau.wallet.setup import Setup
from alatau.wallet.store import WalletStore

_LOG = structlog.get_logger(__name__)
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class TowerStanding:
    """How a tower stands, for the person."""

    endpoint: str
    nonce: int
    """It has signed that it protects the channel up to this voucher of the hub's; 0 for none."""
    newest: int
    """The hub's newest voucher that the wallet holds."""
    problem: str
    """Why it takes nothing now; empty while it does."""


class WalletTowers:
    """All of a wallet's. :meth:`run` is their task while a channel is there."""

    def __init__(self, setup: Setup, store: WalletStore, link: Link) -> None:
        self._link = link
        self._clock = setup.clock
        party = Party(setup.domain, setup.address, setup.key.sign)
        words = _Words(store)
        self.links = tuple(
            TowerLink(one, party, words, self._states, self._alarm, linger_s=0.0, close_by=setup.close_by)
            for one in setup.towers
        )

    async def run(self) -> None:
        """Hand over until cancelled."""
        async with trio.open_nursery() as nursery:
            for tower in self.links:
                nursery.start_soon(tower.run)
            while True:
                for tower in self.links:
                    tower.offer(self._link.core.state)
                await self._link.changed()

    def standings(self) -> tuple[TowerStanding, ...]:
        """One a tower."""
        core = self._link.core
        newest = _nonce(core.state, core.hub)
        return tuple(
            TowerStanding(
                tower.tower.endpoint,
                tower.feed.held.get(core.state.id + core.hub, 0),
                newest,
                tower.problem or ("" if tower.address else "it has not answered yet"),
            )
            for tower in self.links
        )

    async def caught_up(self) -> None:
        """Wait until every tower holds the newest voucher."""
        while any(tower.behind for tower in self.links):  # noqa: ASYNC110  two tasks of this process and a far tower
            await trio.sleep(_POLL_S)

    async def compare(self) -> bool:
        """Take up what the towers hold, into a wallet that was restored; False where one of them does not say."""
        held: list[SignedVoucher] = []
        core = self._link.core
        try:
            for tower in self.links:
                held += await tower.recall(core.state.parties, int(self._clock()))
            self._link.do(core.recall(held, self._link.now()))
        except (TowerError, ChannelError) as error:
            _LOG.warning("wallet.towers_do_not_say", error=str(error))
            return False
        return True

    def _states(self) -> list[ChannelState]:
        return [self._link.core.state]

    def _alarm(self, text: str) -> None:
        _LOG.error("wallet.tower_alarm", text=text)


class _Words:
    def __init__(self, store: WalletStore) -> None:
        self.load: Callable[[bytes], Mapping[bytes, int]] = store.load_words
        self.keep: Callable[[bytes, Mapping[bytes, int]], None] = store.keep_words


def _nonce(state: ChannelState, payer: bytes) -> int:
    side = state.a if payer == state.parties.a else state.b
    return side.nonce
