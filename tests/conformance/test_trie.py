"""ethereum/tests TrieTests: plain and secure, in the order given and in any order."""

import itertools
from typing import Any

import pytest

from alatau.crypto.keccak import keccak256
from alatau.trie.update import TrieUpdate
from alatau.types.header import EMPTY_ROOT
from tests.conformance.published import documents

CASES = [
    pytest.param("secure" in path.lower(), case, id=f"{path.rsplit('/')[-1]}:{name}")
    for path, document in documents("ethereum_tests", "ethereum_tests/TrieTests/")
    if "nextprev" not in path  # iteration by neighbours, which a state trie has no use for
    for name, case in document.items()
]


def octets(text: str | None) -> bytes:
    """Hex where it says so, UTF-8 otherwise, nothing for null (a deletion)."""
    if text is None:
        return b""
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


def orders(case: dict[str, Any]) -> list[list[tuple[bytes, bytes]]]:
    """The changes: as listed, or, where they come as an object, in many orders."""
    if isinstance(case["in"], list):
        return [[(octets(key), octets(value)) for key, value in case["in"]]]
    items = [(octets(key), octets(value)) for key, value in case["in"].items()]
    return [list(order) for order in itertools.islice(itertools.permutations(items), 200)]


class Stored:
    """Nodes by path, as the store keeps them."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, bytes] = {}
        self.root = EMPTY_ROOT

    def write(self, path: str, value: bytes) -> None:
        """Change one key and store what that gives."""
        update = TrieUpdate(lambda _reference, path_key: self.nodes[path_key])
        self.root = update.apply(b"A", self.root, [(path, value)])
        update.close()
        self.nodes.update(update.nodes)
        self.nodes = {path_key: raw for path_key, raw in self.nodes.items() if raw is not None}


@pytest.mark.parametrize(("secure", "case"), CASES)
def test_root(secure: bool, case: dict[str, Any]) -> None:
    """Key by key, each change stored before the next, the published root comes out."""
    for changes in orders(case):
        stored = Stored()
        for key, value in changes:
            stored.write(keccak256(key).hex() if secure else key.hex(), value)
        assert "0x" + stored.root.hex() == case["root"]


@pytest.mark.parametrize(("secure", "case"), CASES)
def test_root_in_one_batch(secure: bool, case: dict[str, Any]) -> None:
    """All changes as one batch (the last of each key counts) give the same root."""
    for changes in orders(case)[:1]:
        final = {(keccak256(key).hex() if secure else key.hex()): value for key, value in changes}
        update = TrieUpdate(lambda _reference, path_key: pytest.fail(f"nothing is stored at {path_key!r}"))
        assert "0x" + update.apply(b"A", EMPTY_ROOT, sorted(final.items())).hex() == case["root"]
