"""Ports on the loopback interface that nothing listens on."""

import socket
from typing import Final

HOST: Final = "127.0.0.1"
_FIRST: Final = {"p2p": 7001, "rpc": 7101, "metrics": 7201, "http": 7301}
"""Where a network that has the machine to itself is found, so that examples can be pasted."""


def choose_ports(nodes: int, *, usual: bool = False) -> dict[str, list[int]]:
    """A port for each purpose and node: whatever the kernel gives, or the usual ones where wanted and free."""
    ranges = {purpose: list(range(first, first + nodes)) for purpose, first in _FIRST.items()}
    if usual and all(_is_free(port) for ports in ranges.values() for port in ports):
        return ranges
    numbers = free_ports(nodes * len(_FIRST))
    return {purpose: numbers[index * nodes : (index + 1) * nodes] for index, purpose in enumerate(_FIRST)}


def free_ports(count: int) -> list[int]:
    """Whatever the kernel gives."""
    # Held open together, so that no port is given twice.
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    numbers = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return numbers


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False
