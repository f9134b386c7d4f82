"""A token that re-enters: from every function that moves tokens into every function, nothing happens."""

import boa
import pytest

from alatau.channels.calls import compact_signature
from alatau.channels.messages import ClaimOrder, Parties, channel_id, channels_domain, claim_order_digest
from tests.contracts.city_channels.tills import Till, consent, own
from tests.contracts.well_formed_calls import well_formed_calls
from tests.contracts.world import ZERO, World, deploy, deploy_mock, hub, neighbour, now, registrar, resident, wait

OUTER = (
    "open",
    "open_for",
    "deposit",
    "deposit_for",
    "withdraw",
    "withdraw_for",
    "claim",
    "claim_to",
    "claim_for_successor",
)
"""All that move tokens."""


CALLS = well_formed_calls("CityChannels")
PURE = ("asset", "registry", "settle_blocks", "settle_seconds", "channel_pause", "DOMAIN_SEPARATOR", "eip712Domain")
"""Read nothing that a call changes."""


class Bank:
    """A contract of channels over the hostile token, with a credit and an open channel of the resident."""

    def __init__(self, world: World) -> None:
        self.token = deploy_mock("HostileToken")
        arguments = (self.token.address, world.participants.address, world.channel_pause.address, 1, 1)
        self.channels = deploy("CityChannels", *arguments)
        contract = bytes.fromhex(self.channels.address.removeprefix("0x"))
        self.domain = channels_domain(boa.env.evm.patch.chain_id, contract)
        for owner in (resident, hub):
            self.token.mint(owner.address, 1_000)
            self.token.approve(self.channels.address, 1_000, sender=owner.address)
        settled, self.till = self._open(1), self._open(2)
        self.channels.close(settled.key, own(resident), (ZERO, 0, 0, [], b"", b""), sender=resident.address)
        world.participants.name_successor(resident.address, neighbour.address, sender=registrar.address)
        wait(10_000, 5)
        self.channels.settle(settled.key, [], [])

    def _open(self, salt: int) -> Till:
        parties = Parties(resident.raw, hub.raw, salt.to_bytes(32))
        self.channels.open(hub.address, parties.salt, 100, sender=resident.address)
        return Till(self.domain, parties, channel_id(self.domain, parties))

    def act(self, name: str) -> None:
        """A call of the resident that moves tokens."""
        if name == "open":
            self.channels.open(hub.address, (3).to_bytes(32), 10, sender=resident.address)
        elif name == "deposit":
            self.channels.deposit(self.till.key, 10, sender=resident.address)
        elif name == "open_for":
            self.channels.open_for(hub.address, (4).to_bytes(32), (resident.address, 10, 0, now() + 1, b""))
        elif name == "deposit_for":
            self.channels.deposit_for(self.till.key, bytes(32), (resident.address, 10, 0, now() + 1, b""))
        elif name == "withdraw":
            self.channels.withdraw(*consent(self.till, resident, 10, by=hub), sender=resident.address)
        elif name == "withdraw_for":
            key, total, end, consented = consent(self.till, resident, 10, by=hub)
            asked = consent(self.till, resident, 10, by=resident)[3]
            self.channels.withdraw_for(key, resident.address, total, end, asked, consented)
        elif name == "claim":
            self.channels.claim(resident.address, 10)
        elif name == "claim_to":
            order = ClaimOrder(resident.raw, neighbour.raw, 10, 0, now() + 60)
            signature = compact_signature(resident.key.sign(claim_order_digest(self.domain, order)))
            self.channels.claim_to((resident.address, neighbour.address, 10, 0, order.deadline), signature)
        else:
            self.channels.claim_for_successor(resident.address, 10)


@pytest.mark.parametrize("outer", OUTER)
def test_every_pair_is_closed(world: World, outer: str) -> None:
    """Whatever the token calls while it moves money is refused, and the money moves once."""
    bank = Bank(world)
    inner = {signature: call for signature, call in CALLS.items() if signature.split("(")[0] not in PURE}
    assert len(inner) > 25
    held = bank.channels.held()
    change = 10 if outer.startswith(("open", "deposit")) else -10
    for signature, call in inner.items():
        with boa.env.anchor():
            bank.token.set_mode(3, bank.channels.address, call)
            bank.act(outer)
            assert bank.token.reentered()
            assert not bank.token.succeeded(), f"{signature} was let in"
            assert bank.channels.held() == held + change


def test_the_same_calls_are_let_in_from_outside(world: World) -> None:
    """The probe can succeed: views answer when nobody is inside."""
    bank = Bank(world)
    bank.token.set_mode(3, bank.channels.address, CALLS["held()"])
    bank.token.transfer(hub.address, 1, sender=resident.address)
    assert bank.token.succeeded()
