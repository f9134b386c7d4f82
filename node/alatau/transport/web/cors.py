"""Which pages may call from a browser, and what it shows them (the Fetch standard, CORS protocol).

A request that names an origin which is not on the list is refused, not only left unanswered to the page: so a page that
points a name of its own at this address sends nothing either.
"""

from typing import Final

from alatau.transport.errors import DETAILS_KEY

Headers = list[tuple[str, str]]

ANY_ORIGIN: Final = "*"
_ALLOWED: Final = (
    "Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms, Grpc-Timeout, X-Grpc-Web, X-User-Agent, Alatau-Bytes"
)
_EXPOSED: Final = f"Grpc-Status, Grpc-Message, {DETAILS_KEY}, Retry-After, Alatau-Begins-After-Height"
_MAX_AGE_S: Final = 7_200
"""Chromium keeps an answer no longer."""


def is_allowed(origin: str | None, origins: frozenset[str]) -> bool:
    """Whether a request from a page of ``origin`` is served; None comes from no browser's page."""
    return origin is None or origin in origins or ANY_ORIGIN in origins


def answer_headers(origin: str | None) -> Headers:
    """What an answer to an allowed origin carries."""
    vary = [("Vary", "Origin")]
    if origin is None:
        return vary
    return [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", _EXPOSED), *vary]


def preflight_headers(origin: str) -> Headers:
    """The answer to a browser that asks before it sends."""
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Methods", "GET, POST"),
        ("Access-Control-Allow-Headers", _ALLOWED),
        ("Access-Control-Max-Age", str(_MAX_AGE_S)),
        ("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
