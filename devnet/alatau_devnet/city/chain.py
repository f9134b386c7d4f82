"""What the chain tells the actors, block by block, and what they bring to it: the city's own eyes, not the hub's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.channels.party.effects import Carry, Effect, Reveal
from alatau.channels.state import Phase, Window, side_of
from alatau.channels.transition import (
    Change,
    ChangeClosing,
    ChangeDeposited,
    ChangeSettled,
    ChangeSubmitted,
    ChangeWithdrawn,
)
from alatau.client.abi import load_abi
from alatau.client.channel_events import in_effect_order
from alatau.client.errors import ContractFailed, TransactionFailed
from alatau.transport.errors import RpcError
from alatau.wire.logs import EventFilter
from alatau_devnet import accounts
from alatau_devnet.city.actor import Actor, Clock
from alatau_devnet.city.plan import branch
from alatau_devnet.city.world import Lines

_EVENTS: Final = ("Deposited", "Withdrawn", "Closing", "Submitted", "Settled", "Revealed")
_PAUSE_S: Final = 0.5
_LOG = structlog.get_logger(__name__)


@dataclass(slots=True)
class ChainEyes:
    """Follows the chain for all actors. :meth:`run` is its task."""

    lines: Lines
    clock: Clock
    actors: Mapping[bytes, Actor]
    """By channel id."""
    do: Callable[[Actor, tuple[Effect, ...]], None]
    busy: set[bytes] = field(default_factory=set)
    """Channels with something under way: each block is told to these."""
    closing: dict[bytes, int] = field(default_factory=dict)
    """Channel -> how many vouchers were brought since it began to close."""
    settled: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """Channel -> payouts."""
    revealed: int = 0
    """Secrets that had to be brought on chain."""
    _secrets: dict[bytes, bool] = field(default_factory=dict)

    async def run(self) -> None:
        """Follow until cancelled."""
        abi = load_abi(load("CityChannels").abi)
        topics = tuple(abi.event(name).topic for name in _EVENTS)
        wanted = EventFilter((addresses.CITY_CHANNELS,), (topics,))
        while True:
            try:
                async with self.lines.any.follow_blocks(self.clock.height + 1) as blocks:
                    async for block in blocks:
                        logs = [log async for log in self.lines.any.logs(wanted, self.clock.height + 1, block.height)]
                        for log in in_effect_order(abi, logs):
                            event = abi.decode_event(log)
                            assert event is not None, "the filter lets through what the ABI declares"
                            self._tell(event.name, event.values, log.height)
                        self.clock.height = block.height
                        self._expire()
            except RpcError:
                await trio.sleep(_PAUSE_S)

    def bring(self, _actor: Actor, act: Carry | Reveal) -> None:
        """A secret that the hub has not paid for; vouchers of closing channels are the towers' to bring."""
        if isinstance(act, Reveal):
            self._secrets.setdefault(act.secret, False)

    async def reveal(self) -> None:
        """Bring secrets until cancelled; one account, one after the other."""
        wallet = await self.lines.any.wallet(accounts.key_of(branch(0)))
        while True:
            await trio.sleep(_PAUSE_S)
            for secret, done in list(self._secrets.items()):
                if done:
                    continue
                try:
                    await self.lines.channels().send(wallet, "reveal", secret)
                    self._secrets[secret] = True
                except (ContractFailed, TransactionFailed, RpcError) as error:
                    _LOG.warning("city.secret_not_brought", error=str(error))  # again with the next turn

    def touched(self, actor: Actor) -> None:
        """An actor has made a step."""
        if actor.is_busy:
            self.busy.add(actor.person.channel_id)
        else:
            self.busy.discard(actor.person.channel_id)

    def _expire(self) -> None:
        for channel in list(self.busy):
            actor = self.actors[channel]
            if not actor.off:
                self.do(actor, actor.core.expire(self.clock.now()))

    def _tell(self, name: str, values: Mapping[str, Any], height: int) -> None:
        if name == "Revealed":
            self.revealed += 1
            for channel in self.busy:
                self.actors[channel].core.learn_secret(values["secret"], height)
            return
        actor = self.actors.get(values["id"])
        if actor is None:
            return
        change = self._change(actor, name, values)
        if change is not None:
            self.do(actor, actor.core.news(change, self.clock.now()))

    def _change(self, actor: Actor, name: str, values: Mapping[str, Any]) -> Change | None:
        core, channel = actor.core, actor.person.channel_id
        match name:
            case "Deposited":
                total = side_of(core.state, values["party"]).deposited + values["amount"]
                return ChangeDeposited(values["party"], total)
            case "Withdrawn":
                total = core.withdrawn.get(values["party"], 0) + values["amount"]
                core.withdrawn[values["party"]] = total
                return ChangeWithdrawn(values["party"], total)
            case "Closing" if core.state.phase is Phase.OPEN:
                self.closing.setdefault(channel, 0)
                return ChangeClosing(Window(values["settle_block"], values["settle_time"]))
            case "Submitted":
                self.closing[channel] = self.closing.get(channel, 0) + 1
                return ChangeSubmitted(values["payer"], values["nonce"])
            case "Settled":
                self.settled[channel] = (values["payout_a"], values["payout_b"])
                return ChangeSettled()
        return None
