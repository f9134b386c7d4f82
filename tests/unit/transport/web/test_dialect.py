"""What a request speaks, by its headers."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from urllib.parse import quote

import pytest
from google.protobuf.descriptor_pb2 import MethodOptions

from alatau.transport.errors import RpcError
from alatau.transport.web.dialect import (
    Framing,
    dialect_of,
    is_free_of_side_effects,
    is_safe_host,
    metadata_of,
    methods_of,
    read_query,
    timeout_of,
)
from tests.support.echo import REPEAT, UNARY

WEB = {"content-type": "application/grpc-web"}
JSON = {"content-type": "application/json"}


def test_content_types_are_read_as_http_writes_them() -> None:
    """In any case, with the one charset that JSON has."""
    found = dialect_of(UNARY, {"content-type": 'Application/JSON; charset="UTF-8"', "alatau-bytes": "HEX"})
    assert found is not None
    assert (found.framing, found.is_json, found.as_hex) == (Framing.BARE, True, True)
    assert dialect_of(REPEAT, JSON) is None
    assert dialect_of(REPEAT, WEB) is not None


@pytest.mark.parametrize(("text", "seconds"), [("5S", 5), ("250m", 0.25), ("1H", 3_600), ("99999999n", 0.099999999)])
def test_timeouts_of_grpc(text: str, seconds: float) -> None:
    """A number and its unit."""
    dialect = dialect_of(UNARY, WEB)
    assert dialect is not None
    assert timeout_of(dialect, {"grpc-timeout": text}) == pytest.approx(seconds)
    assert timeout_of(dialect, {}) is None


@pytest.mark.parametrize("headers", [{"grpc-timeout": "5"}, {"grpc-timeout": "123456789S"}, {"grpc-timeout": "-1S"}])
def test_what_is_no_time_is_refused(headers: dict[str, str]) -> None:
    """Instead of no deadline at all."""
    dialect = dialect_of(UNARY, WEB)
    assert dialect is not None
    with pytest.raises(RpcError, match="grpc-timeout"):
        timeout_of(dialect, headers)


def test_only_methods_that_say_so_may_be_got() -> None:
    """Unary ones without side effects."""
    safe = MethodOptions.IdempotencyLevel.NO_SIDE_EFFECTS
    assert is_free_of_side_effects(replace(UNARY, idempotency=safe))
    assert not is_free_of_side_effects(UNARY)
    assert (methods_of(replace(UNARY, idempotency=safe)), methods_of(UNARY)) == ("GET, POST", "POST")
    assert not is_free_of_side_effects(replace(REPEAT, idempotency=safe))


def test_a_message_in_a_query() -> None:
    """As text, or as base64 without padding."""
    dialect, message = read_query("connect=v1&encoding=json&message=%7B%7D", {})
    assert (dialect.is_json, message) == (True, b"{}")
    text = urlsafe_b64encode(b"\xff\xfe\x01\x02").decode().rstrip("=")
    dialect, message = read_query(f"encoding=proto&base64=1&message={text}", {"alatau-bytes": "hex"})
    assert (dialect.is_json, dialect.as_hex, message) == (False, True, b"\xff\xfe\x01\x02")


def test_a_message_in_protobuf_may_be_in_a_query_as_it_is() -> None:
    """Its bytes in percent signs, whatever they are; padded base64 is taken too."""
    every = bytes(range(256))
    assert read_query(f"encoding=proto&message={quote(every)}", {})[1] == every
    padded = urlsafe_b64encode(b"\xff\xfe\x01\x02").decode()
    assert read_query(f"encoding=proto&base64=1&message={padded}", {})[1] == b"\xff\xfe\x01\x02"
    assert read_query("base64=0&message=AQ", {})[1] == b"AQ"


@pytest.mark.parametrize(
    "query",
    [
        "connect=v2", "encoding=connect+json", "compression=gzip", "base64=1&message=a",
        "base64=1&message=%25%25%25%25", "base64=yes", "a=1&" * 40, "&&&",
    ],
)  # fmt: skip
def test_other_queries_are_refused(query: str) -> None:
    """Versions, encodings, broken base64, more fields than anybody needs."""
    with pytest.raises(RpcError):
        read_query(query, {})


@pytest.mark.parametrize("host", ["127.0.0.1:7301", "localhost", "LOCALHOST:80", "[::1]:7301", "203.0.113.9"])
def test_a_page_cannot_have_made_these_names(host: str) -> None:
    """Addresses are no names, and nobody else answers for localhost."""
    assert is_safe_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example:7301", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::1", "a@b"]
)
def test_any_other_name_may_be_a_pages(host: str) -> None:
    """Whoever owns it can let it point here."""
    assert not is_safe_host(host)


def test_binary_headers_are_base64_with_or_without_padding() -> None:
    """As gRPC's clients send them."""
    assert metadata_of({"key-bin": "AQ", "other-bin": "AQ==", "name": "x"}) == {
        "key-bin": b"\x01",
        "other-bin": b"\x01",
        "name": "x",
    }
