"""What a merchant shows for an offline payment that was signed away twice: certificate, vouchers, payment."""

from typing import Any

import boa

from alatau.artifacts import addresses
from alatau.channels.calls import contract_signature
from alatau.channels.messages import Voucher, locks_hash, voucher_digest
from alatau.channels.offline import (
    BondRelease,
    OfflineCertificate,
    OfflinePayment,
    bond_release_digest,
    bonds_domain,
    certificate_digest,
    payment_digest,
)
from tests.contracts.actors import Party
from tests.contracts.city_channels.tills import Till
from tests.contracts.world import RELYING_PARTY, hub, merchant, now, resident

DAY = 86_400
NOTICE = 21 * DAY


def domain() -> Any:
    """Of the contract on the test chain."""
    return bonds_domain(boa.env.evm.patch.chain_id, addresses.OFFLINE_BONDS, RELYING_PARTY)


def signed_voucher(till: Till, nonce: int, transferred: int, by: Party = resident) -> tuple[Any, ...]:
    """A voucher of the resident for the hub, as the contract takes it."""
    made = Voucher(till.id, till.parties.a, nonce, transferred)
    signature = by.key.sign(voucher_digest(till.domain, made))
    return (nonce, transferred, locks_hash(()), contract_signature(signature))


def certificate(
    till: Till, *, base: int = 100, limit: int = 900, life: int = DAY, by: Party = hub, payer: Party | None = None
) -> tuple[Any, ...]:
    """The hub's promise, about the channel's payer or another."""
    message = OfflineCertificate(till.id, payer.raw if payer else till.parties.a, base, limit, now() + life)
    return (base, limit, message.expires, contract_signature(by.key.sign(certificate_digest(domain(), message))))


def payment(
    till: Till, nonce: int, transferred: int, amount: int, *, to: Party = merchant, by: Party = resident
) -> tuple[Any, ...]:
    """Whom a voucher pays."""
    message = OfflinePayment(Voucher(till.id, till.parties.a, nonce, transferred), to.raw, amount)
    return (to.address, amount, contract_signature(by.key.sign(payment_digest(domain(), message))))


def evidence(till: Till, **changes: Any) -> tuple[Any, ...]:
    """The merchant got 200 by voucher 5 over 500; another merchant was given voucher 5 over 450."""
    parts = {
        "certificate": certificate(till),
        "voucher": signed_voucher(till, 5, 500),
        "payment": payment(till, 5, 500, 200),
        "other": signed_voucher(till, 5, 450),
    } | changes
    return (till.key, parts["certificate"], parts["voucher"], parts["payment"], parts["other"])


def release_request(till: Till, by: Party, *, named: Party | None = None) -> tuple[int, bytes]:
    """Deadline and signature of a request for the bond, good for a minute; about another's, where one is named."""
    message = BondRelease(till.id, (named or by).raw, now() + 60)
    return message.deadline, contract_signature(by.key.sign(bond_release_digest(domain(), message)))
