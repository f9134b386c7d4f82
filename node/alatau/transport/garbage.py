"""Metadata that is none: gRPC allows printable ASCII, and lower case names (its doc/PROTOCOL-HTTP2.md).

gRPC's core refuses wrong names by itself, with INTERNAL; values reach us. On their way its Python layer logs a
traceback for each one that is no UTF-8, from anybody who can connect: these lines are counted here, not written.
"""

import logging
import re
from collections.abc import Mapping
from typing import Final

from alatau.transport.errors import Code, FieldViolation, RpcError

_VALUE: Final = re.compile(r"[\x20-\x7e]*")
_LOGGER: Final = "grpc._cython.cygrpc"
_MESSAGE: Final = "Invalid encoding on %s"
_NAME_SHOWN_MAX: Final = 64


class UndecodableMetadata(logging.Filter):
    """Drops the log records about bytes that are no UTF-8, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record goes on to the log."""
        if record.msg != _MESSAGE:
            return True
        self.count += 1
        return False


UNDECODABLE: Final = UndecodableMetadata()
"""Of this process: gRPC logs for all servers alike."""


def quieten_grpc() -> None:
    """Keep what clients send out of the log; doing it again changes nothing."""
    logging.getLogger(_LOGGER).addFilter(UNDECODABLE)


def check_metadata(metadata: Mapping[str, str | bytes]) -> None:
    """Refuse values that gRPC does not allow.

    Raises:
        RpcError: INVALID_REQUEST, naming the first such field.
    """
    for name, value in metadata.items():
        if name.endswith("-bin"):
            continue
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            field = FieldViolation(
                f"metadata[{name[:_NAME_SHOWN_MAX]}]",
                "only printable ASCII (0x20 to 0x7e) is allowed; send other bytes under a name that ends with -bin",
                "NOT_ASCII",
            )
            message = "the call's metadata holds bytes that are no printable ASCII"
            raise RpcError(Code.INVALID_ARGUMENT, message, reason="INVALID_REQUEST", field_violations=(field,))
