"""What can go wrong for a user of the SDK, besides what a node refuses (``RpcError``)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from alatau.wire.receipt import TransactionReceipt


class Outcome(StrEnum):
    """How the run of a transaction or a call ended."""

    SUCCEEDED = "succeeded"
    REVERTED = "reverted"
    """The contract refused, and gave back the gas that was left."""
    HALTED = "halted"
    """It ran out of gas or broke a rule of the EVM, which takes all the gas."""
    FAILED = "failed"
    """One of the two: the node cannot run it again to say which."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run did not succeed."""

    outcome: Outcome
    reason: str
    """The contract's words for a revert, ``out of gas`` and the like for a halt."""


class ClientError(Exception):
    """The root of the SDK's own errors."""


class TransactionRefused(ClientError):  # noqa: N818  an outcome, not a fault of the program
    """The node did not take a transaction of a batch. ``reason`` is of the catalogue (docs/errors.md)."""

    def __init__(self, transaction_hash: bytes, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message} (transaction 0x{transaction_hash.hex()})")
        self.transaction_hash = transaction_hash
        self.reason = reason
        self.message = message


class TransactionFailed(ClientError):  # noqa: N818  an outcome, not a fault of the program
    """A final transaction reverted or halted: it changed nothing but its sender's nonce and balance.

    ``explanation`` comes from the node, which runs it again where it stands in its block.
    """

    def __init__(self, receipt: TransactionReceipt, failure: Failure) -> None:
        super().__init__(f"transaction 0x{receipt.transaction_hash.hex()} {failure.outcome}: {failure.reason}")
        self.receipt = receipt
        self.outcome = failure.outcome
        self.explanation = failure.reason


class ContractFailed(ClientError):  # noqa: N818  an outcome, not a fault of the program
    """A call did not succeed: :class:`ContractReverted` or :class:`ContractHalted`. Nothing was sent."""


class ContractHalted(ContractFailed):
    """A call used up all its gas: it ran out, or broke a rule of the EVM. ``reason`` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the contract halted: {reason}")
        self.reason = reason


class ContractReverted(ContractFailed):
    """A call reverted. ``reason`` is the contract's text; ``error`` names an error that its ABI declares."""

    def __init__(self, description: str, data: bytes, reason: str | None, error: str | None = None) -> None:
        super().__init__(f"the contract reverted: {description}")
        self.data = data
        self.reason = reason
        self.error = error


class AbiError(ClientError):
    """The ABI has no such function or event, or the arguments do not fit it. The caller's mistake."""


class TypedDataError(ClientError):
    """A value or a type does not fit EIP-712. Its author's mistake; the message names the member."""


class DecisionError(ClientError):
    """A decision of a council is not what it should be, or cannot take this step now; the message says what to do."""


class AttestationError(ClientError):
    """An attestation is not what it should be, or no report comes of it; the message says what is missing."""


class JournalError(ClientError):
    """A journal's entries do not chain to its head, or say other than their events: some were left out or changed."""


class NodeUntrustworthyError(ClientError):
    """What the node sent does not follow from what is trusted. Ask another node, and tell people about this one."""


class TrustExpiredError(ClientError):
    """The block that a light client trusts is so old that keys of its validators may be in other hands by now."""

    def __init__(self, height: int, age_s: float, period_s: float) -> None:
        super().__init__(
            f"the trusted block {height} is {age_s / 86_400:.1f} days old, more than the trusting period of"
            f" {period_s / 86_400:.1f} days: begin again from a newer block's hash that you got from people whom you"
            " trust, or verify every header since (sequential)"
        )
        self.height = height
        self.age_s = age_s
        self.period_s = period_s


class EquivocationError(ClientError):
    """Two blocks of one height are decided, each by a valid commit: a third of the power at least broke its promise.

    Believe neither, keep ``evidence``, and tell all operators.
    """

    def __init__(self, height: int, evidence: dict[str, Any], signers: int) -> None:
        super().__init__(
            f"TWO BLOCKS ARE DECIDED AT HEIGHT {height}, each with a valid commit; {signers} validators signed both."
            " The network is broken or attacked: believe neither, keep this evidence, tell all operators"
        )
        self.height = height
        self.evidence = evidence
        """Both headers and commits as RLP in hexadecimal, from which nodes, and who signed both."""
