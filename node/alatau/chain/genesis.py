"""Block 0: balances, the system contracts of EIP-2935 and EIP-4788, and the constructors of the network's own.

Every node computes it from the genesis file and arrives at the same hash, which is the network's identity.
"""
