"""Plans of what is asked of a payment hub; :class:`alatau.client.client.Client` and its plain sister run them.

For example::

    async with connect("hub.example:7501", client_tls(ca="hub.pem")) as hub:
        facts = await hub.run(hub_plans.facts())
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alatau.channels.forwarding.fees import FeeSchedule, fee_of
from alatau.channels.forwarding.limits import Limits
from alatau.channels.messages import Domain, channels_domain
from alatau.client.exchange import Ask, Plan
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.transport.service import methods
from alatau.wire.amount import read_amount
from alatau.wire.bounds import sized

_pb = channel_service_pb2
METHODS: Final = methods(_pb.DESCRIPTOR.services_by_name["ChannelService"])
ANSWER_S: Final = 10.0
"""How long a hub may take to say who it is."""


@dataclass(frozen=True, slots=True)
class HubFacts:
    """Who a hub is, what it asks and what it allows."""

    address: bytes
    """20 bytes."""
    domain: Domain
    height: int
    """Block up to which it has taken the chain's news."""
    fees: FeeSchedule
    lock_blocks_min: int
    lock_blocks_max: int
    limits: Mapping[int, Limits]
    """By tier; what has none of its own has the lowest one's."""

    @property
    def lock_blocks(self) -> int:
        """A life for one's locks that the hub takes, whichever block each of the two has seen last."""
        return (self.lock_blocks_min + self.lock_blocks_max) // 2

    def fee(self, amount: int) -> int:
        """What a payment of so many token units costs besides."""
        return fee_of(self.fees, amount)


def facts() -> Plan[HubFacts]:
    """What ``GetHub`` says. Raises ``WireError``, ``ValueError`` for an answer that makes no sense."""
    answer = yield Ask(METHODS["GetHub"], _pb.GetHubRequest(), ANSWER_S)
    return read_facts(answer)


def read_facts(answer: _pb.GetHubResponse) -> HubFacts:
    """The answer as values. Raises ``WireError``, ``ValueError``."""
    return HubFacts(
        sized(answer.address, 20, "address"),
        channels_domain(answer.chain_id, sized(answer.contract, 20, "contract")),
        answer.height,
        FeeSchedule(read_amount(answer.fee_base), answer.fee_parts_per_million),
        answer.lock_blocks_min,
        answer.lock_blocks_max,
        {
            one.tier: Limits(read_amount(one.payment), read_amount(one.day), read_amount(one.month))
            for one in answer.limits
        },
    )
