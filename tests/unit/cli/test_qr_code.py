"""QR codes of invoices: what the terminal shows is the code that is written as a picture."""

from pathlib import Path

import pytest
import segno

from alatau.cli.qr_code import half_blocks, qr_lines, write_qr
from alatau.wallet.errors import WalletError

TEXT = "alatau:" + "aZ09-_" * 80


def test_the_terminal_shows_every_module() -> None:
    """Two modules a character, upper and lower, with a margin of two; light is drawn."""
    modules = {" ": (1, 1), "▀": (0, 1), "▄": (1, 0), "█": (0, 0)}
    shown = [[modules[character] for character in line] for line in qr_lines(TEXT)]
    rows = [row for line in shown for row in ([upper for upper, _ in line], [lower for _, lower in line])]
    code = segno.make(TEXT, error="l", micro=False)
    size = code.symbol_size(border=0)[0]
    assert [[int(bool(module)) for module in row] for row in code.matrix] == [row[2:-2] for row in rows[2 : 2 + size]]
    assert rows[0] == [0] * (size + 4)


def test_an_odd_row_at_the_end_is_dark_below() -> None:
    """So that nothing of the terminal's ground becomes a part of the code."""
    assert half_blocks([[0, 1], [1, 0], [0, 1]]) == ["▀▄", "▀ "]


def test_pictures_are_written(tmp_path: Path) -> None:
    """As PNG and as SVG; another ending is refused before anything is written."""
    for name, begin in (("code.png", b"\x89PNG\r\n\x1a\n"), ("code.svg", b"<?xml")):
        write_qr(TEXT, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begin)
    with pytest.raises(WalletError, match=r"written as \.png or \.svg"):
        write_qr(TEXT, tmp_path / "code.gif")
    assert not (tmp_path / "code.gif").exists()


def test_what_is_too_long_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(WalletError, match="shorter details"):
        write_qr("x" * 4_000, tmp_path / "code.png")
