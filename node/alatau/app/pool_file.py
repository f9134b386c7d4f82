"""What waits in the pool when a node stops in order, kept for its next start.

A pooled transaction is a promise to try, not a result: only a final one is durable. But an orderly restart, of a
lone node above all, need not make its clients send again. Peers have copies of everything else.
"""

from pathlib import Path
from typing import Final

from alatau.codec import rlp
from alatau.storage.disk import Disk, atomic_write

_FILE_BYTES_MAX: Final = 1024 * 1024 * 1024
"""The largest pool that a configuration allows is below this; a larger file is none of ours."""


def save_pool(path: Path, encoded: list[bytes]) -> None:
    """Write the transactions to ``path``, or remove it where none wait. Raises ``OSError``."""
    if encoded:
        atomic_write(Disk(), path, rlp.encode(encoded))
    else:
        path.unlink(missing_ok=True)


def take_pool(path: Path) -> list[bytes]:
    """The transactions kept in ``path``, which is removed; none where it is missing or damaged.

    A damaged file is no reason not to start: whatever it held can be sent again.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= _FILE_BYTES_MAX else b""
        kept = [rlp.to_bytes(item) for item in rlp.decode_list(data)]
    except FileNotFoundError:
        return []
    except (OSError, rlp.RlpError):
        kept = []
    path.unlink(missing_ok=True)
    return kept
