import pytest

from alatau.types.endpoint import Endpoint, EndpointError, parse_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:7001", Endpoint("127.0.0.1", 7001)),
        ("node-1.minfin.example:443", Endpoint("node-1.minfin.example", 443)),
        ("[::1]:65535", Endpoint("::1", 65535)),
    ],
)
def test_an_endpoint_reads_back_as_written(text: str, endpoint: Endpoint) -> None:
    """Names, IPv4 and bracketed IPv6."""
    assert parse_endpoint(text) == endpoint
    assert str(endpoint) == text


@pytest.mark.parametrize(
    "text",
    ["", "host", "host:", ":1", "host:0", "host:65536", "::1:7001", "[::1", "[g::]:1", "-a:1", "a b:1", "1.2.3:4"],
)
def test_anything_else_is_refused(text: str) -> None:
    """With a message that shows the right form."""
    with pytest.raises(EndpointError):
        parse_endpoint(text)
