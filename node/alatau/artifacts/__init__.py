"""Compiled contracts: their code, ABI and storage layout, and how a genesis constructs them.

Reads files and may run the Vyper compiler, so it is no part of the pure half. ``artifact`` loads,
``compiler`` compiles, ``addresses`` says where a network's contracts stand, ``genesis`` builds their
constructors' calls.
"""
