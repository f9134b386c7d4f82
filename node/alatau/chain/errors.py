"""What can be wrong with a block. The fault is the proposer's: vote nil, or drop the peer that served it."""


class InvalidBlockError(ValueError):
    """A block breaks a rule of validity.

    ``rule`` is a stable word for logs and metrics; the message says what was found and what was expected.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule


class InvalidCommitError(ValueError):
    """A commit does not prove that its block was decided. Never act on the block it came with."""
