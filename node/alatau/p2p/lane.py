"""The streams of a session."""

from enum import StrEnum


class Lane(StrEnum):
    """A stream of a session, with a queue of its own: nothing in one lane waits for another."""

    CONSENSUS = "consensus"
    PROPOSALS = "proposals"
    TRANSACTIONS = "transactions"
