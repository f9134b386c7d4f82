"""Accounts and storage as a transaction and a block read and write them. Pure."""
