"""What goes wrong on this day: processes die, people cheat, lose phones, run into limits; a court freezes."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final

import trio

from alatau.channels.calls import NO_CLAIM, parties_argument, request_argument
from alatau.channels.messages import CloseRequest, close_request_digest
from alatau.channels.state import Phase, side_of
from alatau.client import RpcError
from alatau.client.errors import ContractFailed, ContractReverted, TransactionFailed
from alatau.client.wallet import Wallet
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau_devnet import accounts
from alatau_devnet.city.actor import Actor
from alatau_devnet.city.chain import ChainEyes
from alatau_devnet.city.feed import CityFeed
from alatau_devnet.city.gateway import Gateway
from alatau_devnet.city.plan import branch
from alatau_devnet.city.population import TIYN
from alatau_devnet.city.street import Street
from alatau_devnet.city.world import Lines, World, now
from alatau_devnet.network import start_nodes
from alatau_devnet.processes import kill_process

KILLS: Final = 5
_KILLED_AT: Final = (0.12, 0.3, 0.47, 0.66, 0.84)
_SHARE_POLL_S: Final = 0.1
_WINDOW_MAX_S: Final = 240.0
STALE_CLOSES: Final = 4
_CARRIER: Final = accounts.key_of(branch(1))
_LAST_WORDS_S: Final = 4.0
"""After so long nothing that was begun is on its way to somebody who is asked no more."""
LOST_PHONES: Final = 2


@dataclass(slots=True)
class Diary:
    """What happened, with the hour."""

    started: float = field(default_factory=time.monotonic)
    lines: list[tuple[float, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Incidents that did not end as they should."""

    def note(self, text: str) -> None:
        """Now."""
        self.lines.append((time.monotonic() - self.started, text))

    def check(self, what: str, *, holds: bool) -> None:
        """Write down whether something is as it should be."""
        self.note(what if holds else f"NOT AS IT SHOULD BE: {what}")
        if not holds:
            self.failed.append(what)


@dataclass(slots=True)
class Incidents:
    """All of a day. :meth:`run` ends when each has."""

    world: World
    lines: Lines
    street: Street
    eyes: ChainEyes
    offline: Gateway
    """Carries the tills that are offline over lunch."""
    feeds: Sequence[CityFeed]
    diary: Diary
    seed: int
    hub_down_s: list[float] = field(default_factory=list)
    """From each kill until the hub answers again."""
    off_limits: set[bytes] = field(default_factory=set)
    """Channels that other stories keep away from."""
    _draw: Random = field(init=False)
    _wallets: dict[bytes, Wallet] = field(default_factory=dict)
    _making: trio.Lock = field(default_factory=trio.Lock)
    _restarting: trio.Lock = field(default_factory=trio.Lock)

    def __post_init__(self) -> None:
        """The same incidents for the same seed."""
        self._draw = Random(self.seed + 2)  # noqa: S311

    async def run(self) -> None:
        """Until each has ended."""
        cheats = self._take(STALE_CLOSES)
        lost = self._take(LOST_PHONES)
        spender, frozen = self._take(2)
        async with trio.open_nursery() as nursery:
            tell: Callable[..., None] = nursery.start_soon
            for number, share in enumerate(_KILLED_AT):
                tell(self._at, share, partial(self._kill_hub, cheats if number == 2 else ()))
            tell(self._at, 0.2, self._kill_validator)
            tell(self._at, 0.38, self._kill_tower)
            tell(self._at, 0.42, self._offline_tills)
            tell(self._at, 0.05, partial(self._month_limit, spender))
            tell(self._at, 0.55, partial(self._freeze, frozen))
            for actor in lost:
                tell(self._at, 0.25, partial(self._lose_phone, actor))

    async def _at(self, share: float, incident: Callable[[], Awaitable[None]]) -> None:
        while self.street.share < share:  # noqa: ASYNC110  the day is somebody else's
            await trio.sleep(_SHARE_POLL_S)
        await incident()

    def _take(self, count: int) -> list[Actor]:
        """Residents with a key that may send transactions themselves, each for one story."""
        found: list[Actor] = []
        while len(found) < count:
            actor = self._draw.choice(self.street.residents)
            if actor.person.channel_id not in self.off_limits and not actor.person.is_p256:
                self.off_limits.add(actor.person.channel_id)
                found.append(actor)
        return found

    async def _kill_hub(self, cheats: Sequence[Actor]) -> None:
        for cheat in cheats:
            await self._retire(cheat)
        async with self._restarting:  # where the day is faster than a start, the next kill waits for it
            began = time.monotonic()
            await _thread(self.world.hub.kill)
            self.diary.note("hub killed with -9")
            for cheat in cheats:
                await self._close_stale(cheat)
            await _thread(self.world.hub.start)
            self.hub_down_s.append(time.monotonic() - began)
            self.diary.note(f"hub answers again after {self.hub_down_s[-1]:.1f} s")
        for cheat in cheats:
            await self._contested(cheat)

    async def _close_stale(self, actor: Actor) -> None:
        """Close without any voucher, as if nothing had been paid."""
        if side_of(actor.core.state, actor.core.me).transferred == 0:
            return
        key = actor.person.key
        assert isinstance(key, PrivateKey), "who cheats sends its own transaction"
        arguments = parties_argument(actor.person.parties), (actor.person.address, 0, b""), NO_CLAIM
        await self._send(key, "close", *arguments)
        self.diary.note(f"a resident closes as if it had not paid {_money(actor)}")

    async def _contested(self, actor: Actor) -> None:
        channel = actor.person.channel_id
        if channel not in self.eyes.closing:
            self.diary.note("a resident that was to cheat had paid nothing")
            return
        await _until(lambda: self.eyes.closing[channel] > 0, _WINDOW_MAX_S)
        self.diary.check("the stale close is contested", holds=self.eyes.closing[channel] > 0)
        await self._settle(actor)

    async def _settle(self, actor: Actor) -> None:
        channel, parties = actor.person.channel_id, actor.person.parties
        deadline = time.monotonic() + _WINDOW_MAX_S
        while channel not in self.eyes.settled and time.monotonic() < deadline:
            await self._send(_CARRIER, "settle_many", [parties_argument(parties)], quiet=True)
            await trio.sleep(2.0)
        self.diary.check("a closed channel is settled by its newest vouchers", holds=channel in self.eyes.settled)

    async def _kill_validator(self) -> None:
        node = self.world.network.nodes[1]
        await _thread(kill_process, node.home)
        self.diary.note(f"validator of {node.name} killed with -9")
        await trio.sleep(8.0)
        await _thread(start_nodes, self.world.network, (node,))
        self.diary.note("the validator is back")

    async def _kill_tower(self) -> None:
        tower = self.world.towers[1]
        await _thread(tower.kill)
        self.diary.note("second tower killed with -9")
        await trio.sleep(8.0)
        await _thread(tower.start)
        self.diary.note("the tower is back")

    async def _offline_tills(self) -> None:
        """They are away over lunch; customers come back later."""
        count = len(self.offline.actors)
        self.offline.pause()
        self.diary.note(f"{count} tills are offline")
        while self.street.share < 0.5:  # noqa: ASYNC110
            await trio.sleep(_SHARE_POLL_S)
        self.offline.resume()
        self.diary.note("they are back")

    async def _month_limit(self, actor: Actor) -> None:
        """Somebody pays until the hub says that the month's limit is reached."""
        before = self.street.figures.refused["LIMIT_EXCEEDED"]
        shops = self.street.merchants
        for number in range(60):
            await self.street.buy(actor, shops[number % len(shops)], 1_300 * TIYN - number)
            if self.street.figures.refused["LIMIT_EXCEEDED"] > before:
                break
        reached = self.street.figures.refused["LIMIT_EXCEEDED"] > before
        self.diary.check("a resident's limit of the month is reached and named", holds=reached)

    async def _freeze(self, actor: Actor) -> None:
        """A court freezes what a resident has: it leaves the channel, and stays where it is."""
        court = accounts.key_of(accounts.COURT)
        registry = self.lines.registry()
        address = actor.person.address
        until = now() + 86_400
        await registry.send(await self._wallet(court), "freeze", address, keccak256(b"order 17"), 2**96, until)
        await self._leave(actor)
        channels, token = self.lines.channels(), self.lines.token()
        await channels.send(await self._wallet(_CARRIER), "claim", address)
        assert isinstance(actor.person.key, PrivateKey), "chosen so"
        try:
            receiver = accounts.address_of(accounts.HUB)
            await token.send(await self._wallet(actor.person.key), "transfer", receiver, 1)
            held = False
        except ContractReverted:
            held = True
        self.diary.check("what a court has frozen was paid out to its owner and cannot be moved", holds=held)

    async def _lose_phone(self, actor: Actor) -> None:
        """A new key is registered, named successor, and gets what the old one had."""
        await self._retire(actor)
        successor = PrivateKey(keccak256(b"new phone" + actor.person.address))
        registry, registrar = self.lines.registry(), await self._wallet(accounts.key_of(accounts.REGISTRAR))
        await registry.send(registrar, "register", successor.address, 1, 1, 0)
        await registry.send(registrar, "deregister", actor.person.address)
        await registry.send(registrar, "name_successor", actor.person.address, successor.address)
        await self._leave(actor)
        channels = self.lines.channels()
        owed = await channels.read("credit", actor.person.address)
        wallet = await self._wallet(successor)
        for _ in range(20):
            try:
                await channels.send(wallet, "claim_for_successor", actor.person.address)
                break
            except (ContractFailed, TransactionFailed):
                await trio.sleep(1.0)
        held = await self.lines.token().read("balanceOf", successor.address)
        self.diary.check("a lost phone's money is its successor's", holds=held == owed > 0)

    async def _leave(self, actor: Actor) -> None:
        """By a request to close that was signed beforehand; hub and towers bring the newest vouchers."""
        await self._retire(actor)
        request = CloseRequest(actor.person.channel_id, actor.person.address, now() + 3_600)
        signature = actor.person.key.sign(close_request_digest(self.world.domain, request))
        argument = request_argument(actor.person.address, request.deadline, signature)
        developer = _CARRIER
        await self._send(developer, "close", parties_argument(actor.person.parties), argument, NO_CLAIM)
        await _until(lambda: actor.core.state.phase is not Phase.OPEN, 30.0)
        await self._settle(actor)

    async def _retire(self, actor: Actor) -> None:
        """It finishes what it has begun, and is not heard any more."""
        if actor.off:
            return
        actor.leaving = True
        async with actor.turn:
            await trio.sleep(_LAST_WORDS_S)
            deadline = time.monotonic() + _WINDOW_MAX_S
            while actor.is_busy and time.monotonic() < deadline:
                await self.street.gateway(actor).attach(actor)
                await actor.wait(0.5)
            self.street.gateway(actor).drop(actor)
        # What it was paid last is in its towers: they bring it when the channel closes, whoever closes it.
        after = {id(feed): feed.rounds + 2 for feed in self.feeds}
        await _until(lambda: all(feed.rounds >= after[id(feed)] for feed in self.feeds), _WINDOW_MAX_S)

    async def _wallet(self, key: PrivateKey) -> Wallet:
        """One a key: stories that share an account share its nonces."""
        async with self._making:
            if key.address not in self._wallets:
                self._wallets[key.address] = await self.lines.any.wallet(key)
            return self._wallets[key.address]

    async def _send(self, key: PrivateKey, name: str, *arguments: object, quiet: bool = False) -> None:
        try:
            await self.lines.channels().send(await self._wallet(key), name, *arguments)
        except (ContractFailed, TransactionFailed, RpcError) as error:
            if not quiet:
                self.diary.check(f"{name}: {error}", holds=False)


def _money(actor: Actor) -> str:
    return f"{side_of(actor.core.state, actor.core.me).transferred / TIYN:,.2f} KZT"


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    with trio.move_on_after(seconds):
        while not condition():  # noqa: ASYNC110  the chain is somebody else's
            await trio.sleep(0.2)


async def _thread(work: Callable[..., object], *arguments: object) -> None:
    await trio.to_thread.run_sync(partial(work, *arguments))
