"""File descriptors: connections of strangers must never take those that signing and storage need."""

import resource
from typing import Final

DESCRIPTORS_MIN: Final = 1_024
"""Least that a node starts with: what Linux gives a process where nobody said otherwise."""

RESERVED: Final = 528
"""Kept from connections: 400 for LevelDB (``storage.database``), the rest for the logs, the sign state, the files that
are replaced while the node runs, dialled peers, the metrics port and the event loops."""

PER_CONNECTION: Final = 3
"""The client's socket, and both ends of the way to gRPC."""

_SERVERS: Final = 2
"""Of one node: for peers and for clients."""

PER_WEB_CONNECTION: Final = 1
"""Of a browser or curl: nothing stands between its socket and the node. There may be as many as a server has others."""


class DescriptorLimitError(RuntimeError):
    """The process may open too few files. The message says how to raise the limit."""


def raise_descriptor_limit() -> int:
    """Raise the soft limit as far as the hard one allows, and give it.

    Raises:
        DescriptorLimitError: it is below ``DESCRIPTORS_MIN`` even so.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft != resource.RLIM_INFINITY and soft < DESCRIPTORS_MIN:
        raise DescriptorLimitError(
            f"this process may open {soft} files, a node needs {DESCRIPTORS_MIN} at least: raise the hard limit "
            "(LimitNOFILE= in the systemd unit, or ulimit -Hn in the shell that starts it)"
        )
    return soft


def connections_affordable() -> int:
    """How many connections one server of a node may hold under the limit of now; at least one."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 2**31
    return max(1, (soft - RESERVED) // (PER_CONNECTION * _SERVERS + PER_WEB_CONNECTION))
