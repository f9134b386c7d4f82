"""A large change in steps gives what it gives at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.trie.state_trie import AppliedDiff, NoNodes, StateTrie
from alatau.trie.steps import apply_in_steps
from alatau.types.account import Account
from alatau.types.header import EMPTY_ROOT
from tests.support.generators import finish

ADDRESSES = [bytes([n]) * 20 for n in range(12)]


class Stored:
    """Nodes by path, as a store keeps them."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, bytes] = {}

    def node(self, path_key: bytes) -> bytes | None:
        """The node at a path."""
        return self.nodes.get(path_key)

    def take(self, applied: AppliedDiff) -> None:
        """Store what a change gave."""
        for key, raw in applied.nodes.items():
            if raw is None:
                self.nodes.pop(key, None)
            else:
                self.nodes[key] = raw


def in_steps(trie: StateTrie, accounts: dict, storage: dict, keys_max: int) -> AppliedDiff:  # type: ignore[type-arg]
    """Run the generator."""
    return finish(apply_in_steps(trie, accounts, storage, keys_max))


SLOTS = st.dictionaries(st.integers(0, 30), st.integers(0, 5), max_size=12)
CHANGES = st.dictionaries(st.sampled_from(ADDRESSES), st.tuples(st.integers(0, 9), st.booleans(), SLOTS), max_size=12)


@settings(max_examples=150, deadline=None)
@given(before=CHANGES, after=CHANGES, keys_max=st.integers(1, 9))
def test_steps_give_what_one_application_gives(before: dict, after: dict, keys_max: int) -> None:  # type: ignore[type-arg]
    """Root, accounts, stored nodes and history are equal, whatever the size of a step."""
    reader = Stored()
    first = StateTrie.open(EMPTY_ROOT, NoNodes()).apply(
        {a: Account(n, 1) for a, (n, _, _) in before.items()},
        {a: slots for a, (_, _, slots) in before.items() if slots},
    )
    reader.take(first)
    accounts: dict[bytes, Account | None] = {}
    storage: dict[bytes, dict[int, int]] = {}
    for address, (nonce, removed, slots) in after.items():
        known = first.accounts.get(address)
        accounts[address] = None if removed else Account(nonce, 2, known.storage_root if known else EMPTY_ROOT)
        if slots and not removed:
            storage[address] = slots
    at_once = StateTrie.open(first.root, reader).apply(accounts, storage)
    stepped = in_steps(StateTrie.open(first.root, reader), accounts, storage, keys_max)
    assert stepped.root == at_once.root == stepped.trie.root
    assert stepped.accounts == at_once.accounts
    assert stepped.account_values == at_once.account_values
    assert stepped.slot_values == at_once.slot_values
    assert stepped.previous == {k: v for k, v in stepped.previous.items() if reader.nodes[k] == v}
    expected, found = Stored(), Stored()
    expected.nodes, found.nodes = dict(reader.nodes), dict(reader.nodes)
    expected.take(at_once)
    found.take(stepped)
    assert found.nodes == expected.nodes
    assert at_once.previous.keys() <= stepped.previous.keys()
