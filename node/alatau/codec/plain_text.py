"""Values in sentences for people."""


def plain_text(value: object) -> str:
    """A value as messages write it: bytes in hexadecimal behind 0x, everything else as Python prints it."""
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def shortened(text: str, length_max: int) -> str:
    """As much of a text as ``length_max`` characters hold, with three dots at its end where something is missing."""
    return text if len(text) <= length_max else text[: max(0, length_max - 3)] + "..."
