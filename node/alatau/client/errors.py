"""What can go wrong for a user of the SDK, besides what a node refuses (``RpcError``)."""

from alatau.wire.receipt import TransactionReceipt


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

    def __init__(self, receipt: TransactionReceipt, explanation: str) -> None:
        super().__init__(f"transaction 0x{receipt.transaction_hash.hex()} failed: {explanation}")
        self.receipt = receipt
        self.explanation = explanation


class ContractReverted(ClientError):  # noqa: N818  an outcome, not a fault of the program
    """A call reverted. ``reason`` is the contract's text; ``error`` names an error that its ABI declares."""

    def __init__(self, description: str, data: bytes, reason: str | None, error: str | None = None) -> None:
        super().__init__(f"the contract reverted: {description}")
        self.data = data
        self.reason = reason
        self.error = error


class AbiError(ClientError):
    """The ABI has no such function or event, or the arguments do not fit it. The caller's mistake."""


class NodeUntrustworthyError(ClientError):
    """What the node sent does not follow from what is trusted. Ask another node, and tell people about this one."""
