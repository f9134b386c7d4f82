"""Residents whose accounts are P-256 keys, and what they lend to devices."""

from typing import Final

from alatau.channels.messages import Domain
from tests.contracts.actors import Party
from tests.contracts.city_channels.tills import Till
from tests.contracts.world import World, hub, registrar
from tests.support.phones import ChipKey, Passkey, lent

chip: Final = Party("resident with a chip", ChipKey("chip"))
passkey: Final = Party("resident with a passkey", Passkey("passkey"))
SCHEMES: Final = (chip, passkey)
MONEY: Final = 50_000


def admitted(world: World, party: Party) -> Party:
    """The party, registered as a resident, with money."""
    world.participants.register(party.address, 1, 1, 0, sender=registrar.address)
    world.token.transfer(party.address, MONEY, sender=hub.address)
    return party


def device_of(
    owner: Party, till: Till, cap: int, *, domain: Domain | None = None, channel: bytes | None = None
) -> Party:
    """A device that signs vouchers of ``owner``, by what he lent it in the till's channel, or in another."""
    assert isinstance(owner.key, ChipKey)
    made = lent(domain or till.domain, channel or till.id, owner.key, ChipKey("device"), cap)
    return Party("device", made)
