"""What can be wrong with a message. The fault is the peer's, or its program's; never act on the message."""


class MessageError(ValueError):
    """A message that no correct node sends.

    ``reason`` is a stable word for logs, metrics and the score of a peer; the text says what was found.
    """

    reason = "message"


class SignatureMismatchError(MessageError):
    """A signature is malformed or not by the validator that the message names."""

    reason = "signature"


class StrangerError(MessageError):
    """The signer is not in the validator set of the height."""

    reason = "stranger"


class WrongProposerError(MessageError):
    """The proposal is signed by a validator whose turn it is not."""

    reason = "proposer"


class BodyMismatchError(MessageError):
    """The block's transactions or commit are not those that its header, and so the signed hash, covers.

    Whoever sent it is at fault, and nobody else: the proposer signed the header alone.
    """

    reason = "body"


class MalformedMessageError(MessageError):
    """Fields contradict each other: a block that is not the one signed, a proof of another round, too many votes."""

    reason = "malformed"
