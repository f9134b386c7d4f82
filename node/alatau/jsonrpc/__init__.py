"""Ethereum's JSON-RPC, so that the tools people have just work: another face of what ``alatau.rpc`` reads and takes."""
