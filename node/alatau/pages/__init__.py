"""Wallet and till as web pages, which a hub serves: :mod:`alatau.pages.site`."""
