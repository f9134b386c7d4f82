"""Ethereum's Merkle Patricia trie, stored by path: batch updates, roots of lists, proofs. Pure."""
