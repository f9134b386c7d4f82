"""A light actor: the real core of a wallet or till with real keys, and memory in place of a disk.

What a process with a disk would do about its own death is tested elsewhere; here tens of thousands share a process, and
what dies are hub, towers and validators.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from alatau.channels.messages import Domain
from alatau.channels.party.core import Now, PartyCore
from alatau.channels.party.effects import TellDispute, TellFailed
from alatau.channels.state import Phase, opened, side_of
from alatau_devnet.city.population import Kind, Person


@dataclass(slots=True)
class Actor:
    """A person with its channel."""

    person: Person
    core: PartyCore
    turn: trio.Lock = field(default_factory=trio.Lock)
    """A resident pays one thing after the other."""
    changed: trio.Event = field(default_factory=trio.Event)
    failures: dict[bytes, TellFailed] = field(default_factory=dict)
    """By hash of the invoice: why the hub refused it last."""
    disputes: list[TellDispute] = field(default_factory=list)
    leaving: bool = False
    """It goes off soon: nothing new is begun with it."""
    off: bool = False
    """It is not connected and does not want to be: a till that is offline, a phone that is lost."""

    @property
    def is_merchant(self) -> bool:
        """Whether it is a till."""
        return self.person.kind is Kind.MERCHANT

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way in its channel."""
        state, core = self.core.state, self.core
        locks = side_of(state, core.me).locks or side_of(state, core.hub).locks
        return state.phase is Phase.OPEN and bool(locks or core.refunding or core.doubtful)

    def wake(self) -> None:
        """Something has changed."""
        self.changed.set()
        self.changed = trio.Event()

    async def wait(self, seconds: float) -> None:
        """Until something changes, or the time is over."""
        with trio.move_on_after(seconds):
            await self.changed.wait()


def actor_of(domain: Domain, person: Person, settle_blocks: int) -> Actor:
    """With a channel that was just opened."""
    state = opened(domain, person.parties, person.deposit, settle_blocks=settle_blocks)
    return Actor(person, PartyCore(state, person.address, person.key.sign))


@dataclass(slots=True)
class Clock:
    """The chain's height, as the city's own node tells it, and the machine's clock."""

    seconds: Callable[[], float]
    height: int = 0

    def now(self) -> Now:
        """For a core."""
        return Now(self.height, int(self.seconds()))
