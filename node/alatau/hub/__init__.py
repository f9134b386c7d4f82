"""The payment hub as a process: the core of :mod:`alatau.channels.forwarding` with a disk, a network and the chain."""
