"""What can go wrong with a development network."""


class DevnetError(RuntimeError):
    """The network cannot be started or found. The message says which node, and shows its last words."""
