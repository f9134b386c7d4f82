"""Wallet and till as web pages: files that a hub serves as they are. There is no build step.

``static/`` is the root of the site. ``static/js`` is ours: the pure half of a wallet (messages, signatures, transition,
party) and what stands around it. ``static/vendor`` is from npm, with imports between packages made relative; its hashes
are in ``vendor.json`` (``python -m alatau_devnet.vendor_pages``).
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from alatau.transport.web.files import WebFile

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "txt": "text/plain; charset=utf-8",
}


def page_files() -> dict[str, WebFile]:
    """All files by path. A page is found without its ``.html``."""
    found = {}
    for path, file in _walk(files("alatau.pages") / "static", ""):
        name, _, kind = path.rpartition(".")
        content = WebFile(_TYPES[kind], file.read_bytes())
        found[name if kind == "html" else path] = content
    return found


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        inner = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, inner)
        else:
            yield inner, entry
