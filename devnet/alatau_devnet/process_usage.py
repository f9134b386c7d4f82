"""What a process uses, read from /proc (proc(5)): for measurements and demonstrations."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_UTIME, _STIME, _RSS = 11, 12, 21
"""Fields of /proc/PID/stat, counted from the state, which follows the name in parentheses."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A reading."""

    cpu_s: float
    """CPU time of all its threads since it started, user and system."""
    rss_bytes: int
    """Memory resident now, file mappings included."""
    own_bytes: int
    """Of it what the process has made for itself (RssAnon). The rest are pages of files, which the kernel takes back
    when somebody needs the room: LevelDB maps its tables, so that a node's resident memory grows with its chain."""


def usage_of(pid: int) -> Usage:
    """What the process with this id uses. Raises ``ProcessLookupError`` if it is gone."""
    try:
        stat, statm = (Path(f"/proc/{pid}/{name}").read_text() for name in ("stat", "statm"))
    except FileNotFoundError:
        raise ProcessLookupError(f"no process {pid}") from None
    fields = stat.rpartition(")")[2].split()
    ticks = int(fields[_UTIME]) + int(fields[_STIME])
    resident, of_files = (int(pages) * _PAGE_BYTES for pages in statm.split()[1:3])
    return Usage(ticks / _TICKS_PER_S, int(fields[_RSS]) * _PAGE_BYTES, resident - of_files)
