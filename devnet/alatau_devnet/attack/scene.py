"""What an attack is, and what it meets: four validators, of which it may do to one or more whatever it likes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from alatau_devnet.network import Devnet, DevnetNode


@dataclass(frozen=True, slots=True)
class Scene:
    """A running network, as an attacker's process sees it."""

    network: Devnet

    @property
    def victim(self) -> DevnetNode:
        """The validator that attacks on one node go against; its honest clients are measured too."""
        return self.network.nodes[0]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What an attack may cost before its verdict is FAIL.

    Times are of honest payments, from sending to finality, and compared with the calm just before.
    """

    p95_during_factor: float | None = 4.0
    """95th percentile while it runs, in that of the calm; None where consensus has to wait until it ends. The attacker
    works on the same cores as the four validators and takes its share of them."""
    consensus_waits_ms: float = 0.0
    """What is tolerated on top where consensus waits by its own timeouts, however fast the machine is."""
    p95_after_factor: float = 3.0
    answered_least: float = 0.95
    """Share of an honest client's status requests and calls that the victim answers, in that of the calm."""
    failed_rounds_max: int | None = None
    """Blocks that need a second round, beyond as many as in the calm; None where that is not asked."""
    memory_growth_mib_max: float = 320.0
    """Of the node that grew most, from before to the highest seen. 192 MiB are the bound of what connections make it
    keep (``transport.limits``), and keeping them takes more than they are."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One entry of the campaign.

    ``run`` works in a process of its own for the given seconds and gives what there is to tell: anything with a
    short ``str``. Its connections come from 127.0.0.1 and, where it wants several addresses, from 127.0.0.2 to
    127.0.0.8 (``sources.relay``); honest clients come from 127.0.0.9.
    """

    name: str
    """In kebab case, for ``--only``."""
    what: str
    """A line for ``--list``."""
    run: Callable[[Scene, float], Awaitable[object]]
    tolerance: Tolerance = field(default_factory=Tolerance)
    takes_over: bool = False
    """Whether it speaks with the last validator's key. The others then keep that one out, as they should, for a while
    longer than the attack: honest clients use the others, *after* begins once it is let in again, and the network is
    started anew, since a ban is twice as long each time."""
    restarts: bool = False
    """Whether it restarts nodes itself: they are then other processes afterwards. Whoever takes over does."""
