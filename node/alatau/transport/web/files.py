"""Pages and what they load, as a server has them in memory, with what a browser lets them do.

The policy lets a page load and ask nothing but its own origin, run no script that stands in its text, and make no
markup out of strings (Trusted Types), so that a text from outside cannot become a program.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TRUSTED_TYPES_POLICY: Final = "alatau"
"""The only one that a page may make, once; it lets the service worker's address pass, and nothing else."""

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        f"trusted-types {TRUSTED_TYPES_POLICY}",
    )
)

_HEADERS: Final = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self)"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


@dataclass(frozen=True, slots=True)
class WebFile:
    """What is sent for a path."""

    content_type: str
    data: bytes

    def headers(self) -> list[tuple[str, str]]:
        """Of the answer."""
        return [("Content-Type", self.content_type), ("Content-Length", str(len(self.data))), *_HEADERS]


WebFiles = Mapping[str, WebFile]
"""By path, which begins with a slash."""
