"""Transactions that wait for a block: bounded, ordered by nonce for each sender, pure."""
