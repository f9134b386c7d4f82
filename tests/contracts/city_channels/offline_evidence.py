"""What a merchant shows for an offline payment that was signed away twice: certificate, vouchers, payment."""

from typing import Any

import boa

from alatau.artifacts import addresses
from alatau.channels.calls import compact_signature
from alatau.channels.messages import Voucher, locks_hash, voucher_digest
from alatau.channels.offline import OfflineCertificate, OfflinePayment, bonds_domain, certificate_digest, payment_digest
from tests.contracts.actors import Actor
from tests.contracts.city_channels.tills import Till
from tests.contracts.world import hub, merchant, now, resident

DAY = 86_400
NOTICE = 21 * DAY


def domain() -> Any:
    """Of the contract on the test chain."""
    return bonds_domain(boa.env.evm.patch.chain_id, addresses.OFFLINE_BONDS)


def signed_voucher(till: Till, nonce: int, transferred: int, by: Actor = resident) -> tuple[Any, ...]:
    """A voucher of the resident for the hub, as the contract takes it."""
    made = Voucher(till.id, resident.raw, nonce, transferred)
    signature = by.key.sign(voucher_digest(till.domain, made))
    return (nonce, transferred, locks_hash(()), compact_signature(signature))


def certificate(
    till: Till, *, base: int = 100, limit: int = 900, life: int = DAY, by: Actor = hub, payer: Actor = resident
) -> tuple[Any, ...]:
    """The hub's promise."""
    message = OfflineCertificate(till.id, payer.raw, base, limit, now() + life)
    return (base, limit, message.expires, compact_signature(by.key.sign(certificate_digest(domain(), message))))


def payment(
    till: Till, nonce: int, transferred: int, amount: int, *, to: Actor = merchant, by: Actor = resident
) -> tuple[Any, ...]:
    """Whom a voucher pays."""
    message = OfflinePayment(Voucher(till.id, resident.raw, nonce, transferred), to.raw, amount)
    return (to.address, amount, compact_signature(by.key.sign(payment_digest(domain(), message))))


def evidence(till: Till, **changes: Any) -> tuple[Any, ...]:
    """The merchant got 200 by voucher 5 over 500; another merchant was given voucher 5 over 450."""
    parts = {
        "certificate": certificate(till),
        "voucher": signed_voucher(till, 5, 500),
        "payment": payment(till, 5, 500, 200),
        "other": signed_voucher(till, 5, 450),
    } | changes
    return (till.key, parts["certificate"], parts["voucher"], parts["payment"], parts["other"])
