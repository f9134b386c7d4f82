"""A decision that nobody has signed, and two who will."""

from typing import Any

from alatau.artifacts import addresses
from alatau.client.decision_types import choices
from alatau.client.decisions import Decision
from alatau.client.typed_data import Domain
from alatau.crypto.secp256k1 import PrivateKey

FIRST, SECOND = (PrivateKey(bytes([n]) * 32) for n in (31, 32))
CHOICE = choices("ValidatorRegistry")["remove-validator"]
VALUES = {"address": bytes(20), "bytes32": bytes(32), "string": "", "uint256": 0}
TERMS = {"policyVersion": 3, "nonce": 5, "notBefore": 0, "expires": 2_000}


def decision(**changes: Any) -> Decision:
    """To remove a validator, signed by nobody."""
    message = {name: VALUES.get(kind) for kind, name in CHOICE.type.struct.members}
    message |= {"terms": TERMS} | ({"action": CHOICE.act.word} if CHOICE.act else {}) | changes
    domain = Domain("Alatau ValidatorRegistry", "1", 7773, addresses.VALIDATOR_REGISTRY)
    return Decision("ValidatorRegistry", CHOICE.type, domain, message, {})
