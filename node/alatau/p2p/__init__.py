"""Peers over mutual TLS: consensus streams, gossip of transactions, serving and fetching of blocks."""
