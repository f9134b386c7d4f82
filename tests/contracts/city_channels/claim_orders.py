"""Orders to pay a credit to another account, signed as wallets sign them."""

from typing import Any

from alatau.channels.calls import contract_signature
from alatau.channels.messages import ClaimOrder, claim_order_digest
from tests.contracts.actors import Party
from tests.contracts.city_channels.tills import domain_here
from tests.contracts.world import (
    neighbour,
    now,
    resident,
)


def order(
    amount: int, nonce: int = 0, receiver: Party = neighbour, by: Party = resident, account: Party = resident
) -> tuple[Any, Any]:
    """The resident, or another, wants a part of his credit paid to another account."""
    message = ClaimOrder(account.raw, receiver.raw, amount, nonce, now() + 60)
    signature = by.key.sign(claim_order_digest(domain_here(), message))
    fields = (account.address, receiver.address, amount, nonce, message.deadline)
    return fields, contract_signature(signature)
