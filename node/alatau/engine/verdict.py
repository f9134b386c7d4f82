"""What admission says of a transaction, and whose fault a refusal is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from alatau.chain.transaction import InvalidTransactionError
from alatau.mempool.outcome import Reason
from alatau.mempool.outcome import Refused as PoolRefused


class Blame(Enum):
    """Whether who handed a refused transaction over should have known."""

    NOBODY = "nobody"
    """Nothing is wrong with it: there is no room, or not the time, for it here."""
    STATE = "state"
    """The state of here and now refuses it: a nonce, a balance, a licence. On another node, or a moment before, it may
    have been right, so who passed it on did nothing wrong."""
    STRANGER = "stranger"
    """Its sender is no participant here, or has no account. A correct peer may know a new participant a few blocks
    earlier, so a few prove nothing; many do, since a signature made at random recovers such a sender."""
    FORM = "form"
    """No state makes it right: malformed, badly signed, for another chain, against a rule that needs no state. The
    admission of whoever passed it on must have refused it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A transaction that is not in the pool now."""

    reason: str
    """Stable; a name of the error catalogue (docs/errors.md)."""
    message: str
    blame: Blame = Blame.STATE
    retry_after_s: float | None = None
    """When to try again, where waiting helps and the time is known."""
    next_nonce: int | None = None
    """Where the nonce is what is wrong: the one to send next."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What the message says in words, for programs: the metadata of the client API's error."""


Outcome = Refused | None
"""None: the pool has it."""

_ROOM_S: Final = 1.0
"""When to come back to a full pool: a few blocks later."""
_CATALOGUE: Final = {
    "blob_transaction": "TRANSACTION_TYPE_UNSUPPORTED",
    "wrong_chain": "WRONG_CHAIN",
    "gas_limit_above_block": "GAS_LIMIT_TOO_HIGH",
    "gas_limit_above_cap": "GAS_LIMIT_TOO_HIGH",
    "fee_cap_below_base_fee": "UNDERPRICED",
    "initcode_too_large": "TRANSACTION_TOO_LARGE",
    "intrinsic_gas": "INTRINSIC_GAS_TOO_LOW",
    "nonce_too_low": "NONCE_TOO_LOW",
    "insufficient_funds": "INSUFFICIENT_FUNDS",
    "sender_has_code": "SENDER_NOT_EXTERNALLY_OWNED",
    "sender_not_permitted": "SENDER_NOT_PERMITTED",
}
"""Rules of the chain by their names in the error catalogue; the rest are ``TRANSACTION_INVALID``."""


def wrong_form(error: InvalidTransactionError, chain_id: int) -> Refused:
    """The refusal for a rule that needs no state, on a network of ``chain_id``."""
    values = _text(error.values) | ({"chain_id": str(chain_id)} if error.reason == "wrong_chain" else {})
    return _refused(error, str(error), Blame.FORM, values)


def not_permitted(error: InvalidTransactionError, sender: bytes, chain_id: int, *, stranger: bool) -> Refused:
    """The refusal of the registry for ``sender``, the address that the signature recovers.

    A signature over another digest recovers some address too, and a stranger's it will be: the message says so.
    """
    values = {"sender": f"0x{sender.hex()}"}
    if not stranger:
        return _refused(error, str(error), Blame.STATE, values)
    hint = "if this is not the account that signed, the signature is over another digest"
    message = f"{error}; {hint}: check the chain id, {chain_id}, and the encoding"
    return _refused(error, message, Blame.STRANGER, values)


def not_pooled(outcome: PoolRefused, sender: bytes, blame: Blame) -> Refused:
    """The refusal of the pool."""
    wait_s = _ROOM_S if outcome.reason == Reason.POOL_FULL else None
    if outcome.retry_after_ms is not None:
        wait_s = outcome.retry_after_ms / 1_000
    values = {"sender": f"0x{sender.hex()}"} | _text(outcome.values)
    return Refused(outcome.reason, outcome.message, blame, wait_s, outcome.next_nonce, values)


def _refused(error: InvalidTransactionError, message: str, blame: Blame, values: Mapping[str, str]) -> Refused:
    return Refused(_CATALOGUE.get(error.reason, "TRANSACTION_INVALID"), message, blame, values=values)


def _text(values: Mapping[str, int]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
