"""Attestations of positions: what a custodian or an auditor has seen, signed apart, and brought to the ledger together.

An :class:`Attestation` is what goes from hand to hand as a JSON document; ``typed_data`` in it is what
``eth_signTypedData_v4`` takes. k of n of one position and one number make a report (``attestations.vy``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alatau.artifacts.addresses import POSITION_LEDGER
from alatau.artifacts.genesis import VaultRole
from alatau.client import contract_plans, second_reading
from alatau.client.clear_signing import DOMAIN_NAMES, MESSAGES
from alatau.client.decisions import abi_of, check_signed
from alatau.client.errors import AttestationError, DecisionError
from alatau.client.exchange import Plan
from alatau.client.queries import CallMessage
from alatau.client.typed_data import Domain, digest, read_domain, read_value, struct_type, to_json
from alatau.client.wallet import Wallet
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wire.receipt import TransactionReceipt

FORMAT: Final = "alatau attestation 1"
ATTESTATION: Final = struct_type(MESSAGES["PositionLedger"][0])
UNIT: Final = 10**18
"""Of a quantity: one ounce, coin, share."""

_MEMBERS: Final = {"format", "typed_data", "signer", "signature"}
_FIGURES: Final = ("quantity", "encumbered", "price", "asOf", "priceAsOf", "evidenceHash")


@dataclass(frozen=True, slots=True)
class Attestation:
    """Figures of a position, by somebody who looked."""

    domain: Domain
    message: Mapping[str, Any]
    """As ``ATTESTATION`` has it."""
    signer: bytes
    signature: bytes
    """65 bytes r, s, v with v 27 or 28."""

    @property
    def position(self) -> bytes:
        """Id of the position."""
        return bytes(self.message["position"])

    def as_argument(self) -> tuple[Any, ...]:
        """As ``PositionLedger.report`` takes it."""
        return (self.signer, *(self.message[name] for name in _FIGURES), self.signature)


def ledger_domain(chain_id: int, contract: bytes = POSITION_LEDGER) -> Domain:
    """What attestations of a network's ledger are bound to."""
    return Domain(DOMAIN_NAMES["PositionLedger"], "1", chain_id, contract)


def sign_attestation(domain: Domain, message: Mapping[str, Any], key: PrivateKey) -> Attestation:
    """Sign what was seen.

    Raises:
        DecisionError: a second, independent reading of what would be signed says something else.
        TypedDataError: a figure does not fit its type.
    """
    signed_digest = digest(domain, ATTESTATION, message)
    second_reading.check_digest(to_json(ATTESTATION, domain, message), signed_digest)
    signature = key.sign(signed_digest)
    return Attestation(domain, message, key.address, signature[:64] + bytes((27 + signature[64],)))


def write_attestation(attestation: Attestation) -> dict[str, Any]:
    """The document of an attestation."""
    return {
        "format": FORMAT,
        "typed_data": to_json(ATTESTATION, attestation.domain, attestation.message),
        "signer": "0x" + attestation.signer.hex(),
        "signature": "0x" + attestation.signature.hex(),
    }


def read_attestation(document: Any) -> Attestation:
    """An attestation from its document, with a signature that is its signer's.

    Raises:
        AttestationError: it is no such document, or was changed after it was signed.
        TypedDataError: a value does not fit its type.
    """
    if not isinstance(document, dict) or document.keys() != _MEMBERS:
        raise AttestationError(f"it is no object with {', '.join(sorted(_MEMBERS))}")
    if document["format"] != FORMAT:
        raise AttestationError(f"its format is {document['format']!r:.60}, not {FORMAT!r}")
    typed = document["typed_data"]
    if not isinstance(typed, dict) or typed.keys() != {"types", "primaryType", "domain", "message"}:
        raise AttestationError("typed_data is no object with types, primaryType, domain, message")
    domain = read_domain(typed["domain"])
    message = read_value(ATTESTATION, ATTESTATION.name, typed["message"], "message")
    if typed != to_json(ATTESTATION, domain, message):
        raise AttestationError("typed_data is not that of an Attestation: it would be signed as something else")
    signer, signature = (_hex(document[name], size, name) for name, size in (("signer", 20), ("signature", 65)))
    try:
        check_signed(digest(domain, ATTESTATION, message), {signer: signature})
    except DecisionError as error:
        raise AttestationError(
            f"the signature is not by 0x{signer.hex()}: the figures were changed, or the name; its attester signs anew"
        ) from error
    return Attestation(domain, message, signer, signature)


def report(
    attestations: Sequence[Attestation], wallet: Wallet, *, gas_limit: int | None, timeout_s: float
) -> Plan[TransactionReceipt]:
    """Bring attestations of one position to the ledger: its next report.

    Raises:
        AttestationError: they are of different positions or numbers, too few, or nobody of them is the custodian or an
            auditor; the message says who is missing.
        ContractReverted: the ledger refuses the figures: attesters disagree, or a date is too old.
    """
    abi, first = abi_of("PositionLedger"), attestations[0]
    contract, position, sequence = first.domain.contract, first.position, first.message["sequence"]
    if any((a.domain, a.position, a.message["sequence"]) != (first.domain, position, sequence) for a in attestations):
        raise AttestationError("the files are of different positions, reports or networks")
    one_each = {attestation.signer: attestation for attestation in attestations}
    told = yield from contract_plans.read(abi, contract, "position", (position,), None, None)
    custodian, latest = told[0][2], told[7]
    if not any(custodian):
        raise AttestationError(f"there is no position 0x{position.hex()}: see alatau reserve positions")
    if sequence != latest + 1:
        raise AttestationError(
            f"the files are of report {sequence}, and the next one is {latest + 1}: attesters sign again"
        )
    threshold = yield from contract_plans.read(abi, contract, "threshold", (), None, None)
    missing = [] if custodian in one_each else [f"its custodian 0x{custodian.hex()}"]
    vault = yield from contract_plans.read(abi, contract, "vault", (), None, None)
    auditors = 0
    for signer in one_each:
        role = yield from contract_plans.read(abi_of("ReserveVault"), vault, "role_of", (signer,), None, None)
        auditors += role == VaultRole.AUDITOR
        if role != VaultRole.AUDITOR and signer != custodian:
            raise AttestationError(f"0x{signer.hex()} is neither the position's custodian nor an auditor: leave it out")
    missing += [] if auditors else ["an auditor of the vault"]
    if missing or len(one_each) < threshold:
        raise AttestationError(
            f"{len(one_each)} of {threshold} attestations"
            + (f"; missing is {' and '.join(missing)}" if missing else "")
        )
    arguments = [one_each[signer].as_argument() for signer in sorted(one_each)]
    data = abi.encode_call("report", (position, sequence, arguments))
    message = CallMessage(contract, data, wallet.address)
    return (yield from contract_plans.transact(abi, wallet, message, gas_limit=gas_limit, timeout_s=timeout_s))


def _hex(value: Any, size: int, where: str) -> bytes:
    try:
        found = bytes.fromhex(value[2:]) if isinstance(value, str) and value[:2] == "0x" else b""
    except ValueError:
        found = b""
    if len(found) != size:
        raise AttestationError(f"{where} is not 0x and {2 * size} hexadecimal digits")
    return found
