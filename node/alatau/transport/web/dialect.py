"""What a request speaks, by its headers: Connect for one message, Connect for streams, or gRPC-Web; JSON or protobuf.

Sources: connectrpc.com/docs/protocol, and PROTOCOL-WEB.md of grpc.
"""

import binascii
import ipaddress
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final
from urllib.parse import parse_qs, urlsplit

from google.protobuf.descriptor_pb2 import MethodOptions

from alatau.transport.errors import Code, RpcError
from alatau.transport.service import Method
from alatau.transport.web.envelope import unimplemented

BYTES_HEADER: Final = "alatau-bytes"
"""``hex``: bytes are 0x and hexadecimal in the JSON of this call, both ways."""
IDENTITY: Final = "identity"
_TIMEOUT_UNITS_S: Final[Mapping[str, float]] = {"H": 3_600, "M": 60, "S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT: Final = re.compile(r"([0-9]{1,8})([HMSmun])")
_CONNECT_TIMEOUT: Final = re.compile(r"[0-9]{1,10}")
_GET_FIELDS_MAX: Final = 16


class Framing(Enum):
    """How messages lie in a body."""

    BARE = "Connect, one message"
    CONNECT = "Connect, enveloped"
    GRPC_WEB = "gRPC-Web"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a request speaks, and its answer."""

    framing: Framing
    content_type: str
    """Of the answer."""
    is_json: bool
    as_hex: bool = False


_DIALECTS: Final[Mapping[str, Dialect]] = {
    dialect.content_type: dialect
    for dialect in (
        Dialect(Framing.BARE, "application/json", is_json=True),
        Dialect(Framing.BARE, "application/proto", is_json=False),
        Dialect(Framing.CONNECT, "application/connect+json", is_json=True),
        Dialect(Framing.CONNECT, "application/connect+proto", is_json=False),
        Dialect(Framing.GRPC_WEB, "application/grpc-web", is_json=False),
        Dialect(Framing.GRPC_WEB, "application/grpc-web+proto", is_json=False),
        Dialect(Framing.GRPC_WEB, "application/grpc-web+json", is_json=True),
    )
}
CONTENT_TYPES: Final = ", ".join(_DIALECTS)


def dialect_of(method: Method, headers: Mapping[str, str]) -> Dialect | None:
    """What a POST speaks; None where that is nothing this method is served by."""
    content_type, _, parameters = headers.get("content-type", "").partition(";")
    dialect = _DIALECTS.get(content_type.strip().lower())
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if dialect is None or (dialect.is_json and charset not in ("", "utf-8")):
        return None
    if dialect.framing is not Framing.GRPC_WEB and method.server_streaming is (dialect.framing is Framing.BARE):
        return None
    return with_bytes(dialect, headers)


def with_bytes(dialect: Dialect, headers: Mapping[str, str]) -> Dialect:
    """The same with bytes in the form that the caller asks for."""
    as_hex = headers.get(BYTES_HEADER, "").strip().lower() == "hex"
    return replace(dialect, as_hex=as_hex)


def is_free_of_side_effects(method: Method) -> bool:
    """Whether GET may call it: its definition says so."""
    return method.idempotency == MethodOptions.IdempotencyLevel.NO_SIDE_EFFECTS and not method.server_streaming


def methods_of(method: Method) -> str:
    """The methods of HTTP by which it is called, as the header ``Allow`` lists them."""
    return "GET, POST" if is_free_of_side_effects(method) else "POST"


def is_safe_host(host: str) -> bool:
    """Whether no page can have been loaded under the name that a request asks for, but from this machine.

    A page may point a name of its own at this address and then ask as if it came from here: browsers then say no origin
    with a GET, as curl does not, and over plain HTTP only the name tells the two apart.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def read_query(query: str, headers: Mapping[str, str]) -> tuple[Dialect, bytes]:
    """What a GET speaks, and its message.

    Raises:
        RpcError: the query is none of Connect's.
    """
    try:
        fields = parse_qs(
            query,
            keep_blank_values=True,
            strict_parsing=bool(query),
            encoding="latin-1",  # bytes as they are: a message in protobuf is no text
            max_num_fields=_GET_FIELDS_MAX,
        )
    except ValueError as error:
        raise _invalid(f"the query cannot be read: {error}") from error
    values = {name: given[-1] for name, given in fields.items()}
    check_version(values.get("connect", "v1").removeprefix("v"))
    check_encoding(values.get("compression", IDENTITY))
    dialect = _DIALECTS.get("application/" + values.get("encoding", "json"))
    if dialect is None or dialect.framing is not Framing.BARE:
        raise _invalid("encoding is json or proto")
    message = values.get("message", "").encode("latin-1")
    match values.get("base64", "0"):
        case "1":
            try:
                message = b64decode(message + b"=" * (-len(message) % 4), altchars=b"-_", validate=True)
            except binascii.Error as error:
                raise _invalid("the message is no base64") from error
        case other if other != "0":
            raise _invalid("base64 is 0 or 1")
    return with_bytes(dialect, headers), message


def check_headers(dialect: Dialect, headers: Mapping[str, str]) -> None:
    """Refuse versions and encodings that are not spoken here.

    Raises:
        RpcError: INVALID_ARGUMENT for a version, UNIMPLEMENTED for a compression.
    """
    match dialect.framing:
        case Framing.BARE:
            check_version(headers.get("connect-protocol-version", "1"))
            check_encoding(headers.get("content-encoding", IDENTITY))
        case Framing.CONNECT:
            check_version(headers.get("connect-protocol-version", "1"))
            check_encoding(headers.get("connect-content-encoding", IDENTITY))
        case Framing.GRPC_WEB:
            check_encoding(headers.get("grpc-encoding", IDENTITY))


def check_version(version: str) -> None:
    """Raise ``RpcError`` for another version of Connect's protocol than 1."""
    if version != "1":
        raise _invalid(f"version {version[:16]!r} of Connect's protocol is not known here, 1 is")


def check_encoding(encoding: str) -> None:
    """Raise ``RpcError`` for a compressed request: 8 KB of gzip become 8 MB before any bound sees them."""
    if encoding != IDENTITY:
        raise unimplemented(f"encoding {encoding[:16]!r} is not taken; send {IDENTITY}")


def timeout_of(dialect: Dialect, headers: Mapping[str, str]) -> float | None:
    """Seconds that the client waits; None without a word. Raises ``RpcError`` for what is no time."""
    if dialect.framing is Framing.GRPC_WEB:
        text = headers.get("grpc-timeout")
        if text is None:
            return None
        found = _TIMEOUT.fullmatch(text)
        if found is None:
            raise _invalid("grpc-timeout is up to 8 digits and one of H, M, S, m, u, n")
        return int(found[1]) * _TIMEOUT_UNITS_S[found[2]]
    text = headers.get("connect-timeout-ms")
    if text is None:
        return None
    if not _CONNECT_TIMEOUT.fullmatch(text):
        raise _invalid("connect-timeout-ms is up to 10 digits")
    return int(text) / 1_000


def metadata_of(headers: Mapping[str, str]) -> dict[str, str | bytes]:
    """Headers as a handler sees them: those whose name ends with ``-bin`` decoded. Raises ``RpcError``."""
    metadata: dict[str, str | bytes] = {}
    for name, value in headers.items():
        if not name.endswith("-bin"):
            metadata[name] = value
            continue
        try:
            metadata[name] = b64decode(value.encode() + b"=" * (-len(value) % 4), validate=True)
        except binascii.Error as error:
            raise _invalid(f"the header {name[:64]} is no base64") from error
    return metadata


def _invalid(message: str) -> RpcError:
    return RpcError(Code.INVALID_ARGUMENT, message, reason="INVALID_REQUEST")
