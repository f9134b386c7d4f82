"""Values in sentences for people."""

from alatau.codec.plain_text import plain_text, shortened


def test_bytes_are_hexadecimal() -> None:
    """Everything else is what Python prints."""
    assert [plain_text(value) for value in (b"\x01\xff", b"", 7, True, "word")] == ["0x01ff", "0x", "7", "True", "word"]


def test_a_long_text_says_that_it_goes_on() -> None:
    """Within the bound, dots included; one that fits stays as it is."""
    assert [shortened("abcdefgh", most) for most in (8, 7, 3)] == ["abcdefgh", "abcd...", "..."]
