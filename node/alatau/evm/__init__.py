"""The Ethereum Virtual Machine, rule sets Prague and Osaka: cold code is interpreted, hot code is Python.

Read in this order: ``opcode`` and ``opcodes`` (every instruction as a row of a table), ``operations`` (what the
longer rows call), ``interpreter`` (one function per row), ``translator`` (rows strung together into functions),
``program`` (when which of the two runs), ``calls`` (CALL and CREATE). ``docs/evm.md`` explains the whole.
"""
