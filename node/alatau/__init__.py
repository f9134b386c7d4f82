"""Alatau: a permissioned blockchain node with smart contracts, its client SDK and its command line."""

__version__ = "0.1.0"
