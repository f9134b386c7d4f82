"""``host:port`` as people write it in configurations and operators in the validator registry."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
"""RFC 1123, section 2.1."""


class EndpointError(ValueError):
    """The text is no ``host:port``; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where something listens."""

    host: str
    """A name or an address; an IPv6 address without its brackets."""
    port: int

    def __str__(self) -> str:
        """As it is written in a configuration."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str) -> Endpoint:
    """Read ``host:port``; an IPv6 address stands in brackets. Raises ``EndpointError``."""
    host, colon, port = text.rpartition(":")
    if not colon:
        raise EndpointError("host:port, such as 127.0.0.1:7001 (the port is missing)")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise EndpointError(f"host:port with a port in 1..65535, not {port!r}")
    return Endpoint(_host(host), int(port))


def _host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError as error:
            raise EndpointError(f"an IPv6 address in brackets: {error}") from error
    if ":" in text:
        raise EndpointError("an IPv6 address in brackets, such as [::1]:7001")
    if not _HOST_NAME.fullmatch(text) or len(text) > 253:
        raise EndpointError(f"host:port with a host name or an address, not {text!r}")
    if re.fullmatch(r"[0-9.]+", text):
        try:
            ipaddress.IPv4Address(text)
        except ValueError as error:
            raise EndpointError(f"an IPv4 address: {error}") from error
    return text
