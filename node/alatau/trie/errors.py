"""What can go wrong while a trie is read."""


class TrieCorruptionError(Exception):
    """A stored node is missing or is not the one that its parent names.

    Ours: the disk, or whoever writes to it. Nothing read from this trie may be trusted any more. Stop, run
    ``alatau db check`` to see how far it reaches, then restore a backup or sync again from peers.
    """

    def __init__(self, path_key: bytes, expected: bytes, found: bytes | None) -> None:
        self.path_key = path_key
        """Where the node is stored."""
        self.expected = expected
        """Its hash, as the parent (or the header) gives it; 32 bytes."""
        self.found = found
        """The hash of what is stored there; None when nothing is."""
        what = "is missing" if found is None else f"has hash 0x{found.hex()}"
        super().__init__(
            f"trie node {describe_path_key(path_key)} {what}, its parent expects 0x{expected.hex()}; the database is"
            " damaged or of another version: run 'alatau db check', then restore a backup or sync again"
        )


class ProofError(Exception):
    """The prover's fault: the nodes given do not lead from the root to the key. Discard what it claims."""


def describe_path_key(path_key: bytes) -> str:
    """A path key in words: which trie, and the nibbles from its root."""
    if path_key[:1] == b"A":
        return f"accounts/{path_key[1:].decode()}"
    return f"storage of 0x{path_key[1:33].hex()}/{path_key[33:].decode()}"
