"""Residents whose accounts are P-256 keys, and what they lend to devices."""

from dataclasses import astuple
from typing import Any, Final

import boa

from alatau.artifacts import addresses
from alatau.channels.messages import Domain, domain_of
from alatau.channels.signed_money import Authorization, authorization_digest, signed_money_argument
from tests.contracts.actors import Party
from tests.contracts.city_channels.tills import Till
from tests.contracts.settlement_token.authorizations import RECEIVE, paying, token_digest
from tests.contracts.world import World, hub, now, registrar
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


def signed_money(
    owner: Party, amount: int, nonce: bytes, contract: str, *, to: str | None = None, kind: str = RECEIVE
) -> tuple[Any, ...]:
    """Money that its owner signs away to a contract, as `open_for`, `deposit_for` and `post_bond_for` take it."""
    receiver = bytes.fromhex((to or contract).removeprefix("0x"))
    made = Authorization(owner.raw, receiver, amount, now() - 1, now() + 60, nonce)
    token = domain_of("Digital Tenge", boa.env.evm.patch.chain_id, addresses.SETTLEMENT_TOKEN)
    digest = authorization_digest(token, made)
    fields = astuple(paying(owner, receiver="0x" + receiver.hex(), amount=amount, nonce=nonce))
    assert digest == token_digest(RECEIVE, fields), "wallets that know only EIP-712 sign the same"
    signature = owner.key.sign(digest if kind == RECEIVE else token_digest(kind, fields))
    return (owner.address, *signed_money_argument(made, signature)[1:])
