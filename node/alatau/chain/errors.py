"""What can be wrong with a block, a commit, a genesis; each class says whose fault it is."""


class InvalidBlockError(ValueError):
    """A block breaks a rule of validity. The proposer's: vote nil, or drop the peer that served it.

    ``rule`` is a stable word for logs and metrics; the message says what was found and what was expected.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule


class InvalidCommitError(ValueError):
    """A commit does not prove that its block was decided. Never act on the block it came with."""


class GenesisError(ValueError):
    """The genesis file describes a network that cannot begin. The founders': mend it and sign it again."""
