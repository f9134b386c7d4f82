"""Hashing and signatures: thin wrappers over native libraries."""
