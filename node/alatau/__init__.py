"""Alatau: a permissioned blockchain node with smart contracts, its client SDK and its command line."""

from alatau import build_form  # before any other module: it says where they are loaded from

__version__ = "0.1.0"
__all__ = ["__version__", "build_form"]
