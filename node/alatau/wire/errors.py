"""What a peer can get wrong in the shape of a message."""


class WireError(ValueError):
    """The peer sent a message that no correct node sends; nothing in it can be used. ``reason`` is stable."""

    def __init__(self, message: str, reason: str = "MALFORMED_MESSAGE") -> None:
        super().__init__(message)
        self.reason = reason


def sized(data: bytes, size: int, what: str) -> bytes:
    """Pass on ``data`` if it has ``size`` bytes, else raise ``WireError``."""
    if len(data) != size:
        raise WireError(f"{what} has {len(data)} bytes, expected {size}")
    return data
