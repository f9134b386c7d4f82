"""QR codes of invoices: in the terminal, as PNG, as SVG (ISO/IEC 18004)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import segno

from alatau.wallet.errors import WalletError

_QUIET: Final = 2
"""Modules of margin in a terminal: fewer than the standard's four, and phones read it."""
_FILE_QUIET: Final = 4
_FILE_SCALE: Final = 6
"""Pixels of a module: about 10 cm on a till's screen."""
_BLOCKS: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
"""Two modules in one character, upper and lower: light is drawn, so that it reads on a dark terminal."""


def qr_lines(text: str) -> list[str]:
    """Lines for a terminal of light letters on dark ground."""
    return half_blocks(list(_code(text).matrix_iter(scale=1, border=_QUIET)))


def half_blocks(modules: Sequence[Sequence[int]]) -> list[str]:
    """Two rows of modules a line; 0 is light."""
    rows = [[not module for module in row] for row in modules]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(_BLOCKS[upper, lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs]


def write_qr(text: str, path: Path) -> None:
    """Write a picture; the ending says which kind, ``.png`` or ``.svg``. Raises ``WalletError``, ``OSError``."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise WalletError(f"{path}: a QR code is written as .png or .svg")
    _code(text).save(str(path), scale=_FILE_SCALE, border=_FILE_QUIET)


def _code(text: str) -> Any:
    try:
        return segno.make(text, error="l", micro=False)
    except segno.DataOverflowError as error:
        raise WalletError("the invoice is too long for a QR code; give it shorter details") from error
