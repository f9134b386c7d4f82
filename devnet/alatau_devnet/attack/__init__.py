"""Attacks on a node's surfaces, each an ``async`` function that runs against ``host:port`` for some seconds."""
